// Runs one provider's handlers: reads its request topic, and for each record checks deadline, contract and request, calls the
// handler, checks the reply, and sends it. Every readable record gets exactly one reply, a typed failure included; a record
// delivered again gets the same reply again and is not executed twice by this process. Commits only what was replied to.
import { type Bus, type IncomingRecord, type OutgoingRecord, type Reader } from '#bus/bus.ts'
import {
  type ExchangeId,
  headerNames,
  MessageError,
  type ReplyMessage,
  type RequestMessage,
  readRequest,
  writeReply,
} from '#bus/message.ts'
import { adapterGroup, replyPartitions, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId, type Service } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Log } from '#runtime/log.ts'
import { AdapterFailure, type Handler, type Question } from './adapter.ts'

/** One service of the provider with the code that answers it. */
export interface Route {
  service: Service
  handler: Handler
}

export interface HostOptions {
  provider: ProviderId
  routes: readonly Route[]
  bus: Bus
  instance: string
  poolSize: number
  log: Log
  now(): number
  clock(): number
}

/** How many records ended how, since the host started. */
export type HostCounts = Record<'answered' | 'failed' | 'expired' | 'redelivered' | 'unreadable', number>

export interface Host extends Reader {
  readonly provider: ProviderId
  readonly counts: Readonly<HostCounts>
  readonly isWorking: boolean
}

/** Replies kept for redelivery; a redelivered record is at most some seconds old. */
const repliesKeptMax = 10_000

/** setTimeout takes no longer ones. */
const timerMaxMs = 2 ** 31 - 1

/** Why the host itself failed a record; a handler's own codes are lower-case, in the contract. */
type HostFailure = 'REQUEST_INVALID' | 'CONTRACT_UNKNOWN' | 'HANDLER_FAILED' | 'HANDLER_TIMEOUT' | 'REPLY_INVALID'

type Outcome = Pick<ReplyMessage, 'outcome' | 'code' | 'data'> & { waitedMs: number; handledMs: number }

export function runHost(options: HostOptions): Host {
  const { provider, bus, poolSize, log } = options
  const counts: HostCounts = { answered: 0, failed: 0, expired: 0, redelivered: 0, unreadable: 0 }
  const kept = new Map<ExchangeId, Promise<OutgoingRecord>>()
  const stopping = new AbortController()
  let isWorking = false

  async function handle(record: IncomingRecord): Promise<void> {
    const startedMs = options.clock()
    const request = readOrDrop(record)
    if (request === undefined) return
    const before = kept.get(request.exchangeId)
    if (before !== undefined) counts.redelivered++
    const reply = before ?? execute(request, startedMs)
    if (before === undefined) keep(request.exchangeId, reply)
    // A rejection leaves the record uncommitted: it is handled again, and the kept reply sent again.
    await bus.publish(replyTopic(provider), await reply)
  }

  async function execute(request: RequestMessage, startedMs: number): Promise<OutgoingRecord> {
    const outcome = await answer(request, options, startedMs, stopping.signal)
    counts[outcome.outcome]++
    return writeReply(replyTo(request, outcome, options), request.replyPartition)
  }

  function readOrDrop(record: IncomingRecord): RequestMessage | undefined {
    try {
      return readOwnRequest(record)
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      counts.unreadable++
      const { topic, partition, offset } = record
      const exchangeId = record.headers[headerNames.exchangeId]
      log.error(
        { event: 'unreadable', provider, topic, partition, offset, exchangeId, reason: error.message },
        'a record is not a request; it is passed over',
      )
      return undefined
    }
  }

  /** A reply topic that is not ours could never be written to: the record would be tried for ever. */
  function readOwnRequest(record: IncomingRecord): RequestMessage {
    const request = readRequest(record)
    if (request.replyTopic !== replyTopic(provider) || request.replyPartition >= replyPartitions)
      throw new MessageError('the reply is wanted where this provider does not write')
    return request
  }

  /** From its beginning, so that a second delivery waits for the first instead of executing it again. */
  function keep(exchangeId: ExchangeId, reply: Promise<OutgoingRecord>): void {
    kept.set(exchangeId, reply)
    if (kept.size <= repliesKeptMax) return
    const oldest = kept.keys().next().value
    if (oldest !== undefined) kept.delete(oldest)
  }

  const reader = bus.work({
    topic: requestTopic(provider),
    group: adapterGroup(provider),
    poolSize,
    heldMax: poolSize * 4,
    handle,
    onState: state => {
      isWorking = state === 'working'
      log.info({ event: 'host', provider, state })
    },
  })
  return {
    ready: reader.ready.then(() => {
      isWorking = true
    }),
    provider,
    counts,
    get isWorking() {
      return isWorking
    },
    async stop() {
      isWorking = false
      await reader.stop()
      stopping.abort()
    },
  }
}

/** Decides what the one reply says. Never throws: whatever a handler does becomes a typed failure. */
async function answer(
  request: RequestMessage,
  { routes, log, now, clock, provider }: HostOptions,
  startedMs: number,
  stopping: AbortSignal,
): Promise<Outcome> {
  const waitedMs = Math.max(0, now() - request.acceptedMs)
  const took = (): { waitedMs: number; handledMs: number } => ({ waitedMs, handledMs: round(clock() - startedMs) })
  const failed = (code: string): Outcome => ({ outcome: 'failed', code, ...took() })
  const remainingMs = request.deadlineMs - now()
  if (remainingMs <= 0) return { outcome: 'expired', ...took() }
  const route = routes.find(
    ({ service }) => service.requestType === request.type && service.hash === request.contractHash,
  )
  if (route === undefined) return failed('CONTRACT_UNKNOWN' satisfies HostFailure)
  if (route.service.checkRequest(request.data) !== undefined) return failed('REQUEST_INVALID' satisfies HostFailure)
  try {
    const data = await callHandler(route.handler, request, remainingMs, stopping)
    if (data === undefined) return failed('HANDLER_TIMEOUT' satisfies HostFailure)
    const faults = route.service.checkReply(data)
    if (faults === undefined) return { outcome: 'answered', data, ...took() }
    log.error(
      { event: 'reply-invalid', provider, exchangeId: request.exchangeId, faults },
      'a handler’s reply breaks its contract',
    )
    return failed('REPLY_INVALID' satisfies HostFailure)
  } catch (error) {
    if (error instanceof AdapterFailure && isContractual(error.code, route.service)) return failed(error.code)
    log.error(
      { event: 'handler-failed', provider, exchangeId: request.exchangeId, ...whereThrown(error) },
      'a handler threw',
    )
    return failed('HANDLER_FAILED' satisfies HostFailure)
  }
}

const isContractual = (code: string, { contract }: Service): boolean =>
  contract.errors.some(error => error.code === code)

/** Kind and place of a handler's error. Its message is the provider's, and may name the person asked about. */
function whereThrown(error: unknown): { kind: string; frames: string[] } {
  if (!(error instanceof Error)) return { kind: typeof error, frames: [] }
  const frames = (error.stack ?? '').split('\n').filter(line => /^ {4}at .*:\d+:\d+\)?$/.test(line))
  return { kind: error.constructor.name, frames: frames.map(line => line.trim()) }
}

/** The handler's reply, or undefined when the deadline came first. A handler that answers at once costs no timer. */
async function callHandler(
  handler: Handler,
  request: RequestMessage,
  remainingMs: number,
  stopping: AbortSignal,
): Promise<JsonObject | undefined> {
  const deadline = new AbortController()
  const { procedure, officer } = request
  const question: Question = {
    exchangeId: request.exchangeId,
    client: request.client,
    purpose: request.purpose,
    ...(procedure === undefined ? {} : { procedure }),
    ...(officer === undefined ? {} : { officer }),
    fields: new Set(request.fields),
    deadlineMs: request.deadlineMs,
    get signal() {
      return AbortSignal.any([deadline.signal, stopping])
    },
  }
  const reply = handler(request.data, question)
  if (!(reply instanceof Promise)) return reply
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, Math.min(remainingMs, timerMaxMs), undefined)
  })
  try {
    return await Promise.race([reply, late])
  } finally {
    clearTimeout(timer)
    deadline.abort()
    reply.catch(() => {}) // it lost the race: its failure was already replied to as a time-out
  }
}

function replyTo(
  request: RequestMessage,
  outcome: Outcome,
  { instance, provider, routes, now }: HostOptions,
): ReplyMessage {
  const service = routes.find(route => route.service.requestType === request.type)?.service
  return {
    exchangeId: request.exchangeId,
    type: service?.replyType ?? request.type.replace('ndx.request.', 'ndx.reply.'),
    source: `/adapter/${provider}/${instance}`,
    repliedMs: now(),
    traceparent: request.traceparent,
    contractHash: request.contractHash,
    ...outcome,
  }
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000
