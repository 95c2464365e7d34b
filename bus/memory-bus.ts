// The road inside one process: what KafkaBus promises, without a server, and gone with the process. Partitions keep their last
// records (retention by count); a record that a group has not finished or a follower not taken is never pushed out: the
// partition refuses instead. Publishing and delivering happen once a turn of the event loop, for all that came in it.
import {
  type Bus,
  type Follower,
  type Following,
  type IncomingRecord,
  type OutgoingRecord,
  PublishError,
  publishQueueMax,
  type Reader,
  type ReplyReading,
  RoadError,
  type Worker,
  type Working,
} from '#bus/bus.ts'
import { type BusLog, silent } from '#bus/log.ts'
import { MemoryFollower } from '#bus/memory-follower.ts'
import { MemoryMember } from '#bus/memory-group.ts'
import { MemoryRoad, type MemoryTopic, readSafely } from '#bus/memory-road.ts'
import { placeRecord, Turns } from '#bus/placement.ts'
import { partitionsOf } from '#bus/topics.ts'

export interface MemoryBusOptions {
  /** A road shared with other buses; without one the bus has a road of its own. */
  road?: MemoryRoad
  /** The clock of the bus's own road; a shared road has its own. */
  now?(): number
  log?: BusLog
}

interface Waiting {
  partition: number
  record: OutgoingRecord
  resolve(): void
  reject(error: PublishError): void
}

/** Records a partition keeps, unless a road was made with another number. */
const retentionMax = 2_000

export class MemoryBus implements Bus {
  readonly #road: MemoryRoad
  readonly #log: BusLog
  readonly #turns = new Turns()
  readonly #queues = new Map<MemoryTopic, Waiting[]>()
  /** What `kill` ends at once. */
  readonly #ends = new Set<() => void>()
  readonly #send = (): void => this.#write()
  #isClosed = false

  constructor(options: MemoryBusOptions = {}) {
    this.#road = options.road ?? new MemoryRoad(retentionMax, options.now)
    this.#log = options.log ?? silent
  }

  publish(topicName: string, record: OutgoingRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new PublishError('the bus is closed', true)
      const partition = placeRecord(topicName, record) ?? this.#turns.take(topicName)
      const topic = this.#road.topic(topicName)
      const queue = this.#queues.get(topic) ?? []
      if (queue.length >= publishQueueMax) throw new PublishError(`the queue of ${topicName} is full`, true)
      queue.push({ partition, record, resolve, reject })
      if (queue.length > 1) return
      this.#queues.set(topic, queue)
      this.#road.wakeSender(this.#send)
    })
  }

  readReplies(reading: ReplyReading): Reader {
    const topics = reading.topics.map(name => this.#road.topic(name))
    const parts = topics
      .map(topic => topic.log(reading.partition))
      .map(log => ({
        log,
        at: log.begin({ next: log.offsetSince(reading.sinceMs) }).position,
        changes: log.changes,
      }))
    let isStopped = false
    const readAll = (): void => {
      for (const part of parts) {
        if (part.changes !== part.log.changes) part.at = part.log.begin(part.at).position
        part.changes = part.log.changes
        for (const record of part.log.readFrom(part.at.next)) {
          if (isStopped) return
          part.at.next = Number(record.offset) + 1
          part.at.leaderEpoch = record.leaderEpoch as number
          reading.onRecord(record)
        }
      }
    }
    const read = (): void => readSafely(readAll, () => this.#road.wakeReader(read), this.#log)
    const end = (): void => {
      isStopped = true
      for (const topic of topics) topic.readers.delete(read)
      this.#ends.delete(end)
    }
    this.#ends.add(end)
    for (const topic of topics) topic.readers.add(read)
    this.#road.wakeReader(read)
    reading.onState?.('reading')
    return { ready: Promise.resolve(), stop: async () => end() }
  }

  work(working: Working): Worker {
    const topic = this.#road.topic(working.topic)
    const read = (): void => member.read()
    const member = new MemoryMember(topic.group(working.group), working, () => this.#road.wakeReader(read))
    const end = (): void => {
      topic.readers.delete(read)
      this.#ends.delete(end)
      member.expel()
    }
    const stop = async (): Promise<void> => {
      await member.leave()
      end()
    }
    this.#ends.add(end)
    topic.readers.add(read)
    working.onState?.('working')
    return {
      ready: Promise.resolve(),
      stop,
      get held() {
        return member.held
      },
      get stillMs() {
        return member.stillMs
      },
    }
  }

  follow(following: Following): Follower {
    const topics = following.topics.map(name => this.#road.topic(name))
    const read = (): void => readSafely(() => follower.read(), wake, this.#log)
    const wake = (): void => this.#road.wakeReader(read)
    const follower = new MemoryFollower({ topics, following, now: this.#road.now, wake, log: this.#log })
    const end = (): void => {
      follower.abandon()
      for (const topic of topics) {
        topic.readers.delete(read)
        topic.followers.delete(follower)
      }
      this.#ends.delete(end)
    }
    this.#ends.add(end)
    for (const topic of topics) {
      topic.readers.add(read)
      topic.followers.add(follower)
    }
    wake()
    following.onState?.('reading')
    return {
      ready: Promise.resolve(),
      stop: () => {
        end()
        return follower.stop()
      },
      get lag() {
        return follower.lag
      },
      get caughtUpMs() {
        return follower.caughtUpMs
      },
      caughtUpMsOf: (topic, partition) => follower.caughtUpMsOf(topic, partition),
    }
  }

  async readAt(topic: string, partition: number, offset: string): Promise<IncomingRecord | undefined> {
    if (this.#isClosed) throw new RoadError('the bus is closed')
    return hasPartition(topic, partition) ? this.#road.topic(topic).log(partition).at(Number(offset)) : undefined
  }

  async endOf(topic: string, partition: number): Promise<number> {
    if (this.#isClosed) throw new RoadError('the bus is closed')
    return hasPartition(topic, partition) ? this.#road.topic(topic).log(partition).end : 0
  }

  now(): number {
    return this.#road.now()
  }

  async id(): Promise<string> {
    return this.#road.id
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#write()
    this.kill()
  }

  /** As if the process died: what waits is not sent, and what its members had in hand goes to others. */
  kill(): void {
    this.#isClosed = true
    for (const queue of this.#queues.values()) for (const { reject } of queue) reject(new PublishError('killed', true))
    this.#queues.clear()
    for (const end of this.#ends) end()
  }

  #write(): void {
    const timestampMs = this.#road.now()
    for (const [topic, queue] of this.#queues) {
      for (const { partition, record, resolve, reject } of queue) {
        if (topic.isFull(partition)) {
          reject(new PublishError(`partition ${partition} of ${topic.name} is full of unfinished records`, true))
          continue
        }
        topic.log(partition).append(record, timestampMs)
        resolve()
      }
      for (const read of topic.readers) this.#road.wakeReader(read)
    }
    this.#queues.clear()
  }
}

function hasPartition(topic: string, partition: number): boolean {
  try {
    return Number.isInteger(partition) && partition >= 0 && partition < partitionsOf(topic)
  } catch {
    return false
  }
}
