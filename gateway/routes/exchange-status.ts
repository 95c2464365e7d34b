// GET /v1/exchanges/{id}: how an exchange stands, for the client that asked it; Prefer: wait=n holds the connection while it is
// open. GET /v1/exchanges/{id}/events: the same as server-sent events, until it is settled or the stream's time is over.
import { Readable } from 'node:stream'
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type ExchangeId } from '#bus/message.ts'
import { type Agreement } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { type AuditLog } from '../audit-log.ts'
import { placeOf } from '../exchange/recorded-reply.ts'
import { describeStatus, findStatus, type Standing, type StatusParts } from '../exchange/status.ts'
import { type Trail } from '../exchange/trail.ts'
import { type ClientLimits, limitClient } from '../limits/client-limits.ts'
import { describeApplied, fieldOf, parsePrefer } from '../prefer.ts'
import { toProblem } from '../problem.ts'

export interface StatusRouteParts {
  exchangeParts: StatusParts
  auditLog: AuditLog
  clientLimits: ClientLimits
  /** Clients that follow an exchange now; shared with a metric. */
  streams: { open: number }
  isStopping(): boolean
  clock(): number
}

const waitSecondsMax = 30
const streamsMax = 500
/** A stream's time: past it the client connects anew, and is authenticated anew. */
const streamMs = 600_000
/** Longest silence of a stream; proxies close what is silent for longer. */
const heartbeatMs = 15_000

export function exchangeStatusRoutes(app: FastifyInstance, parts: StatusRouteParts): void {
  const { exchangeParts } = parts
  const onRequest = [app.authenticate('exchange'), limitClient(parts.clientLimits.reading)]
  app.get('/v1/exchanges/:exchangeId', { onRequest }, async (request, reply) => {
    const preference = parsePrefer(fieldOf(request.headers['prefer']))
    const waitMs = Math.min(preference.waitSeconds ?? 0, waitSecondsMax) * 1000
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const status = await findStatus(
      idOf(request),
      request.agreement.client,
      { waitMs, signal: gone.signal },
      exchangeParts,
    )
    const standing = await tell(status, request, parts)
    const applied = describeApplied(preference, { isAccepted: false, waitSecondsMax })
    if (applied !== undefined) reply.header('preference-applied', applied)
    if (standing.outcome === 'accepted') reply.header('retry-after', standing.deferred ? '30' : '1')
    return reply.header('cache-control', 'no-store').send(standing)
  })
  app.get('/v1/exchanges/:exchangeId/events', { onRequest }, async (request, reply) => {
    if (parts.streams.open >= streamsMax) throw new ExchangeError('NDX_GATEWAY_OVERLOADED', { retryAfterSeconds: 5 })
    const status = await findStatus(idOf(request), request.agreement.client, { waitMs: 0 }, exchangeParts)
    return follow(status, request, reply, parts)
  })
}

const idOf = ({ params }: FastifyRequest): string => (params as { exchangeId: string }).exchangeId

/** What is released of an answer is written down each time. */
async function tell(
  status: ExchangeStatus,
  { trail, agreement }: { trail: Trail; agreement: Agreement },
  { exchangeParts, auditLog }: StatusRouteParts,
): Promise<Standing> {
  const { standing, told } = await describeStatus(status, agreement, exchangeParts)
  if (told === undefined) return standing
  const { service, fields, withheld } = told
  Object.assign(trail, {
    first: status.exchangeId as ExchangeId,
    service: service.contract.id,
    provider: service.providerId,
    version: service.contract.version,
    subject: status.subject,
    agreement: status.agreement,
    outcome: 'answered',
    status: 200,
    fields,
    ...(withheld.length > 0 ? { withheld } : {}),
    ...(status.reply === undefined ? {} : { reply: placeOf(status.reply) }),
  })
  await auditLog.tellAgain(trail)
  return standing
}

function follow(
  status: ExchangeStatus,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: StatusRouteParts,
): FastifyReply {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  parts.streams.open += 1
  reply.raw.once('close', () => {
    parts.streams.open -= 1
  })
  return (
    reply
      .header('cache-control', 'no-store')
      // A connection kept alive past its stream would keep a stop waiting.
      .header('connection', 'close')
      .type('text/event-stream; charset=utf-8')
      .send(Readable.from(writeEvents(status, request, gone.signal, parts), { objectMode: false }))
  )
}

/** Ends with the outcome; or without one when its time is over or the gateway stops: the client then connects anew. */
async function* writeEvents(
  first: ExchangeStatus,
  request: FastifyRequest,
  signal: AbortSignal,
  parts: StatusRouteParts,
): AsyncGenerator<string> {
  const untilMs = parts.clock() + streamMs
  const { exchangeId, client } = first
  let told: 'accepted' | 'deferred' | undefined
  let status = first
  yield 'retry: 2000\n\n'
  try {
    for (;;) {
      if (status.state !== 'accepted') return yield eventOf(status.state, await tell(status, request, parts))
      const state = status.isDeferred ? 'deferred' : 'accepted'
      if (told !== state) yield eventOf(state, await tell(status, request, parts))
      else yield ': \n\n'
      told = state
      if (signal.aborted || parts.isStopping() || parts.clock() >= untilMs) return
      status = await findStatus(
        exchangeId,
        client,
        { waitMs: heartbeatMs, signal, untilDeferred: told !== 'deferred' },
        parts.exchangeParts,
      )
    }
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error
    const problem = toProblem(error, request.trail.exchangeId)
    await parts.auditLog.conclude(request.trail, problem.status, error)
    yield eventOf('problem', problem)
  }
}

const eventOf = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
