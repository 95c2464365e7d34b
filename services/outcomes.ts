// What the last questions came to, so that a record delivered again gets the same reply and is not executed again. By exchange id,
// from the beginning of the execution on: a second delivery waits for the first.
import { type DeadLetter } from '#bus/dead-letter.ts'
import { type ExchangeId, type ReplyMessage } from '#bus/message.ts'
import { type ServiceId } from '#contracts/contract.ts'

/** The message, not its record: each delivery says where it wants its reply. */
export type Outcome =
  | { deferredService: ServiceId }
  | { message: ReplyMessage; letter?: DeadLetter; isLetterWritten: boolean }

interface Kept {
  deadlineMs: number
  outcome: Promise<Outcome>
}

interface Asked {
  exchangeId: ExchangeId
  deadlineMs: number
}

/** A redelivered record is at most some seconds old. So many are kept at least, twice as many at most. */
const keptMin = 5_000

export class Outcomes {
  #young = new Map<ExchangeId, Kept>()
  /** Given up as a whole: a map that loses its oldest entry for each new one walks over the holes they leave. */
  #old = new Map<ExchangeId, Kept>()

  /** Runs it, unless it was run. `run` must not reject. */
  async once(
    { exchangeId, deadlineMs }: Asked,
    run: () => Promise<Outcome>,
  ): Promise<{ outcome: Outcome; isRepeated: boolean }> {
    for (let before = this.#find(exchangeId); before !== undefined; before = this.#find(exchangeId)) {
      const outcome = await before.outcome
      if (holdsFor(deadlineMs, outcome, before)) return { outcome, isRepeated: true }
      if (this.#find(exchangeId) === before) this.#forget(exchangeId)
    }
    const outcome = run()
    this.#keep(exchangeId, { deadlineMs, outcome })
    return { outcome: await outcome, isRepeated: false }
  }

  #find(exchangeId: ExchangeId): Kept | undefined {
    return this.#young.get(exchangeId) ?? this.#old.get(exchangeId)
  }

  #forget(exchangeId: ExchangeId): void {
    this.#young.delete(exchangeId)
    this.#old.delete(exchangeId)
  }

  #keep(exchangeId: ExchangeId, one: Kept): void {
    this.#young.set(exchangeId, one)
    if (this.#young.size < keptMin) return
    this.#old = this.#young
    this.#young = new Map()
  }
}

/**
 * An answer holds for ever. A failure holds for the deadline it was asked with: an operator's replay comes with a new one. What
 * was deferred is the register's to know.
 */
const holdsFor = (deadlineMs: number, outcome: Outcome, before: Kept): boolean =>
  'message' in outcome && (outcome.message.outcome === 'answered' || before.deadlineMs === deadlineMs)
