// Follows every partition of several topics without a group: partition-reader.ts reads, batch-feeder.ts hands on, and here stands
// how far that is. While batches are not taken nothing more is fetched: at most one fetch a broker and one batch wait.

import { BatchFeeder } from '#bus/batch-feeder.ts'
import { type Follower, type Following, type IncomingRecord } from '#bus/bus.ts'
import { type Jump } from '#bus/gap.ts'
import { type BusLog } from '#bus/log.ts'
import { partitionsOf } from '#bus/topics.ts'
import { inWritingOrder } from '#bus/writing-order.ts'
import { type Client } from './client.ts'
import { PartitionReader } from './partition-reader.ts'
import { type Part } from './placed-part.ts'

/** A record wakes the poll; an idle partition is known to be read to its end as often as this. */
const maxWaitMs = 250
/** Between a fetch that brought the newest records and the next: longer after one that brought many. */
const lingerMs = 25
const busyLingerMs = 90
const busyRecords = 20

/**
 * After a pause thousands of records wait on each partition. What was written together is then read about together, whichever topic
 * it is on, so that whoever follows need not hold a part of it for long.
 */
const stepMs = 250
const partitionBytesMax = 262_144

interface Followed {
  readonly part: Part
  /** Not handed on yet: others have not been read so far. */
  waiting: IncomingRecord[]
  /** Read, and not taken yet; a gap counts as one. */
  handed: number
  /** Where the log ended at the last fetch; null before the first, and while the topic does not exist. */
  end: number | null
  /** When the last fetch was sent that found the end; 0: none has. */
  endFoundMs: number
  caughtUpMs: number
}

export class KafkaFollower implements Follower {
  readonly ready: Promise<void>
  readonly #following: Following
  readonly #topics: ReadonlyMap<string, readonly Followed[]>
  readonly #parts: readonly Followed[]
  readonly #feeder: BatchFeeder
  readonly #reader: PartitionReader
  #isStopped = false
  /** By the last fetch. */
  #fresh = 0
  #isBehind = false

  /** @param now the road's clock */
  constructor(client: Client, following: Following, { log, now }: { log: BusLog; now(): number }) {
    this.#following = following
    this.#topics = new Map(following.topics.map(topic => [topic, beginTopic(topic, following)]))
    this.#parts = [...this.#topics.values()].flat()
    this.#feeder = new BatchFeeder({
      recordsMax: following.recordsMax,
      onRecords: records => following.onRecords(records),
      onTaken: records => this.#taken(records),
      log,
    })
    this.#reader = new PartitionReader({
      client,
      maxWaitMs,
      stepMs,
      partitionBytesMax,
      log,
      now,
      onRecords: (part, records) => this.#hand(part, records),
      room: () => this.#room(),
      onRead: upToMs => this.#handOn(upToMs),
      onFetched: (part, end, sentMs) => this.#fetched(part, end, sentMs),
      onJump: (part, jump) => this.#jump(part, jump),
      onMissing: (topic, askedMs) => this.#missing(topic, askedMs),
      onState: (state, cause) => following.onState?.(state, cause),
    })
    this.ready = this.#reader.assign(this.#parts.map(({ part }) => part))
  }

  get lag(): number {
    let lag = 0
    for (const { part, handed, end } of this.#parts) lag += handed + Math.max(0, (end ?? 0) - (part.position ?? 0))
    return lag
  }

  get caughtUpMs(): number {
    let caughtUpMs = Number.POSITIVE_INFINITY
    for (const followed of this.#parts) caughtUpMs = Math.min(caughtUpMs, followed.caughtUpMs)
    return Number.isFinite(caughtUpMs) ? caughtUpMs : 0
  }

  caughtUpMsOf(topic: string, partition: number): number {
    return this.#topics.get(topic)?.[partition]?.caughtUpMs ?? 0
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all([this.#feeder.stop(), this.#reader.stop()])
  }

  /** As if the process died: what is being taken is not waited for. */
  async abandon(): Promise<void> {
    this.#isStopped = true
    this.#feeder.abandon()
    await this.#reader.stop()
  }

  /** Many records in few fetches: nobody waits for a follower as for a reply, and each fetch costs both ends. */
  async #room(): Promise<void> {
    const restMs = this.#fresh === 0 || this.#isBehind ? 0 : this.#fresh < busyRecords ? lingerMs : busyLingerMs
    this.#fresh = 0
    this.#isBehind = false
    if (restMs > 0 && !this.#isStopped) await new Promise(resolve => setTimeout(resolve, restMs))
    await this.#feeder.room()
  }

  #hand(part: Part, records: readonly IncomingRecord[]): void {
    const followed = this.#followed(part)
    this.#fresh += records.length
    followed.handed += records.length
    for (const record of records) followed.waiting.push(record)
  }

  /** What was written up to then, in the order of writing. */
  #handOn(upToMs: number): void {
    const runs: (readonly IncomingRecord[])[] = []
    for (const followed of this.#parts) {
      const { waiting } = followed
      const count = waiting.findLastIndex(({ timestampMs }) => timestampMs <= upToMs) + 1
      if (count === 0) continue
      followed.waiting = waiting.slice(count)
      runs.push(count === waiting.length ? waiting : waiting.slice(0, count))
    }
    this.#feeder.add(inWritingOrder(runs))
  }

  #fetched(part: Part, end: number, sentMs: number): void {
    const followed = this.#followed(part)
    followed.end = end
    this.#isBehind ||= (part.position ?? 0) < end
    if ((part.position ?? 0) < end) return
    followed.endFoundMs = sentMs
    if (followed.handed === 0) followed.caughtUpMs = sentMs
  }

  #taken(records: readonly IncomingRecord[]): void {
    for (const record of records) {
      const followed = this.#followed(record)
      followed.handed--
      followed.caughtUpMs =
        followed.handed === 0 ? Math.max(followed.endFoundMs, record.timestampMs) : record.timestampMs
    }
  }

  /** Told when all before it is taken. */
  #jump({ topic, partition, topicId, leaderEpoch }: Part, { reason, from, to }: Jump): void {
    const followed = this.#followed({ topic, partition })
    const known = {
      ...(topicId === undefined ? {} : { topicId }),
      ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
    }
    followed.handed++
    followed.end = null
    this.#handOn(Number.POSITIVE_INFINITY)
    this.#feeder.addAct(async () => {
      await this.#following.onGap?.({ topic, partition, from, to, reason, ...known })
      followed.handed--
    })
  }

  /** What does not exist has no records. */
  #missing(topic: string, askedMs: number): void {
    for (const followed of this.#topics.get(topic) ?? []) {
      followed.end = null
      if (followed.handed === 0) followed.caughtUpMs = askedMs
    }
  }

  #followed({ topic, partition }: { topic: string; partition: number }): Followed {
    return this.#topics.get(topic)?.[partition] as Followed
  }
}

function beginTopic(topic: string, following: Following): Followed[] {
  return Array.from({ length: partitionsOf(topic) }, (_, partition) => {
    const { next: position = null, topicId, leaderEpoch } = following.from(topic, partition) ?? {}
    const part: Part = { topic, partition, position, start: 'oldest', topicId, leaderEpoch }
    return { part, waiting: [], handed: 0, end: null, endFoundMs: 0, caughtUpMs: 0 }
  })
}
