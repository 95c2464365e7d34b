// A partition on its way to be read: where from, how often that failed, and when it is tried again. A fault of its own is written to
// the log once, and once more when it is over; what passes by itself, such as a new leader's first moments, only when it stays.
import { type BusLog } from '#bus/log.ts'
import { type FetchedPartition } from './fetch-response.ts'
import { faultOf, isStale } from './internals.ts'

/** Where to begin: at the first record written since then, or at the oldest. */
export type Start = { sinceMs: number } | 'oldest'

export interface Part {
  readonly topic: string
  readonly partition: number
  /** The offset to read next; null until `start` is looked up. */
  position: number | null
  readonly start: Start
  /** Undefined: not known yet, so that any will do. */
  topicId?: string | undefined
  /** Of the record before the position; undefined: not known. */
  leaderEpoch?: number | undefined
}

const restMinMs = 50
const restMaxMs = 1_000
/** So often in a row before what may pass by itself is written to the log: a few seconds. */
const passingMax = 8

export class Placed {
  readonly part: Part
  /** The node it is read from; null while that is not known. */
  leader: string | null = null
  /** The fetch that last brought records of it, by number. */
  served = 0
  /** So often in a row the broker refused an offset that its log has. */
  doubts = 0
  /** When the last record that was read of it was written, or its end was asked for, epoch ms; null: nothing is known yet. */
  readMs: number | null = null
  readonly #log: BusLog
  #failures = 0
  #dueMs = 0
  #shown: string | null = null

  constructor(part: Part, log: BusLog) {
    this.part = part
    this.#log = log
  }

  /** Its fault is known to whoever reads the log. */
  get isShown(): boolean {
    return this.#shown !== null
  }

  /**
   * After a fetch, when its records are handed over.
   * @param sentMs when the fetch was sent
   * @param isFirst the broker filled its answer from this part on: that it gave nothing is not for want of room
   */
  reached(fetched: FetchedPartition, { sentMs, isFirst }: { sentMs: number; isFirst: boolean }): void {
    const { records, nextOffset, highWatermark } = fetched
    const last = records.at(-1)
    const isAtEnd = (this.part.position ?? 0) >= highWatermark
    if (isAtEnd || (nextOffset === 0 && isFirst)) this.readMs = sentMs
    // A time that is still to come must not make it wait for the others until then.
    else if (last !== undefined) this.readMs = Math.min(last.timestampMs, sentMs)
  }

  isDue(): boolean {
    return performance.now() >= this.#dueMs
  }

  /** Tried again later, and later each time. */
  rest(): void {
    this.leader = null
    this.#dueMs = performance.now() + Math.min(restMaxMs, restMinMs * 2 ** Math.min(this.#failures++, 5))
  }

  failed(error: unknown): void {
    this.rest()
    const fault = faultOf(error)
    const name = fault.type ?? fault.name
    if (name === this.#shown || (isStale(fault) && this.#failures < passingMax)) return
    this.#shown = name
    this.#log('warn', `${this.part.topic}/${this.part.partition} cannot be read: tried again`, { error: fault.error })
  }

  succeeded(): void {
    this.#failures = 0
    this.doubts = 0
    if (this.#shown === null) return
    this.#shown = null
    this.#log('info', `${this.part.topic}/${this.part.partition} is read again`)
  }
}

/**
 * Those to be read now, so that records of all parts come about in the order in which they were written: who is further on than the
 * part farthest behind by more than `stepMs` waits. Never none of some: the one farthest behind is among them.
 */
export function inStep(parts: readonly Placed[], stepMs: number): Placed[] {
  let behindMs = Number.POSITIVE_INFINITY
  for (const { readMs } of parts) behindMs = Math.min(behindMs, readMs ?? Number.NEGATIVE_INFINITY)
  return parts.filter(({ readMs }) => readMs === null || readMs <= behindMs + stepMs)
}
