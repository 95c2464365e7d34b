// Hands records on in batches, the next only when the last was taken, the same again when it was refused. What arrives while a
// batch is being taken goes out as one, so batches grow with the load; an idle bus waits for one turn of the event loop and for
// no timer. What else has its place between two records is done there. Not bounded by itself: whoever adds asks `hasRoom` first.
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
  readonly #between = new Fifo<{ after: number; act(): void | Promise<void> }>()
  #waitingBytes = 0
  /** Records since the beginning. */
  #added = 0
  #taken = 0
  #feeding: Promise<void> | null = null
  #isStopped = false
  #endPause = (): void => {}
  #onRoom: (() => void)[] = []

  constructor(options: BatchFeederOptions) {
    this.#options = options
  }

  /** Less than one batch waits behind the one that is being taken, and not too many bytes. */
  get hasRoom(): boolean {
    const waiting = this.#waiting.length + this.#between.length
    return this.#isStopped || (waiting < this.#options.recordsMax && this.#waitingBytes < waitingBytesMax)
  }

  add(records: readonly IncomingRecord[]): void {
    if (this.#isStopped) return
    for (const record of records) {
      this.#waiting.push(record)
      this.#waitingBytes += record.value.length
    }
    this.#added += records.length
    if (this.#waiting.length > 0) this.#feeding ??= this.#feed()
  }

  /** To be done when all added before is taken, and before what is added later; again, after a pause, when it fails. */
  addAct(act: () => void | Promise<void>): void {
    if (this.#isStopped) return
    this.#between.push({ after: this.#added, act })
    this.#feeding ??= this.#feed()
  }

  /** Resolves when there is room, or when stopped. */
  room(): Promise<void> {
    return this.hasRoom ? Promise.resolve() : new Promise(resolve => this.#onRoom.push(resolve))
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
    this.#between.clear()
    this.#endPause()
    this.#tell()
  }

  /** Never rejects. Gives way to everything else between two batches: taking them may be synchronous. */
  async #feed(): Promise<void> {
    await nextTurn()
    while (!this.#isStopped && this.#waiting.length + this.#between.length > 0) {
      if (!(await this.#feedNext())) break
      this.#tell()
      await nextTurn()
    }
    this.#feeding = null
    this.#tell()
  }

  /** One batch, or what is to be done before the next. */
  async #feedNext(): Promise<boolean> {
    const next = this.#between.peek()
    if (next?.after === this.#taken) {
      const isDone = await this.#persist(async () => next.act(), 'a gap was not taken')
      if (isDone) this.#between.shift()
      return isDone
    }
    const batch = this.#waiting.take(Math.min(this.#options.recordsMax, (next?.after ?? this.#added) - this.#taken))
    for (const record of batch) this.#waitingBytes -= record.value.length
    if (!(await this.#persist(() => this.#options.onRecords(batch), 'records were not taken'))) return false
    this.#taken += batch.length
    this.#options.onTaken(batch)
    return true
  }

  /** Until it is taken; false when stopped before. */
  async #persist(act: () => Promise<void>, refusal: string): Promise<boolean> {
    for (let rejections = 1; !this.#isStopped; rejections++) {
      try {
        await act()
        return true
      } catch (error) {
        const pauseMs = pauseAfter(rejections, this.#options.random ?? Math.random)
        this.#options.log('warn', `${refusal}; the same comes again`, { error, pauseMs })
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
  }
}
