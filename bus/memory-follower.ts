// Follows topics of a MemoryRoad: what KafkaFollower does on a broker. A record that it has not taken is not pushed out, as one
// that a group has not finished: the partition refuses instead.
import { BatchFeeder } from '#bus/batch-feeder.ts'
import { type Following, type IncomingRecord, type ReadPosition } from '#bus/bus.ts'
import { type Jump } from '#bus/gap.ts'
import { type BusLog } from '#bus/log.ts'
import { type MemoryLog } from '#bus/memory-log.ts'
import { type MemoryTopic } from '#bus/memory-road.ts'

interface Followed {
  readonly log: MemoryLog
  /** What to read next, and how often the log had changed when that was looked up. */
  at: Required<ReadPosition>
  changes: number
  /** Read, and not taken yet; a gap counts as one. */
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
    this.#feeder = new BatchFeeder({
      recordsMax: following.recordsMax,
      onRecords: records => following.onRecords(records),
      onTaken: records => {
        this.#taken(records)
        wake()
      },
      log,
    })
    this.#topics = new Map(topics.map(topic => [topic.name, topic.logs.map(one => this.#begin(one))]))
    this.#parts = [...this.#topics.values()].flat()
  }

  get lag(): number {
    return this.#parts.reduce((lag, { log, at, handed }) => lag + handed + Math.max(0, log.end - at.next), 0)
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
    return followed && Math.max(0, followed.at.next - followed.handed)
  }

  /** Takes what there is room for, a record from each partition in turn. */
  read(): void {
    if (this.#isStopped) return
    for (const part of this.#parts) this.#goOn(part)
    let isMore = true
    while (isMore && this.#feeder.hasRoom) {
      isMore = false
      for (const part of this.#parts) {
        const record = part.log.at(part.at.next)
        if (!record) continue
        part.at.next++
        part.at.leaderEpoch = record.leaderEpoch as number
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

  #begin(log: MemoryLog): Followed {
    const { position: at, jump } = log.begin(this.#options.following.from(log.topic, log.partition))
    const part: Followed = { log, at, changes: log.changes, handed: 0, takenMs: 0 }
    if (jump) this.#tell(part, jump)
    return part
  }

  /** The log may have been made anew, cut or shortened since the last turn. */
  #goOn(part: Followed): void {
    if (part.changes === part.log.changes) return
    const { position, jump } = part.log.begin(part.at)
    part.at = position
    part.changes = part.log.changes
    if (jump) this.#tell(part, jump)
  }

  #tell(part: Followed, jump: Jump): void {
    const { topic, partition } = part.log
    const { topicId, leaderEpoch } = part.at
    part.handed++
    this.#feeder.addAct(async () => {
      await this.#options.following.onGap?.({ topic, partition, ...jump, topicId, leaderEpoch })
      part.handed--
    })
  }
}

const caughtUpTo = ({ log, at, handed, takenMs }: Followed, nowMs: number): number =>
  handed === 0 && at.next === log.end ? nowMs : takenMs
