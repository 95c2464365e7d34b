// One exchange, in order: may it be asked, is there room for it, was it asked before, does the provider stand it, is the road
// open, send, wait, release. Knows neither HTTP, Kafka nor Redis: they are arguments. Every way out but an answer and an
// acceptance is an ExchangeError; the trail says how far it came.
import { ExchangeError } from '#contracts/errors.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Pseudonyms } from '#runtime/pseudonyms.ts'
import { type Counters } from '../counters/counters.ts'
import { admit } from './admission.ts'
import { agreementOf, authorize } from './authorize.ts'
import { busUnavailable, type DispatchParts, dispatch } from './dispatch.ts'
import { demandEvidence, type Evidence } from './evidence.ts'
import { type Guess, giveGuessBack, settleGuess } from './guesses.ts'
import { type IdempotencyParts, joinFirst } from './idempotency.ts'
import {
  type Acceptance,
  type Answer,
  type Granted,
  type IdempotencyDigests,
  type Inquiry,
  isAsync,
  patienceMs,
} from './inquiry.ts'
import { type Intake } from './intake.ts'
import { replyTimeout } from './pending.ts'
import { enter, outcomeOf, type ProtectionParts } from './protection.ts'
import { releaseOrReport } from './release.ts'
import { rememberExchange } from './remembered.ts'
import { type Trail } from './trail.ts'

export interface ExchangeParts extends DispatchParts, ProtectionParts, Omit<IdempotencyParts, 'road' | 'counters'> {
  counters: Counters
  pseudonyms: Pseudonyms
  intake: Pick<Intake, 'hold'>
  evidence: Evidence
  road: DispatchParts['road'] & IdempotencyParts['road']
}

export async function exchange(inquiry: Inquiry, trail: Trail, parts: ExchangeParts): Promise<Answer | Acceptance> {
  const { service } = inquiry
  describe(inquiry, trail, parts)
  const granted = authorizeOrRefuse(inquiry, trail, parts)
  demandEvidence(service, parts.evidence)
  await parts.intake.hold(admit(inquiry, granted.grant, trail, parts))
  if (inquiry.idempotency !== undefined) {
    const first = await joinOrGiveBack({ ...inquiry, idempotency: inquiry.idempotency }, trail, parts)
    if (first !== undefined) return first
  }
  const reply = await askOrGiveBack(inquiry, granted, trail, parts)
  if (reply === undefined) return accept(inquiry, trail, parts)
  await countGuess(reply, inquiry, trail, parts)
  trail.outcome = 'answered'
  return { exchangeId: trail.exchangeId, service: service.contract.id, outcome: 'answered', reply }
}

/** An answer whose guess cannot be counted now is not told now: its client learns it at its status. It was sent, so it is no refusal. */
async function countGuess(reply: JsonObject, inquiry: Inquiry, trail: Trail, parts: ExchangeParts): Promise<void> {
  try {
    await settleGuess(reply, trail.exchangeId, guessOf(inquiry, trail), parts)
  } catch (error) {
    if (error instanceof ExchangeError && error.code === 'NDX_COUNTERS_UNAVAILABLE') throw replyTimeout(error)
    throw error
  }
}

/** Nobody waits any more. An answer told later is admitted then, so that no guess is held for it. */
async function accept(inquiry: Inquiry, trail: Trail, parts: ExchangeParts): Promise<Acceptance> {
  const { agreement, service } = inquiry
  giveGuessBack(guessOf(inquiry, trail), parts)
  await rememberExchange(trail, agreement.client, parts)
  trail.outcome = 'accepted'
  return { exchangeId: trail.exchangeId, service: service.contract.id, outcome: 'accepted' }
}

/** Asked again, the guess held for this question is not used up: the first one's was. */
async function joinOrGiveBack(
  inquiry: Inquiry & { idempotency: IdempotencyDigests },
  trail: Trail,
  parts: ExchangeParts,
): Promise<Answer | Acceptance | undefined> {
  try {
    const first = await joinFirst(inquiry, trail, parts)
    if (first !== undefined) giveGuessBack(guessOf(inquiry, trail), parts)
    return first
  } catch (error) {
    await giveBack(inquiry, trail, parts)
    throw error
  }
}

async function askOrGiveBack(
  inquiry: Inquiry,
  granted: Granted,
  trail: Trail,
  parts: ExchangeParts,
): Promise<JsonObject | undefined> {
  try {
    return await askProvider(inquiry, granted, trail, parts)
  } catch (error) {
    await giveBack(inquiry, trail, parts)
    throw error
  }
}

/**
 * After a failure: a guess that taught the client nothing, and a key whose exchange never came about. While the outcome is
 * unknown both stay, for its reply may still come.
 */
async function giveBack(inquiry: Inquiry, trail: Trail, parts: ExchangeParts): Promise<void> {
  const { agreement, service, idempotency } = inquiry
  const isUnknown = trail.dispatched === true && trail.repliedAfterMs === undefined
  if (!isUnknown) giveGuessBack(guessOf(inquiry, trail), parts)
  if (idempotency === undefined || trail.dispatched === true) return
  await parts.counters.forget(agreement.client, service.contract.id, idempotency.key, trail.exchangeId).catch(() => {})
}

async function askProvider(
  inquiry: Inquiry,
  { grant, fields }: Granted,
  trail: Trail,
  parts: ExchangeParts,
): Promise<JsonObject | undefined> {
  const { service } = inquiry
  const passage = enter(inquiry, grant, parts)
  try {
    if (!parts.road.isOpen) throw busUnavailable()
    if (inquiry.isGone() && !isAsync(inquiry.preference)) throw new ExchangeError('NDX_CLIENT_GONE')
    const record = await dispatch(inquiry, fields, trail, parts)
    if (record === undefined) {
      passage.end('unasked')
      return undefined
    }
    trail.repliedAfterMs = parts.clock() - trail.startedMs
    trail.reply = `${record.topic}/${record.partition}/${record.offset}`
    const { message, reply, withheld } = releaseOrReport(record, service, fields, (incident, facts) =>
      parts.onIncident({ incident, exchangeId: trail.exchangeId, provider: service.providerId, facts }),
    )
    trail.waitedMs = message.waitedMs
    trail.handledMs = message.handledMs
    if (withheld.length > 0) trail.withheld = withheld
    passage.end('ok')
    return reply
  } catch (error) {
    const isAsked = trail.publishedAfterMs !== undefined
    passage.end(isAsked ? outcomeOf(error, { wasDue: patienceMs(inquiry) >= service.contract.deadlineMs }) : 'unasked')
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

function authorizeOrRefuse(inquiry: Inquiry, trail: Trail, parts: ExchangeParts): Granted {
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

const guessOf = ({ agreement, service }: Inquiry, trail: Trail): Guess => ({
  client: agreement.client,
  subject: trail.subject as string,
  service,
})
