// What stands where a broker would: the topics of one process, their groups, and the turn in which records go in and out. Any
// number of MemoryBus share a road, as processes share a broker. Nothing is timed: one immediate a turn, for all that came in it.
// What an administrator or an election does to topics of a broker, tests do to those here.
import { randomUUID } from 'node:crypto'
import { type BusLog } from '#bus/log.ts'
import { MemoryGroup } from '#bus/memory-group.ts'
import { MemoryLog, newTopicId } from '#bus/memory-log.ts'
import { partitionsOf } from '#bus/topics.ts'

export class MemoryTopic {
  readonly name: string
  readonly logs: readonly MemoryLog[]
  /** Whoever reads it; called in the turn in which something was written. */
  readonly readers = new Set<() => void>()
  /** Each tells the lowest offset of a partition that it has not taken. */
  readonly followers = new Set<{ taken(topic: string, partition: number): number | undefined }>()
  readonly #groups = new Map<string, MemoryGroup>()

  constructor(name: string, retentionMax: number) {
    this.name = name
    const topicId = newTopicId()
    this.logs = Array.from({ length: partitionsOf(name) }, (_, i) => new MemoryLog(name, i, retentionMax, topicId))
  }

  log(partition: number): MemoryLog {
    const log = this.logs[partition]
    if (!log) throw new RangeError(`${this.name} has no partition ${partition}`)
    return log
  }

  group(name: string): MemoryGroup {
    const group = this.#groups.get(name) ?? new MemoryGroup(this.logs)
    this.#groups.set(name, group)
    return group
  }

  /** Deleted and made anew: with another id, empty, and unknown to its groups. */
  remake(): void {
    const topicId = newTopicId()
    for (const log of this.logs) log.remake(topicId)
    for (const group of this.#groups.values()) for (const log of this.logs) group.rewind(log.partition, 0)
  }

  /** Cut at `end` by an unclean election. */
  truncate(partition: number, end: number): void {
    this.log(partition).truncate(end)
    for (const group of this.#groups.values()) group.rewind(partition, end)
  }

  /** Whether one more record would push out one that a group has not finished or a follower not taken. */
  isFull(partition: number): boolean {
    const oldest = this.log(partition).oldestAfterNext()
    for (const group of this.#groups.values()) if (group.committed(partition) < oldest) return true
    for (const follower of this.followers) if ((follower.taken(this.name, partition) ?? oldest) < oldest) return true
    return false
  }
}

export class MemoryRoad {
  /** Names this road: another one has another. */
  readonly id = `memory-${randomUUID()}`
  /** The clock of all who share it, epoch ms. */
  readonly now: () => number
  readonly #retentionMax: number
  readonly #topics = new Map<string, MemoryTopic>()
  #senders = new Set<() => void>()
  #readers = new Set<() => void>()
  #isTurnDue = false

  /** @param retentionMax records a partition keeps */
  constructor(retentionMax: number, now: () => number = Date.now) {
    this.#retentionMax = retentionMax
    this.now = now
  }

  topic(name: string): MemoryTopic {
    const topic = this.#topics.get(name) ?? new MemoryTopic(name, this.#retentionMax)
    this.#topics.set(name, topic)
    return topic
  }

  /** As if it was deleted and made anew, for those who read it as well. */
  remake(name: string): void {
    this.#change(name, topic => topic.remake())
  }

  /** What stands from `end` on is lost, as in an unclean election; what is written next takes its place. */
  truncate(name: string, partition: number, end: number): void {
    this.#change(name, topic => topic.truncate(partition, end))
  }

  /** As retention does. */
  removeBefore(name: string, partition: number, offset: number): void {
    this.#change(name, topic => topic.log(partition).removeBefore(offset))
  }

  #change(name: string, act: (topic: MemoryTopic) => void): void {
    const topic = this.topic(name)
    act(topic)
    for (const read of topic.readers) this.wakeReader(read)
  }

  /** Calls `send` in the next turn, before whatever reads. */
  wakeSender(send: () => void): void {
    this.#senders.add(send)
    this.#schedule()
  }

  /** Calls `read` in the next turn; from a sender: in the same one. */
  wakeReader(read: () => void): void {
    this.#readers.add(read)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isTurnDue) return
    this.#isTurnDue = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    const senders = this.#senders
    this.#senders = new Set()
    for (const send of senders) send()
    const readers = this.#readers
    this.#readers = new Set()
    this.#isTurnDue = false
    for (const read of readers) read()
  }
}

/** Runs one reader's part of a turn; what it throws ends neither the turn nor its reading. */
export function readSafely(read: () => void, again: () => void, log: BusLog): void {
  try {
    read()
  } catch (error) {
    log('error', 'a reader threw; it goes on at the next record', { error })
    again()
  }
}
