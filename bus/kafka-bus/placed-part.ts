// A partition on its way to be read: where from, how often that failed, and when it is tried again. A fault of its own is written to
// the log once, and once more when it is over; what passes by itself, such as a new leader's first moments, only when it stays.
import { type BusLog } from '#bus/log.ts'
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
  /** For step.ts: when the last record read of it was written, or its end was asked for, epoch ms; null: nothing is known yet. */
  readMs: number | null = null
  /** The last answer had all that there was. */
  isAtEnd = false
  /** It is among those that its broker was asked for last. */
  isAsked = false
  /** When that was, monotonic ms, until the answer is here. */
  pendingSinceMs: number | null = null
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
