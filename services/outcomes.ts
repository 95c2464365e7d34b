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

/** A redelivered record is at most some seconds old. */
const keptMax = 10_000

export class Outcomes {
  readonly #kept = new Map<ExchangeId, Kept>()

  /** Runs it, unless it was run. `run` must not reject. */
  async once(
    { exchangeId, deadlineMs }: Asked,
    run: () => Promise<Outcome>,
  ): Promise<{ outcome: Outcome; isRepeated: boolean }> {
    for (let before = this.#kept.get(exchangeId); before !== undefined; before = this.#kept.get(exchangeId)) {
      const outcome = await before.outcome
      if (holdsFor(deadlineMs, outcome, before)) return { outcome, isRepeated: true }
      if (this.#kept.get(exchangeId) === before) this.#kept.delete(exchangeId)
    }
    const outcome = run()
    this.#keep(exchangeId, { deadlineMs, outcome })
    return { outcome: await outcome, isRepeated: false }
  }

  #keep(exchangeId: ExchangeId, one: Kept): void {
    this.#kept.set(exchangeId, one)
    if (this.#kept.size <= keptMax) return
    const oldest = this.#kept.keys().next().value
    if (oldest !== undefined) this.#kept.delete(oldest)
  }
}

/**
 * An answer holds for ever. A failure holds for the deadline it was asked with: an operator's replay comes with a new one. What
 * was deferred is the register's to know.
 */
const holdsFor = (deadlineMs: number, outcome: Outcome, before: Kept): boolean =>
  'message' in outcome && (outcome.message.outcome === 'answered' || before.deadlineMs === deadlineMs)
