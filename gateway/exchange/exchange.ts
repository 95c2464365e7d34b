// One exchange, in order: may it be asked, is there room for it, is the road open, send, wait, release. Knows neither HTTP,
// Kafka nor Redis: they are arguments. Every way out but the last line is an ExchangeError; the trail says how far it came.
import { type IncomingRecord, type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { type ExchangeId, type NoteMessage, writeRequest } from '#bus/message.ts'
import { replyTopic, requestTopic } from '#bus/topics.ts'
import { type Agreement, type Grant, type ProviderId, type Service, type ServiceId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Pseudonyms } from '#runtime/pseudonyms.ts'
import { type Counters } from '../counters/counters.ts'
import { quotaDay, secondsLeft } from '../counters/quota-day.ts'
import { agreementOf, authorize } from './authorize.ts'
import { type Pending } from './pending.ts'
import { type Release, releaseReply } from './release.ts'
import { type Trail } from './trail.ts'

/** A valid question: the envelope and request have passed their schemas. */
export interface Inquiry {
  agreement: Agreement
  service: Service
  purpose: string
  procedure?: string
  officer?: string
  fields?: readonly string[]
  request: JsonObject
}

export interface ExchangeParts {
  counters: Counters
  pending: Pending
  pseudonyms: Pseudonyms
  road: {
    readonly isOpen: boolean
    publish(topic: string, record: OutgoingRecord): Promise<void>
  }
  /** A provider broke a rule. Not awaited; what becomes of it is the caller's business. */
  onIncident(incident: Incident): void
  /** Epoch ms. */
  now(): number
  /** Monotonic ms. */
  clock(): number
  /** `/gateway/<instance>` */
  source: string
  replyPartition: number
}

export interface Incident {
  incident: 'ungranted-fields' | 'invalid-reply' | 'misdirected-reply'
  exchangeId: ExchangeId
  provider: ProviderId
  /** Names and codes only. */
  facts?: NoteMessage['facts']
}

export interface Answer {
  exchangeId: ExchangeId
  service: ServiceId
  outcome: 'answered'
  reply: JsonObject
}

export async function exchange(inquiry: Inquiry, trail: Trail, parts: ExchangeParts): Promise<Answer> {
  const { service } = inquiry
  describe(inquiry, trail, parts)
  const { grant, fields } = authorizeOrRefuse(inquiry, trail, parts)
  await admit(inquiry, grant, trail, parts)
  const reply = await askOrGiveBack(inquiry, fields, trail, parts)
  await settleGuess(reply, inquiry, trail, parts)
  trail.outcome = 'answered'
  return { exchangeId: trail.exchangeId, service: service.contract.id, outcome: 'answered', reply }
}

/** A guess that taught the client nothing is given back. */
async function askOrGiveBack(
  inquiry: Inquiry,
  fields: readonly string[],
  trail: Trail,
  parts: ExchangeParts,
): Promise<JsonObject> {
  try {
    return await askProvider(inquiry, fields, trail, parts)
  } catch (error) {
    giveGuessBack(inquiry, trail, parts)
    throw error
  }
}

async function askProvider(
  inquiry: Inquiry,
  fields: readonly string[],
  trail: Trail,
  parts: ExchangeParts,
): Promise<JsonObject> {
  const { service } = inquiry
  if (!parts.road.isOpen) throw new ExchangeError('NDX_BUS_UNAVAILABLE', { retryAfterSeconds: 5 })
  const record = await dispatch(inquiry, fields, trail, parts)
  trail.repliedAfterMs = parts.clock() - trail.startedMs
  const { message, reply, withheld } = releaseOrReport(record, service, fields, (incident, facts) =>
    parts.onIncident({ incident, exchangeId: trail.exchangeId, provider: service.providerId, facts }),
  )
  trail.waitedMs = message.waitedMs
  trail.handledMs = message.handledMs
  if (withheld.length > 0) trail.withheld = withheld
  return reply
}

/** A reply that breaks its contract, or says more than was granted, is an incident of the provider's. */
function releaseOrReport(
  record: IncomingRecord,
  service: Service,
  fields: readonly string[],
  report: (incident: Incident['incident'], facts: NoteMessage['facts']) => void,
): Release {
  const { topic, partition, offset } = record
  try {
    const release = releaseReply(record, service, fields)
    if (release.withheld.length > 0) report('ungranted-fields', { withheld: release.withheld })
    return release
  } catch (error) {
    if (error instanceof ExchangeError && error.code === 'NDX_REPLY_INVALID')
      report('invalid-reply', { topic, partition, offset })
    throw error
  }
}

/** What the log may know of the question. A purpose or procedure that the contract does not list could be anything. */
function describe(
  { service, purpose, procedure, officer, request }: Inquiry,
  trail: Trail,
  { pseudonyms }: ExchangeParts,
): void {
  const { contract } = service
  if (contract.purposes.some(known => known.code === purpose)) trail.purpose = purpose
  if (procedure !== undefined && contract.procedures?.some(known => known.code === procedure))
    trail.procedure = procedure
  if (officer !== undefined) trail.officer = pseudonyms.of('officer', officer)
  trail.subject = pseudonyms.of('subject', String(request[contract.subject]))
}

function authorizeOrRefuse(
  inquiry: Inquiry,
  trail: Trail,
  parts: ExchangeParts,
): { grant: Grant; fields: readonly string[] } {
  const { agreement, service, purpose, procedure, fields } = inquiry
  const authorization = authorize({
    agreement,
    contract: service.contract,
    purpose,
    ...(procedure === undefined ? {} : { procedure }),
    ...(fields === undefined ? {} : { fields }),
    nowMs: parts.now(),
  })
  trail.decision = authorization.decision
  if (authorization.grant !== undefined) trail.agreement = agreementOf(authorization.grant)
  if (authorization.decision === 'refused') throw new ExchangeError(authorization.code, authorization.facts)
  trail.fields = authorization.fields
  return authorization
}

/** One atomic decision over bucket, quota and guesses. */
async function admit(
  { agreement, service }: Inquiry,
  grant: Grant,
  trail: Trail,
  { counters, now }: ExchangeParts,
): Promise<void> {
  const { mismatchesPerSubjectPerDay } = service.contract.limits
  const { ratePerSecond, burst, quotaPerDay } = grant
  const verdict = await counters.admit({
    client: agreement.client,
    service: service.contract.id,
    day: quotaDay(now()),
    ratePerSecond,
    burst,
    ...(quotaPerDay === undefined ? {} : { quotaPerDay }),
    ...(mismatchesPerSubjectPerDay === undefined || !isGuessing(service)
      ? {}
      : {
          guesses: {
            subject: trail.subject as string,
            max: mismatchesPerSubjectPerDay,
            holdMs: service.contract.deadlineMs + 1000,
          },
        }),
  })
  trail.verdict = verdict
  if (verdict.admitted) return
  trail.decision = 'refused'
  if (verdict.violated === 'rate') {
    throw new ExchangeError('NDX_RATE_EXCEEDED', {
      retryAfterSeconds: Math.max(1, verdict.rate.resetSeconds),
      detail: `The grant allows ${ratePerSecond} a second, ${burst} at once.`,
    })
  }
  const retryAfterSeconds = secondsLeft(quotaDay(now()), now())
  if (verdict.violated === 'quota')
    throw new ExchangeError('NDX_QUOTA_EXCEEDED', {
      retryAfterSeconds,
      detail: `The grant allows ${quotaPerDay} a day.`,
    })
  throw new ExchangeError('NDX_GUESSES_EXCEEDED', {
    retryAfterSeconds,
    detail: `The contract allows ${mismatchesPerSubjectPerDay} mismatches a day for one subject.`,
  })
}

/** Sends, and waits for the reply or the deadline. Only a record that was surely not written is refused; else we wait. */
function dispatch(inquiry: Inquiry, fields: readonly string[], trail: Trail, parts: ExchangeParts) {
  const { service } = inquiry
  const { exchangeId } = trail
  const acceptedMs = parts.now()
  const deadlineMs = acceptedMs + service.contract.deadlineMs
  trail.decidedAfterMs = parts.clock() - trail.startedMs
  const waitMs = Math.min(service.contract.deadlineMs, service.contract.maxWaitMs)
  const reply = parts.pending.open(exchangeId, service.providerId, acceptedMs + waitMs)
  trail.dispatched = true
  const message = {
    ...requestFacts(inquiry, trail),
    acceptedMs,
    deadlineMs,
    fields,
    source: parts.source,
    replyPartition: parts.replyPartition,
  }
  // Reading twice in any order gives the same; only what changes something needs one order for one subject.
  const record = writeRequest(message, { isOrdered: service.contract.mode === 'effect' })
  parts.road.publish(requestTopic(service.providerId), record).then(
    () => {
      trail.publishedAfterMs = parts.clock() - trail.startedMs
    },
    (cause: unknown) => {
      if (!(cause instanceof PublishError && cause.surelyNotWritten)) return
      trail.dispatched = false
      parts.pending.fail(exchangeId, new ExchangeError('NDX_BUS_UNAVAILABLE', { retryAfterSeconds: 5 }, { cause }))
    },
  )
  return reply
}

function requestFacts({ agreement, service, purpose, procedure, request }: Inquiry, trail: Trail) {
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
    data: request,
  }
}

/** A mismatch is counted before it is told: were the counters away, each guess would be free. */
async function settleGuess(
  reply: JsonObject,
  { agreement, service }: Inquiry,
  trail: Trail,
  { counters, now }: ExchangeParts,
): Promise<void> {
  if (!isGuessing(service)) return
  const settled = [agreement.client, trail.subject as string, quotaDay(now())] as const
  if (reply['matched'] === false) await counters.countMismatch(...settled)
  else counters.releaseGuess(...settled).catch(() => {}) // the hold lapses by itself
}

/** After a failure; while the outcome is unknown the guess stays held, for its reply may still come. */
function giveGuessBack({ agreement, service }: Inquiry, trail: Trail, { counters, now }: ExchangeParts): void {
  const isUnknown = trail.dispatched === true && trail.repliedAfterMs === undefined
  if (!isGuessing(service) || isUnknown) return
  counters.releaseGuess(agreement.client, trail.subject as string, quotaDay(now())).catch(() => {})
}

const isGuessing = ({ contract }: Service): boolean =>
  contract.mode === 'match' && contract.limits.mismatchesPerSubjectPerDay !== undefined
