// A ledger that follows nothing: a small HTTP server that speaks the ledger's API and answers what a test told it. A question with
// `waitMs` is held until its exchange is settled or the time is over. `recordedStatus` says what a ledger would have read.
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type ExchangeId, exchangeIdOf, readReply, readRequest } from '#bus/message.ts'
import { replyPartitions, replyTopic } from '#bus/topics.ts'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { type World } from '#tests/world.ts'

export interface ScriptedLedger {
  url: string
  /** Epoch ms; told with every 404, and as its position. */
  caughtUpMs: number
  /** Answers 500 to everything. */
  isBroken: boolean
  /** Takes questions and never answers. */
  isHung: boolean
  /** Paths asked so far, but for its position. */
  asked: string[]
  /** Those of them that were to be waited for. */
  waitedFor: string[]
  know(status: ExchangeStatus): void
  knowKey(path: string, status: ExchangeStatus): void
  forgetAll(): void
  stop(): Promise<void>
}

export async function startScriptedLedger(): Promise<ScriptedLedger> {
  const statuses = new Map<string, ExchangeStatus>()
  const keys = new Map<string, ExchangeStatus>()
  const held = new Set<() => void>()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://ledger')
    const waitMs = Number(searchParams.get('waitMs') ?? 0)
    if (pathname !== '/v1/position') ledger.asked.push(pathname)
    if (waitMs > 0) ledger.waitedFor.push(pathname)
    if (ledger.isHung) return
    const untilMs = Date.now() + waitMs
    if (pathname === '/v1/position') return send(response, undefined, 200)
    const [, , kind, ...rest] = pathname.split('/')
    const answer = (): void => {
      const status = kind === 'keys' ? keys.get(rest.join('/')) : statuses.get(rest[0] ?? '')
      const isOpen = status?.state === 'accepted' && kind === 'exchanges' && Date.now() < untilMs
      if (isOpen && !ledger.isBroken) hold(untilMs, answer)
      else send(response, status)
    }
    answer()
  })
  const hold = (untilMs: number, answer: () => void): void => {
    const timer = setTimeout(again, Math.max(1, untilMs - Date.now()))
    function again(): void {
      clearTimeout(timer)
      held.delete(again)
      answer()
    }
    held.add(again)
  }
  const send = (response: ServerResponse, status: ExchangeStatus | undefined, unknown = 404): void => {
    const code = ledger.isBroken ? 500 : status === undefined ? unknown : 200
    response.writeHead(code, { 'content-type': 'application/json' })
    response.end(JSON.stringify(status ?? { caughtUpMs: ledger.caughtUpMs }))
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const ledger: ScriptedLedger = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caughtUpMs: 0,
    isBroken: false,
    isHung: false,
    asked: [],
    waitedFor: [],
    know(status) {
      statuses.set(status.exchangeId, status)
      for (const again of [...held]) again()
    },
    knowKey: (path, status) => void keys.set(path, status),
    forgetAll() {
      statuses.clear()
      keys.clear()
    },
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return ledger
}

/** What a ledger that has read everything would say of an exchange of this world. */
export async function recordedStatus(world: World, exchangeId: string): Promise<ExchangeStatus> {
  const sent = world.published.find(
    ({ topic, record }) => topic.startsWith('ndx.request.') && record.headers['kafka_correlationId'] === exchangeId,
  )
  if (sent === undefined) throw new Error(`no request of ${exchangeId}`)
  const { record, topic } = sent
  const request = readRequest({
    ...record,
    topic,
    partition: 0,
    offset: '0',
    timestampMs: 0,
    value: Buffer.from(record.value),
  })
  const service = world.registry.findByRequestType(request.type)
  if (service === undefined) throw new Error(`no service for ${request.type}`)
  const reply = await findReply(world, replyTopic(service.providerId), exchangeId)
  return {
    exchangeId,
    state: reply?.outcome ?? 'accepted',
    client: request.client,
    provider: service.providerId,
    service: service.contract.id,
    contractHash: request.contractHash,
    agreement: request.agreement,
    subject: request.subject,
    fields: request.fields,
    traceparent: request.traceparent,
    acceptedMs: request.acceptedMs,
    deadlineMs: request.deadlineMs,
    isDeferred: false,
    isLate: false,
    ...(reply === undefined ? {} : { settledMs: reply.repliedMs, reply: reply.place }),
    ...(reply?.code === undefined ? {} : { code: reply.code }),
    ...(request.idempotency === undefined ? {} : { body: request.idempotency.body }),
  }
}

async function findReply(world: World, topic: string, exchangeId: string) {
  for (let partition = 0; partition < replyPartitions; partition++) {
    for (let offset = 0; ; offset++) {
      const record = await world.bus.readAt(topic, partition, String(offset))
      if (record === undefined) break
      if (exchangeIdOf(record) !== (exchangeId as ExchangeId)) continue
      const { outcome, code, repliedMs } = readReply(record)
      return { outcome, code, repliedMs, place: { topic, partition, offset: String(offset) } }
    }
  }
  return undefined
}
