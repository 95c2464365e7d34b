// Works off a topic with the other members of its group: one part reads (partition-reader.ts), one keeps the place in the group
// and commits (group-member.ts), and the pool handles. Records of a partition that went to another member are not begun any more
// and never committed; those of a partition that stays go on through a rebalance and are not read again.
import { type IncomingRecord, type Worker, type Working } from '#bus/bus.ts'
import { type Jump } from '#bus/gap.ts'
import { type BusLog } from '#bus/log.ts'
import { OffsetTracker } from '#bus/offset-tracker.ts'
import { WorkPool } from '#bus/work-pool.ts'
import { type Client } from './client.ts'
import { GroupMember } from './group-member.ts'
import { PartitionReader } from './partition-reader.ts'
import { type Part } from './placed-part.ts'

/** An assignment waits for the poll under way at most this long. */
const maxWaitMs = 250
/** How long a rebalance waits for handlers, so that no record is handled here and by its next holder at once. */
const quiesceMs = 1_000

export interface Clients {
  /** For the group: its requests must not queue behind a long poll. */
  member: Client
  reader: Client
}

export class KafkaWorker implements Worker {
  readonly ready: Promise<void>
  readonly #working: Working
  readonly #pool: WorkPool
  readonly #member: GroupMember
  readonly #reader: PartitionReader
  readonly #trackers = new Map<number, OffsetTracker>()
  readonly #heldSinceMs = new Map<number, number>()
  readonly #states = { member: false, reader: false }
  #isTold: 'working' | 'interrupted' | null = null
  #onRoom: (() => void)[] = []
  #resolveReady = (): void => {}
  #stopping: Promise<void> | null = null

  constructor({ member, reader }: Clients, working: Working, log: BusLog) {
    this.#working = working
    this.ready = new Promise(resolve => (this.#resolveReady = resolve))
    this.#pool = new WorkPool({
      size: working.poolSize,
      handle: record => working.handle(record),
      onLeft: () => this.#tellRoom(),
      onRejection: (error, record, pauseMs) => {
        log('warn', `a handler of ${working.group} rejected; its record is handled again`, { error, pauseMs })
        working.onRejection?.(error, record, pauseMs)
      },
    })
    this.#reader = new PartitionReader({
      client: reader,
      maxWaitMs,
      log,
      onRecords: (part, records) => this.#take(part, records),
      onJump: (part, jump) => this.#jump(part, jump),
      onState: (state, cause) => this.#change('reader', state === 'reading', cause),
    })
    this.#member = new GroupMember({
      client: member,
      topic: working.topic,
      group: working.group,
      log,
      onRebalance: () => this.#pool.quiesce(quiesceMs),
      onAssigned: committed => this.#assign(committed),
      finished: () => new Map(Array.from(this.#trackers, ([partition, tracker]) => [partition, tracker.next])),
      onState: (state, cause) => this.#change('member', state === 'working', cause),
    })
  }

  get held(): number {
    return this.#pool.held
  }

  get stillMs(): number {
    return this.#pool.stillMs
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** As if the process died: nothing is waited for, nothing committed. */
  async abandon(): Promise<void> {
    this.#stopping ??= Promise.resolve()
    this.#pool.abandon()
    this.#tellRoom()
    await Promise.all([this.#reader.stop(), this.#member.abandon()])
    this.#resolveReady()
  }

  /** The place in the group is kept until what is being handled has ended, so that it can be committed. */
  async #stop(): Promise<void> {
    const handled = this.#pool.stop()
    this.#tellRoom()
    await Promise.all([this.#reader.stop(), handled])
    await this.#member.stop()
    this.#resolveReady()
  }

  /** Partitions kept go on where this member is, unless the group is further. */
  #assign(committed: ReadonlyMap<number, number | null>): void {
    for (const [partition, tracker] of this.#trackers) {
      if (committed.has(partition)) continue
      tracker.close()
      this.#trackers.delete(partition)
    }
    for (const partition of this.#heldSinceMs.keys()) {
      if (!committed.has(partition)) this.#heldSinceMs.delete(partition)
    }
    for (const partition of committed.keys()) {
      if (!this.#heldSinceMs.has(partition)) this.#heldSinceMs.set(partition, performance.now())
    }
    this.#pool.resume()
    this.#tellRoom()
    const parts = Array.from(committed, ([partition, offset]) => this.#partOf(partition, offset))
    void this.#reader.assign(parts).then(() => this.#resolveReady())
  }

  #partOf(partition: number, committed: number | null): Part {
    const { topic } = this.#working
    const tracker = this.#trackers.get(partition)
    if (!tracker) return { topic, partition, position: committed, start: 'oldest' }
    return { topic, partition, position: Math.max(tracker.highest + 1, committed ?? 0), start: 'oldest' }
  }

  /** Forwards the tracker goes on. Backwards there is another history: what is in hand of the old one is not committed. */
  #jump({ partition }: Part, { to, reason }: Jump): void {
    const tracker = this.#trackers.get(partition)
    if (tracker && reason !== 'remade' && to > tracker.highest) return
    this.#track(partition, to)
    this.#member.rewind(partition)
  }

  /** Hands records to the pool as it has room. Until all are taken the reader fetches no more. */
  async #take({ partition }: Part, records: IncomingRecord[]): Promise<void> {
    const tracker = this.#trackers.get(partition) ?? this.#track(partition, Number(records[0]?.offset))
    for (const record of records) {
      if (this.#pool.held >= this.#working.heldMax) await this.#room(tracker)
      if (this.#stopping || tracker.isClosed) return
      record.heldSinceMs = this.#heldSinceMs.get(record.partition) ?? performance.now()
      // Read twice: an assignment began at what had been taken while more was being taken.
      if (Number(record.offset) > tracker.highest) this.#pool.add(record, tracker)
    }
  }

  #track(partition: number, start: number): OffsetTracker {
    this.#trackers.get(partition)?.close()
    const tracker = new OffsetTracker(start)
    this.#trackers.set(partition, tracker)
    return tracker
  }

  /** Once full, the pool is filled again when it is half empty. */
  async #room(tracker: OffsetTracker): Promise<void> {
    while (!this.#stopping && !tracker.isClosed && this.#pool.held > this.#working.heldMax / 2) {
      await new Promise<void>(resolve => this.#onRoom.push(resolve))
    }
  }

  #tellRoom(): void {
    if (this.#onRoom.length === 0) return
    const waiting = this.#onRoom
    this.#onRoom = []
    for (const tell of waiting) tell()
  }

  #change(part: 'member' | 'reader', isWell: boolean, cause?: unknown): void {
    this.#states[part] = isWell
    const state = this.#states.member && this.#states.reader ? 'working' : 'interrupted'
    if (state === this.#isTold || (state === 'interrupted' && this.#isTold === null) || this.#stopping) return
    this.#isTold = state
    this.#working.onState?.(state, cause)
  }
}
