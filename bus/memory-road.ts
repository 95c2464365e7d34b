// What stands where a broker would: the topics of one process, their groups, and the turn in which records go in and out. Any
// number of MemoryBus share a road, as processes share a broker. Nothing is timed: one immediate a turn, for all that came in it.
import { randomUUID } from 'node:crypto'
import { type BusLog } from '#bus/log.ts'
import { MemoryGroup } from '#bus/memory-group.ts'
import { MemoryLog } from '#bus/memory-log.ts'
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
    this.logs = Array.from({ length: partitionsOf(name) }, (_, i) => new MemoryLog(name, i, retentionMax))
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
