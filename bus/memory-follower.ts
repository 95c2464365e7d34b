// Follows topics of a MemoryRoad: what KafkaFollower does on a broker. A record that it has not taken is not pushed out, as one
// that a group has not finished: the partition refuses instead.
import { BatchFeeder } from '#bus/batch-feeder.ts'
import { type Following, type IncomingRecord } from '#bus/bus.ts'
import { type BusLog } from '#bus/log.ts'
import { type MemoryLog } from '#bus/memory-log.ts'
import { type MemoryTopic } from '#bus/memory-road.ts'

interface Followed {
  readonly log: MemoryLog
  /** Where it begins, if the caller's offset is not there. */
  gap: { expected: number; found: number } | null
  /** The offset to read next. */
  next: number
  /** Read, and not taken yet. */
  handed: number
  /** When the last record taken was written; 0: none was. */
  takenMs: number
}

export interface MemoryFollowerOptions {
  topics: readonly MemoryTopic[]
  following: Following
  /** The road's clock. */
  now(): number
  /** Asks for a `read` in the next turn. */
  wake(): void
  log: BusLog
}

export class MemoryFollower {
  readonly #options: MemoryFollowerOptions
  readonly #topics: ReadonlyMap<string, readonly Followed[]>
  readonly #parts: readonly Followed[]
  readonly #feeder: BatchFeeder
  #isStopped = false

  constructor(options: MemoryFollowerOptions) {
    const { topics, following, wake, log } = options
    this.#options = options
    this.#topics = new Map(topics.map(topic => [topic.name, topic.logs.map(one => begin(one, following))]))
    this.#parts = [...this.#topics.values()].flat()
    this.#feeder = new BatchFeeder({
      recordsMax: following.recordsMax,
      onRecords: records => following.onRecords(records),
      onTaken: records => {
        this.#taken(records)
        wake()
      },
      log,
    })
  }

  get lag(): number {
    return this.#parts.reduce((lag, { log, next, handed }) => lag + handed + log.end - next, 0)
  }

  get caughtUpMs(): number {
    const nowMs = this.#options.now()
    return Math.min(nowMs, ...this.#parts.map(part => caughtUpTo(part, nowMs)))
  }

  caughtUpMsOf(topic: string, partition: number): number {
    const followed = this.#topics.get(topic)?.[partition]
    return followed === undefined ? 0 : caughtUpTo(followed, this.#options.now())
  }

  /** The lowest offset not taken; undefined: it does not follow this partition. */
  taken(topic: string, partition: number): number | undefined {
    const followed = this.#topics.get(topic)?.[partition]
    return followed && followed.next - followed.handed
  }

  /** Takes what there is room for, a record from each partition in turn. */
  read(): void {
    if (this.#isStopped) return
    for (const part of this.#parts) this.#tellGap(part)
    let isMore = true
    while (isMore && this.#feeder.hasRoom) {
      isMore = false
      for (const part of this.#parts) {
        const record = part.log.at(part.next)
        if (!record) continue
        part.next++
        part.handed++
        this.#feeder.add([record])
        isMore = true
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#feeder.stop()
  }

  /** As `stop`, without the wait. */
  abandon(): void {
    this.#isStopped = true
    this.#feeder.abandon()
  }

  #taken(records: readonly IncomingRecord[]): void {
    for (const { topic, partition, timestampMs } of records) {
      const followed = this.#topics.get(topic)?.[partition] as Followed
      followed.handed--
      followed.takenMs = timestampMs
    }
  }

  #tellGap(part: Followed): void {
    const { gap } = part
    if (!gap) return
    part.gap = null
    const { topic, partition } = part.log
    this.#options.following.onGap?.({ topic, partition, ...gap })
  }
}

const caughtUpTo = ({ log, handed, next, takenMs }: Followed, nowMs: number): number =>
  handed === 0 && next === log.end ? nowMs : takenMs

function begin(log: MemoryLog, following: Following): Followed {
  const expected = following.from(log.topic, log.partition) ?? log.start
  const isThere = expected >= log.start && expected <= log.end
  const next = isThere ? expected : log.start
  return { log, gap: isThere ? null : { expected, found: next }, next, handed: 0, takenMs: 0 }
}
