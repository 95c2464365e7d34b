// Which records of one partition a member has in hand, and up to where it may commit: an offset is safe when every record
// below it is finished, whatever order they finished in. Offsets are numbers: exact up to 2^53, which no partition reaches.
import { Fifo } from '#bus/fifo.ts'

/** A record in hand. Marked by whoever finished it, through `finish`. */
export interface Held {
  readonly offset: number
  isFinished: boolean
}

export class OffsetTracker {
  readonly #held = new Fifo<Held>()
  #next: number
  #highest: number
  #isClosed = false

  /** @param start the offset reading begins at: everything below is finished */
  constructor(start: number) {
    this.#next = start
    this.#highest = start - 1
  }

  /** What to commit: the lowest offset not finished. */
  get next(): number {
    return this.#next
  }

  /** The highest offset ever taken in hand; what is read again up to here is in hand already. */
  get highest(): number {
    return this.#highest
  }

  /** The partition is another member's now: what is in hand is not to be begun any more, and nothing is to be committed. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  close(): void {
    this.#isClosed = true
  }

  /** Offsets must rise; gaps are fine (a log may have lost records to compaction). */
  add(held: Held): void {
    if (held.offset <= this.#highest) throw new RangeError(`offset ${held.offset} after ${this.#highest}`)
    this.#held.push(held)
    this.#highest = held.offset
  }

  finish(held: Held): void {
    held.isFinished = true
    if (this.#held.peek() !== held) return
    while (this.#held.peek()?.isFinished) this.#held.shift()
    this.#next = this.#held.peek()?.offset ?? this.#highest + 1
  }
}
