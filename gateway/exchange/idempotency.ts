// The same question asked again with its Idempotency-Key is not asked twice: it is told how the first exchange stands, waits
// while that is open, and gets its answer. The index is in the counters; where it may have forgotten, the ledger is asked.
import { type ExchangeId, publishWithinMs } from '#bus/message.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { type Beginning, type Counters } from '../counters/counters.ts'
import { type GuessParts, settleGuess } from './guesses.ts'
import { type Acceptance, type Answer, type IdempotencyDigests, type Inquiry, isAsync, patienceMs } from './inquiry.ts'
import { isKnown, type Ledger } from './ledger.ts'
import { replyTimeout } from './pending.ts'
import { placeOf, type RecordedReplyParts, readRecordedReply } from './recorded-reply.ts'
import { recallExchange } from './remembered.ts'
import { failureOfStatus } from './status.ts'
import { type Trail } from './trail.ts'

export interface IdempotencyParts extends RecordedReplyParts, GuessParts {
  ledger: Ledger
  counters: GuessParts['counters'] & Pick<Counters, 'begin' | 'takeOver' | 'clientOf'>
  /** Epoch ms on the road's clock. */
  roadNow(): number
}

/** An exchange as the index or the ledger remembers it. */
interface First {
  exchangeId: string
  beganMs: number
  deadlineMs: number
}

const defaultHours = 24
const hourMs = 3_600_000
/** A question that was not sent by now is void; clocks and the ledger's reading get this much more. */
const graceMs = 2_000
/** Of two that take one key over at once, one comes too late and looks again. */
const attemptsMax = 3

/** undefined: this exchange is the first with its key, and goes on. */
export async function joinFirst(
  inquiry: Inquiry & { idempotency: IdempotencyDigests },
  trail: Trail,
  parts: IdempotencyParts,
): Promise<Answer | Acceptance | undefined> {
  const beginning = beginningOf(inquiry, trail, parts)
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const first = await findFirst(beginning, inquiry, parts)
    if (first === undefined) return undefined
    const status = await parts.ledger.status(first.exchangeId, {
      waitMs: patienceMs(inquiry),
      isExpected: parts.roadNow() < first.deadlineMs,
    })
    const isOurs = isKnown(status) && status.client === inquiry.agreement.client && status.state !== 'refused'
    if (isOurs) return tellFirst(status, inquiry, trail, parts)
    const cameNeverAbout = isKnown(status) || status.caughtUpMs > voidFromMs(first) + graceMs
    if (!cameNeverAbout) return tellUnknown(first, inquiry, trail, parts)
    const again = beginningOf(inquiry, trail, parts)
    if (!(await parts.counters.takeOver(again, first.exchangeId))) continue
    // It may have ended before it could ask the ledger what the index had forgotten.
    if ((await findForgotten(again, again.beganMs, inquiry, parts)) === undefined) return undefined
  }
  throw replyTimeout()
}

/** What was not on its topic by then is never executed. */
const voidFromMs = ({ beganMs, deadlineMs }: First): number => Math.min(deadlineMs, beganMs + publishWithinMs)

function beginningOf({ agreement, service, idempotency }: Inquiry, trail: Trail, parts: IdempotencyParts): Beginning {
  const { deadlineMs, limits } = service.contract
  const beganMs = parts.roadNow()
  trail.beganMs = beganMs
  return {
    client: agreement.client,
    service: service.contract.id,
    ...(idempotency as IdempotencyDigests),
    exchangeId: trail.exchangeId,
    beganMs,
    deadlineMs: beganMs + deadlineMs,
    windowMs: (limits.idempotencyHours ?? defaultHours) * hourMs,
  }
}

async function findFirst(beginning: Beginning, inquiry: Inquiry, parts: IdempotencyParts): Promise<First | undefined> {
  const begun = await parts.counters.begin(beginning)
  if (begun.state === 'other') throw keyReused()
  if (begun.state === 'same') return begun.exchangeId === beginning.exchangeId ? undefined : begun
  if (begun.rememberedSinceMs <= beginning.beganMs - beginning.windowMs) return undefined
  const readUntilMs = begun.isAlone ? beginning.beganMs : begun.rememberedSinceMs + publishWithinMs + graceMs
  return findForgotten(beginning, readUntilMs, inquiry, parts)
}

/**
 * The index is younger than the window: the ledger knows what was begun before, once it has read past all that a gateway may
 * still have had in hand. An effect is not risked without it.
 */
async function findForgotten(
  beginning: Beginning,
  readUntilMs: number,
  { service }: Inquiry,
  { ledger, counters }: IdempotencyParts,
): Promise<First | undefined> {
  const isEffect = service.contract.mode === 'effect'
  const found = await ledger.byKey(beginning, isEffect ? readUntilMs : 0).catch(error => {
    if (isEffect) throw error
    return undefined
  })
  if (found?.body === undefined) return undefined
  const { exchangeId, body, acceptedMs = beginning.beganMs, deadlineMs = beginning.deadlineMs } = found
  await counters.takeOver({ ...beginning, exchangeId, body, beganMs: acceptedMs, deadlineMs }, beginning.exchangeId)
  if (body !== beginning.body) throw keyReused()
  return { exchangeId, beganMs: acceptedMs, deadlineMs }
}

/** The ledger has not read of it: it is on its way, perhaps in another gateway, or was told 202 a moment ago. */
async function tellUnknown(
  { exchangeId }: First,
  { agreement, service, preference }: Inquiry,
  trail: Trail,
  { counters }: IdempotencyParts,
): Promise<Acceptance> {
  trail.first = exchangeId as ExchangeId
  const remembered = isAsync(preference) ? await recallExchange(exchangeId, agreement.client, counters) : undefined
  if (remembered?.is !== 'accepted') throw replyTimeout()
  trail.outcome = 'accepted'
  return { exchangeId: trail.first, service: service.contract.id, outcome: 'accepted' }
}

async function tellFirst(
  status: ExchangeStatus,
  inquiry: Inquiry,
  trail: Trail,
  parts: IdempotencyParts,
): Promise<Answer | Acceptance> {
  const exchangeId = status.exchangeId as ExchangeId
  trail.first = exchangeId
  const named = { exchangeId, service: inquiry.service.contract.id }
  if (status.state === 'accepted') {
    if (!isAsync(inquiry.preference)) throw replyTimeout()
    trail.outcome = 'accepted'
    return { ...named, outcome: 'accepted' }
  }
  if (status.state !== 'answered') throw failureOfStatus(status, parts.findByHash(status.contractHash ?? ''))
  const told = await readRecordedReply(status, inquiry.agreement, parts)
  trail.outcome = 'answered'
  if (told === undefined) return { ...named, outcome: 'answered', replyGone: true }
  const { service, reply, fields, withheld } = told
  const { client, subject = '' } = status
  await settleGuess(reply, exchangeId, { client, subject, service }, parts)
  trail.fields = fields
  if (withheld.length > 0) trail.withheld = withheld
  if (status.reply !== undefined) trail.reply = placeOf(status.reply)
  return { ...named, outcome: 'answered', reply }
}

const keyReused = (): ExchangeError => new ExchangeError('NDX_IDEMPOTENCY_KEY_REUSED')
