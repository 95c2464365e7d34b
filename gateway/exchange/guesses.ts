// Guessing is bounded: a mismatch about a person is counted before it is told, and past the day's budget neither yes nor no is
// told, since a refusal that follows only a no would be a no. A question under way holds a guess until its answer is told.
import { type ExchangeId } from '#bus/message.ts'
import { type ClientId, type Service, type ServiceId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Counters } from '../counters/counters.ts'
import { quotaDay, secondsLeft } from '../counters/quota-day.ts'

export interface GuessParts {
  counters: Pick<Counters, 'admit' | 'countMismatch' | 'releaseGuess'>
  /** Epoch ms. */
  now(): number
}

/** Whose guess, about whom (a pseudonym), asked of which service. */
export interface Guess {
  client: ClientId
  subject: string
  service: Service
}

export const isGuessing = ({ contract }: Service): boolean =>
  contract.mode === 'match' && contract.limits.mismatchesPerSubjectPerDay !== undefined

/** Before an answer is told for which a guess is held. Were the counters away, each guess would be free: it throws. */
export async function settleGuess(
  reply: JsonObject,
  exchangeId: ExchangeId,
  guess: Guess,
  parts: GuessParts,
): Promise<void> {
  if (!isGuessing(guess.service)) return
  if (reply['matched'] === false) await countMismatch(exchangeId, guess, parts)
  else giveGuessBack(guess, parts)
}

/** Before an answer is told that nobody waited for: no guess is held for it, so that it is admitted now. */
export async function settleLateGuess(
  reply: JsonObject,
  exchangeId: ExchangeId,
  guess: Guess,
  parts: GuessParts,
): Promise<void> {
  const { client, subject, service } = guess
  if (!isGuessing(service)) return
  if (reply['matched'] === false) return countMismatch(exchangeId, guess, parts)
  const { violated } = await parts.counters.admit({
    client,
    service: `${service.contract.id}#told` as ServiceId,
    day: quotaDay(parts.now()),
    ...withoutRate,
    guesses: { subject, max: budgetOf(service) },
  })
  if (violated === 'guesses') throw guessesExceeded(service, parts)
}

/** Only the guesses are asked about. */
const withoutRate = { ratePerSecond: 100_000, burst: 100_000 }

/** Not awaited; a hold lapses by itself. */
export function giveGuessBack({ client, subject, service }: Guess, { counters, now }: GuessParts): void {
  if (isGuessing(service)) counters.releaseGuess(client, subject, quotaDay(now())).catch(() => {})
}

export function guessesExceeded(service: Service, { now }: Pick<GuessParts, 'now'>): ExchangeError {
  return new ExchangeError('NDX_GUESSES_EXCEEDED', {
    retryAfterSeconds: secondsLeft(quotaDay(now()), now()),
    detail: `The contract allows ${budgetOf(service)} mismatches a day for one subject.`,
  })
}

/** The same exchange counts once, however often it is told. */
async function countMismatch(
  exchangeId: ExchangeId,
  { client, subject, service }: Guess,
  parts: GuessParts,
): Promise<void> {
  const mismatches = await parts.counters.countMismatch(client, subject, quotaDay(parts.now()), exchangeId)
  if (mismatches > budgetOf(service)) throw guessesExceeded(service, parts)
}

const budgetOf = ({ contract }: Service): number => contract.limits.mismatchesPerSubjectPerDay as number
