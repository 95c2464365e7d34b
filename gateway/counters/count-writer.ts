// Writes audit counts in the background: buffered for at most `everyMs`, then handed over in numbered batches, one at a time.
// A batch is handed over again, unchanged, until it is known to be written; the receiver knows its number, so a batch whose
// answer was lost is neither lost nor counted twice. What is still buffered when the process is killed is lost.
import { type ClientId } from '#contracts/contract.ts'
import { DayCounts } from '#gateway/counters/day-counts.ts'

const bufferMax = 50_000
const batchMax = 500

export interface CountBatch {
  /** Numbered upwards from 1 by this writer. */
  number: number
  day: string
  /** Name and count; a name is JSON, `[client, service, outcome]`. */
  counts: [string, number][]
}

export interface CountWriterOptions {
  /** Resolves when the batch is written; rejects when it is not known to be. */
  write: (batch: CountBatch) => Promise<void>
  everyMs: number
}

export class CountWriter {
  readonly #write: CountWriterOptions['write']
  readonly #waiting = new DayCounts(bufferMax)
  readonly #timer: NodeJS.Timeout
  #batch: CountBatch | undefined
  #number = 0
  #flushing: Promise<void> | undefined

  constructor({ write, everyMs }: CountWriterOptions) {
    this.#write = write
    // What could not be written waits for the next round.
    this.#timer = setInterval(() => void this.flush().catch(() => {}), everyMs).unref()
  }

  add(day: string, client: ClientId, service: string, outcome: string): void {
    this.#waiting.add(day, client, service, outcome)
  }

  /** Counts of a day not handed over yet. */
  waiting(day: string): ReadonlyMap<string, number> {
    return this.#waiting.of(day)
  }

  /** Names not known to be written. */
  get pending(): number {
    return this.#waiting.size + (this.#batch?.counts.length ?? 0)
  }

  /** Resolves when all that was counted before the call is written; rejects when some of it is not. */
  async flush(): Promise<void> {
    if (this.pending === 0) return
    this.#flushing ??= this.#writeAll()
    return this.#flushing
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #writeAll(): Promise<void> {
    try {
      for (this.#batch ??= this.#nextBatch(); this.#batch !== undefined; this.#batch = this.#nextBatch()) {
        await this.#write(this.#batch)
      }
    } finally {
      this.#flushing = undefined
    }
  }

  #nextBatch(): CountBatch | undefined {
    const taken = this.#waiting.take(batchMax)
    if (taken === undefined) return undefined
    this.#number += 1
    return { number: this.#number, ...taken }
  }
}
