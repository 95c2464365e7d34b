// Handles records side by side, at most `size` at once, those of one key one after the other. A record whose handler rejects is
// handled again after a pause, for ever: it keeps its key waiting, but neither its slot nor the other keys. Reads and commits
// nothing itself: it marks what is finished in the partition's tracker.
import { type IncomingRecord } from '#bus/bus.ts'
import { Fifo } from '#bus/fifo.ts'
import { type Held, type OffsetTracker } from '#bus/offset-tracker.ts'

const pauseMinMs = 100
const pauseMaxMs = 2_000

export interface WorkPoolOptions {
  /** Records handled at once. */
  size: number
  handle(record: IncomingRecord): Promise<void>
  /** Records may have left the pool. */
  onLeft?(): void
  /** A handler rejected; the record is handled again after `pauseMs`. Must not throw. */
  onRejection?(error: unknown, record: IncomingRecord, pauseMs: number): void
  /** 0 … 1 */
  random?(): number
}

interface Task extends Held {
  readonly record: IncomingRecord
  readonly tracker: OffsetTracker
  /** The next record of the same key. */
  follower: Task | null
  rejections: number
}

export class WorkPool {
  readonly #options: WorkPoolOptions
  readonly #ready = new Fifo<Task>()
  /** The last record of each key that is in the pool. */
  readonly #tails = new Map<string, Task>()
  readonly #pauses = new Set<NodeJS.Timeout>()
  #held = 0
  /** When a record last left, or came in when there was none; monotonic. */
  #movedMs = 0
  #running = 0
  #isPaused = false
  #isStopped = false
  #onIdle: (() => void)[] = []

  constructor(options: WorkPoolOptions) {
    this.#options = options
  }

  /** Records in the pool: handled, waiting, or pausing after a rejection. */
  get held(): number {
    return this.#held
  }

  /** How long no record has left it, ms; 0 when it is empty. */
  get stillMs(): number {
    return this.#held === 0 ? 0 : performance.now() - this.#movedMs
  }

  /** Takes a record in hand. Its offset must be above the tracker's highest. */
  add(record: IncomingRecord, tracker: OffsetTracker): void {
    if (this.#isStopped) return
    const task: Task = {
      offset: Number(record.offset),
      isFinished: false,
      record,
      tracker,
      follower: null,
      rejections: 0,
    }
    tracker.add(task)
    if (this.#held++ === 0) this.#movedMs = performance.now()
    if (this.#isBehindItsKey(task)) return
    if (this.#running < this.#options.size && !this.#isPaused) this.#run(task)
    else this.#ready.push(task)
  }

  /** Begins nothing more until `resume`; resolves when nothing is being handled, or after `withinMs`. */
  async quiesce(withinMs: number): Promise<void> {
    this.#isPaused = true
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, withinMs)
    })
    await Promise.race([this.#idle(), late])
    clearTimeout(timer)
  }

  resume(): void {
    this.#isPaused = false
    this.#fill()
  }

  /** Forgets what waits, and resolves when what is being handled is settled. Idempotent. */
  stop(): Promise<void> {
    this.abandon()
    return this.#idle()
  }

  /** As `stop`, without the wait: what is being handled runs on, and its end means nothing here any more. */
  abandon(): void {
    this.#isStopped = true
    for (const pause of this.#pauses) clearTimeout(pause)
    this.#pauses.clear()
    this.#ready.clear()
    this.#tails.clear()
    this.#held = this.#running
  }

  #idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise(resolve => this.#onIdle.push(resolve))
  }

  #isBehindItsKey(task: Task): boolean {
    const { key } = task.record
    if (key === null) return false
    const tail = this.#tails.get(key)
    this.#tails.set(key, task)
    if (!tail) return false
    tail.follower = task
    return true
  }

  #run(task: Task): void {
    this.#running++
    let outcome: Promise<void>
    try {
      outcome = this.#options.handle(task.record)
    } catch (error) {
      outcome = Promise.reject(error)
    }
    outcome.then(
      () => this.#end(task),
      error => this.#pause(task, error),
    )
  }

  #end(task: Task): void {
    this.#running--
    task.tracker.finish(task)
    this.#release(task)
    this.#fill()
  }

  /** The record leaves the pool, and the next one of its key may go. */
  #release(task: Task): void {
    this.#held--
    this.#movedMs = performance.now()
    const { key } = task.record
    if (this.#isStopped || key === null) return
    if (task.follower) this.#ready.push(task.follower)
    else if (this.#tails.get(key) === task) this.#tails.delete(key)
  }

  /** Fills the free slots; records of partitions lost meanwhile are let go unhandled. */
  #fill(): void {
    while (!this.#isStopped && !this.#isPaused && this.#running < this.#options.size) {
      const task = this.#ready.shift()
      if (!task) break
      if (task.tracker.isClosed) this.#release(task)
      else this.#run(task)
    }
    if (this.#running === 0) for (const tell of this.#onIdle.splice(0)) tell()
    this.#options.onLeft?.()
  }

  #pause(task: Task, error: unknown): void {
    this.#running--
    if (this.#isStopped || task.tracker.isClosed) {
      this.#release(task)
      this.#fill()
      return
    }
    const pauseMs = pauseAfter(++task.rejections, this.#options.random ?? Math.random)
    const pause = setTimeout(() => {
      this.#pauses.delete(pause)
      this.#ready.push(task)
      this.#fill()
    }, pauseMs)
    this.#pauses.add(pause)
    this.#options.onRejection?.(error, task.record, pauseMs)
    this.#fill()
  }
}

/** 100 ms, doubled each time up to 2 s, a quarter of it up or down. */
export function pauseAfter(rejections: number, random: () => number): number {
  const pauseMs = Math.min(pauseMaxMs, pauseMinMs * 2 ** Math.min(rejections - 1, 10)) * (0.75 + random() / 2)
  return Math.round(Math.min(pauseMaxMs, Math.max(pauseMinMs, pauseMs)))
}
