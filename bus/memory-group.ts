// A group of MemoryBus: who works on which partitions, and what is committed. As a broker has it: partitions are dealt anew when
// a member joins or goes, a new holder begins at the committed offset, and what the last holder still does is not committed.
import { type Working } from '#bus/bus.ts'
import { type MemoryLog } from '#bus/memory-log.ts'
import { OffsetTracker } from '#bus/offset-tracker.ts'
import { WorkPool } from '#bus/work-pool.ts'

export class MemoryGroup {
  readonly logs: readonly MemoryLog[]
  readonly #committed: number[]
  #members: MemoryMember[] = []

  constructor(logs: readonly MemoryLog[]) {
    this.logs = logs
    this.#committed = logs.map(log => log.start)
  }

  committed(partition: number): number {
    return this.#committed[partition] ?? 0
  }

  commit(partition: number, offset: number): void {
    this.#committed[partition] = offset
  }

  /** The log ends there now: what was committed or is in hand beyond is of a history that is gone. */
  rewind(partition: number, end: number): void {
    this.commit(partition, Math.min(this.committed(partition), end))
    for (const member of this.#members) member.rewind(partition, end)
  }

  join(member: MemoryMember): void {
    this.#members.push(member)
    this.#deal()
  }

  leave(member: MemoryMember): void {
    if (!this.#members.includes(member)) return
    this.#members = this.#members.filter(one => one !== member)
    member.hold([])
    this.#deal()
  }

  #deal(): void {
    const count = this.#members.length
    for (const [i, member] of this.#members.entries()) {
      member.hold(this.logs.flatMap((_, partition) => (partition % count === i ? [partition] : [])))
    }
  }
}

export class MemoryMember {
  readonly #group: MemoryGroup
  readonly #working: Working
  readonly #wake: () => void
  readonly #pool: WorkPool
  readonly #trackers = new Map<number, OffsetTracker>()
  readonly #heldSinceMs = new Map<number, number>()
  #isPaused = false
  #leaving: Promise<void> | null = null

  /** @param wake asks for a `read` in the next turn */
  constructor(group: MemoryGroup, working: Working, wake: () => void) {
    this.#group = group
    this.#working = working
    this.#wake = wake
    this.#pool = new WorkPool({
      size: working.poolSize,
      handle: record => working.handle(record),
      onLeft: () => this.#commit(),
      ...(working.onRejection && { onRejection: working.onRejection }),
    })
    group.join(this)
  }

  /** Takes over these partitions and keeps no others; those it keeps go on undisturbed. */
  hold(partitions: readonly number[]): void {
    for (const [partition, tracker] of this.#trackers) {
      if (partitions.includes(partition)) continue
      tracker.close()
      this.#trackers.delete(partition)
    }
    for (const partition of partitions) {
      if (this.#trackers.has(partition)) continue
      this.#trackers.set(partition, new OffsetTracker(this.#group.committed(partition)))
      this.#heldSinceMs.set(partition, performance.now())
    }
    this.#wake()
  }

  /** Goes on there, if it holds the partition and was further: what it has in hand is not committed. */
  rewind(partition: number, end: number): void {
    const tracker = this.#trackers.get(partition)
    if (!tracker || tracker.highest < end) return
    tracker.close()
    this.#trackers.set(partition, new OffsetTracker(end))
  }

  /** Hands to the pool what there is room for, a record from each partition in turn. */
  read(): void {
    if (this.#leaving || this.#isPaused) return
    let isMore = true
    while (isMore) {
      isMore = false
      for (const [partition, tracker] of this.#trackers) {
        if (this.#pool.held >= this.#working.heldMax) {
          this.#isPaused = true
          return
        }
        const log = this.#group.logs[partition]
        const record = log?.at(Math.max(tracker.highest + 1, log.start))
        if (!record) continue
        this.#pool.add({ ...record, heldSinceMs: this.#heldSinceMs.get(partition) ?? performance.now() }, tracker)
        isMore = true
      }
    }
  }

  get held(): number {
    return this.#pool.held
  }

  get stillMs(): number {
    return this.#pool.stillMs
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#pool.stop().then(() => {
      this.#commit()
      this.#group.leave(this)
    })
    return this.#leaving
  }

  /** Out of the group at once: what it has in hand goes to others, and what it still finishes is not committed. */
  expel(): void {
    this.#leaving ??= Promise.resolve()
    this.#pool.abandon()
    this.#group.leave(this)
  }

  #commit(): void {
    for (const [partition, tracker] of this.#trackers) this.#group.commit(partition, tracker.next)
    if (!this.#isPaused || this.#pool.held > this.#working.heldMax / 2) return
    this.#isPaused = false
    this.#wake()
  }
}
