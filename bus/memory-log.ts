// One partition in memory: a ring of its last records, dense offsets, times that never run backwards.
import { type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'

export class MemoryLog {
  readonly topic: string
  readonly partition: number
  readonly #ring: IncomingRecord[] = []
  readonly #retentionMax: number
  #end = 0
  #lastMs = 0

  constructor(topic: string, partition: number, retentionMax: number) {
    this.topic = topic
    this.partition = partition
    this.#retentionMax = retentionMax
  }

  /** The offset the next record gets. */
  get end(): number {
    return this.#end
  }

  /** The oldest offset still kept. */
  get start(): number {
    return Math.max(0, this.#end - this.#retentionMax)
  }

  /** The oldest offset kept once one more is written. */
  oldestAfterNext(): number {
    return Math.max(0, this.#end + 1 - this.#retentionMax)
  }

  append(record: OutgoingRecord, timestampMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, timestampMs)
    this.#ring[this.#end % this.#retentionMax] = {
      topic: this.topic,
      partition: this.partition,
      offset: String(this.#end++),
      timestampMs: this.#lastMs,
      key: record.key,
      headers: { ...record.headers },
      value: Buffer.from(record.value),
    }
  }

  at(offset: number): IncomingRecord | undefined {
    return offset < this.start || offset >= this.#end ? undefined : this.#ring[offset % this.#retentionMax]
  }

  /** The offset of the first record written at that time or later; the end if there is none. */
  offsetSince(sinceMs: number): number {
    let offset = this.#end
    while ((this.at(offset - 1)?.timestampMs ?? -1) >= sinceMs) offset--
    return offset
  }

  /** From there, or from the oldest kept, to what is the end when the caller gets that far. */
  *readFrom(offset: number): Generator<IncomingRecord> {
    for (let at = Math.max(offset, this.start); at < this.#end; at++) {
      const record = this.at(at)
      if (record) yield record
    }
  }
}
