// Puts a question on its topic and waits for the reply as long as its client does. Accepted is what was acknowledged there: no
// 202 before that; and only what surely was not written is refused. Everything between is unknown.
import { type IncomingRecord, type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { writeRequest } from '#bus/message.ts'
import { replyTopic, requestTopic } from '#bus/topics.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type Inquiry, isAsync, patienceMs } from './inquiry.ts'
import { type Pending, replyTimeout } from './pending.ts'
import { type Trail } from './trail.ts'

export interface DispatchParts {
  pending: Pending
  road: {
    readonly isOpen: boolean
    publish(topic: string, record: OutgoingRecord): Promise<void>
  }
  /** Epoch ms on the road's clock: deadlines are its. */
  roadNow(): number
  /** Monotonic ms. */
  clock(): number
  /** `/gateway/<instance>` */
  source: string
  replyPartition: number
}

/** A publish settles within seconds; past this its outcome is unknown anyway. */
const publishTimeoutMs = 15_000

/** The reply, or undefined: accepted, and its client waits no longer. */
export function dispatch(
  inquiry: Inquiry,
  fields: readonly string[],
  trail: Trail,
  parts: DispatchParts,
): Promise<IncomingRecord | undefined> {
  const { service } = inquiry
  const { exchangeId } = trail
  // Of a key that was begun: the deadline it was begun with, or whoever takes it over could meet this one.
  const acceptedMs = trail.beganMs ?? parts.roadNow()
  const waitMs = patienceMs(inquiry)
  const clockMs = parts.clock()
  trail.decidedAfterMs = clockMs - trail.startedMs
  const reply = parts.pending.open(exchangeId, service.providerId, clockMs + (waitMs || publishTimeoutMs))
  trail.dispatched = true
  const message = {
    ...requestFacts(inquiry, trail),
    acceptedMs,
    deadlineMs: acceptedMs + service.contract.deadlineMs,
    fields,
    source: parts.source,
    replyPartition: parts.replyPartition,
  }
  // Reading twice in any order gives the same; only what changes something needs one order for one subject.
  const record = writeRequest(message, { isOrdered: service.contract.mode === 'effect' })
  const published = parts.road.publish(requestTopic(service.providerId), record).then(
    () => {
      trail.publishedAfterMs = parts.clock() - trail.startedMs
      if (waitMs === 0) parts.pending.fail(exchangeId, replyTimeout())
      return undefined
    },
    (cause: unknown) => {
      const isRefused = cause instanceof PublishError && cause.surelyNotWritten
      const failure = isRefused ? busUnavailable(cause) : replyTimeout()
      if (isRefused) trail.dispatched = false
      if (isRefused || waitMs === 0) parts.pending.fail(exchangeId, failure)
      return failure
    },
  )
  return isAsync(inquiry.preference) ? replyOrAcceptance(reply, published, waitMs > 0) : reply
}

export const busUnavailable = (cause?: unknown): ExchangeError =>
  new ExchangeError('NDX_BUS_UNAVAILABLE', { retryAfterSeconds: 5 }, { cause })

/** `published`: what went wrong with it, if anything. Who does not wait at all gets no reply, not even one that was quicker. */
async function replyOrAcceptance(
  reply: Promise<IncomingRecord>,
  published: Promise<ExchangeError | undefined>,
  isWaiting: boolean,
): Promise<IncomingRecord | undefined> {
  try {
    const record = await reply
    if (isWaiting) return record
  } catch (error) {
    if (!(error instanceof ExchangeError && error.code === 'NDX_REPLY_TIMEOUT')) throw error
  }
  const failure = await published
  if (failure !== undefined) throw failure
  return undefined
}

function requestFacts(
  { agreement, service, purpose, procedure, request, preference, idempotency }: Inquiry,
  trail: Trail,
) {
  return {
    exchangeId: trail.exchangeId,
    type: service.requestType,
    replyTopic: replyTopic(service.providerId),
    traceparent: trail.traceparent,
    client: agreement.client,
    purpose,
    ...(procedure === undefined ? {} : { procedure }),
    ...(trail.officer === undefined ? {} : { officer: trail.officer }),
    subject: trail.subject as string,
    agreement: trail.agreement as string,
    contractHash: service.hash,
    ...(preference.respondAsync && agreement.callback !== undefined ? { callback: true } : {}),
    ...(idempotency === undefined ? {} : { idempotency }),
    ...(trail.parent === undefined ? {} : { parent: trail.parent }),
    data: request,
  }
}
