// Partitions read in step: what was written at one time is read at about one time and handed on in that order, whichever topic and
// broker it is on, so that whoever follows need not hold a half of it until the other half comes. Only after a pause does this
// matter, when thousands of records wait on each partition: at their ends all are read at once. A part that cannot be read, or whose
// broker does not answer, is not waited for.
import { type FetchedPartition } from './fetch-response.ts'
import { type Placed } from './placed-part.ts'

/** A broker that answers nothing for so long holds nobody up. */
const stalledMs = 1_000

export class Step {
  readonly #stepMs: number
  readonly #now: () => number

  /**
   * @param stepMs how far a part may be read ahead of another, by the time of writing
   * @param now monotonic, ms
   */
  constructor(stepMs: number, now: () => number) {
    this.#stepMs = stepMs
    this.#now = now
  }

  /** Those of one broker's parts to be asked for now. None: others are behind; look again in a moment. */
  choose(mine: readonly Placed[], all: readonly Placed[]): Placed[] {
    let behindMs = Number.POSITIVE_INFINITY
    for (const placed of all) if (this.#counts(placed)) behindMs = Math.min(behindMs, readMsOf(placed))
    const asked: Placed[] = []
    for (const placed of mine) {
      const isDue = placed.readMs === null || placed.readMs <= behindMs + this.#stepMs
      placed.isAsked = isDue
      placed.pendingSinceMs = isDue ? this.#now() : null
      if (isDue) asked.push(placed)
    }
    return asked
  }

  /**
   * A part's answer, when its records are handed over.
   * @param sentMs when the fetch was sent, by the clock of the records
   * @param isFirst the broker filled its answer from this part on: that it gave nothing is not for want of room
   */
  reached(placed: Placed, fetched: FetchedPartition, { sentMs, isFirst }: { sentMs: number; isFirst: boolean }): void {
    const { records, nextOffset, highWatermark } = fetched
    const last = records.at(-1)
    placed.pendingSinceMs = null
    placed.isAtEnd = (placed.part.position ?? 0) >= highWatermark
    if (placed.isAtEnd || (nextOffset === 0 && isFirst)) placed.readMs = sentMs
    // A time that is still to come must not make it wait for the others until then.
    else if (last !== undefined) placed.readMs = Math.min(last.timestampMs, sentMs)
  }

  /** What was written up to then is read of all parts: it may be handed on. */
  readUpToMs(all: readonly Placed[]): number {
    let readUpToMs = Number.POSITIVE_INFINITY
    for (const placed of all) {
      const isReadToItsEnd = placed.isAtEnd && placed.isAsked
      if (this.#counts(placed) && !isReadToItsEnd) readUpToMs = Math.min(readUpToMs, readMsOf(placed))
    }
    return readUpToMs
  }

  #counts({ leader, pendingSinceMs }: Placed): boolean {
    return leader !== null && (pendingSinceMs === null || this.#now() - pendingSinceMs < stalledMs)
  }
}

/** Before all time, and a number to which a step can be added. */
const never = -Number.MAX_VALUE
const readMsOf = ({ readMs }: Placed): number => readMs ?? never
