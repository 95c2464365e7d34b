// Hands records on in batches, the next only when the last was taken, the same again when it was refused. What arrives while a
// batch is being taken goes out as one, so batches grow with the load; an idle road waits for one turn of the event loop and for
// no timer. Not bounded by itself: whoever adds asks `hasRoom` first.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type IncomingRecord } from '#bus/bus.ts'
import { Fifo } from '#bus/fifo.ts'
import { type BusLog } from '#bus/log.ts'
import { pauseAfter } from '#bus/work-pool.ts'

/** Of values that wait. */
const waitingBytesMax = 8_388_608

export interface BatchFeederOptions {
  recordsMax: number
  onRecords(records: readonly IncomingRecord[]): Promise<void>
  /** These were taken. */
  onTaken(records: readonly IncomingRecord[]): void
  log: BusLog
  /** 0 … 1 */
  random?(): number
}

export class BatchFeeder {
  readonly #options: BatchFeederOptions
  readonly #waiting = new Fifo<IncomingRecord>()
  #waitingBytes = 0
  #feeding: Promise<void> | null = null
  #isStopped = false
  #endPause = (): void => {}
  #onRoom: (() => void)[] = []
  #onDrained: (() => void)[] = []

  constructor(options: BatchFeederOptions) {
    this.#options = options
  }

  /** Less than one batch waits behind the one that is being taken, and not too many bytes. */
  get hasRoom(): boolean {
    return this.#isStopped || (this.#waiting.length < this.#options.recordsMax && this.#waitingBytes < waitingBytesMax)
  }

  add(records: readonly IncomingRecord[]): void {
    if (this.#isStopped) return
    for (const record of records) {
      this.#waiting.push(record)
      this.#waitingBytes += record.value.length
    }
    if (this.#waiting.length > 0) this.#feeding ??= this.#feed()
  }

  /** Resolves when there is room, or when stopped. */
  room(): Promise<void> {
    return this.hasRoom ? Promise.resolve() : new Promise(resolve => this.#onRoom.push(resolve))
  }

  /** Resolves when all that was added is taken, or when stopped. */
  drained(): Promise<void> {
    return this.#feeding ? new Promise(resolve => this.#onDrained.push(resolve)) : Promise.resolve()
  }

  /** Forgets what waits, and resolves when what is being taken is settled. Idempotent. */
  async stop(): Promise<void> {
    this.abandon()
    await this.#feeding
  }

  /** As `stop`, without the wait. */
  abandon(): void {
    this.#isStopped = true
    this.#waiting.clear()
    this.#endPause()
    this.#tell()
  }

  /** Never rejects. Gives way to everything else between two batches: taking them may be synchronous. */
  async #feed(): Promise<void> {
    await nextTurn()
    while (!this.#isStopped && this.#waiting.length > 0) {
      const batch = this.#waiting.take(this.#options.recordsMax)
      for (const record of batch) this.#waitingBytes -= record.value.length
      if (!(await this.#give(batch))) break
      this.#options.onTaken(batch)
      this.#tell()
      await nextTurn()
    }
    this.#feeding = null
    this.#tell()
  }

  /** Until it is taken; false when stopped before. */
  async #give(batch: readonly IncomingRecord[]): Promise<boolean> {
    for (let rejections = 1; !this.#isStopped; rejections++) {
      try {
        await this.#options.onRecords(batch)
        return true
      } catch (error) {
        const pauseMs = pauseAfter(rejections, this.#options.random ?? Math.random)
        this.#options.log('warn', 'records were not taken; the same come again', { error, pauseMs })
        await this.#pause(pauseMs)
      }
    }
    return false
  }

  #pause(pauseMs: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(resolve, pauseMs)
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #tell(): void {
    if (this.hasRoom) for (const tell of this.#onRoom.splice(0)) tell()
    if (this.#isStopped || !this.#feeding) for (const tell of this.#onDrained.splice(0)) tell()
  }
}
