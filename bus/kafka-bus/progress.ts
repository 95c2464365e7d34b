// How far a partition is read: hands over what an answer brings, moves the position, and tells where what follows does not follow from
// what was handed over. Which answer means what is decided here and in gap.ts; when to ask is partition-reader.ts's business.
import { type IncomingRecord, type ReadPosition } from '#bus/bus.ts'
import { findJump, type Jump, type LogState } from '#bus/gap.ts'
import { type BusLog } from '#bus/log.ts'
import { type FetchedPartition } from './fetch-response.ts'
import { type Part } from './placed-part.ts'
import { earliest, latest, type TopicLookup } from './topic-lookup.ts'

export interface ProgressOptions {
  lookup: TopicLookup
  /** Records of one partition, in order. Nothing more is fetched from its broker until what this returns has resolved. */
  onRecords(part: Part, records: IncomingRecord[]): void | Promise<void>
  /** What follows does not follow from what was handed over: `part` is where reading goes on. Must not throw. */
  onJump?(part: Part, jump: Jump): void
  /** After `onRecords`: where the log ended for a fetch that was sent at `sentMs`. Told of fetches that found nothing too. */
  onFetched?(part: Part, end: number, sentMs: number): void
  log: BusLog
}

/** So often an offset that the log has is out of range before the epoch is taken to be what the log does not have. */
const doubtsMax = 3

export class Progress {
  readonly #options: ProgressOptions

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  /** Where it begins, or goes on if its topic was made anew. What it has not known of its topic it learns. */
  async begin(part: Part): Promise<void> {
    const { topic, partition, start, topicId } = part
    const idNow = this.#options.lookup.idOf(topic)
    const isRemade = topicId !== undefined && topicId !== idNow
    if (part.position === null && start !== 'oldest') part.position = await this.#offsetSince(part, start.sinceMs)
    else if (part.position === null || isRemade) {
      const oldest = await this.#options.lookup.offsetAt(topic, partition, earliest)
      const jump = findJump(positionOf(part), { topicId: idNow ?? '', oldest, end: oldest })
      part.topicId = idNow
      if (jump) this.#jump(part, jump)
      part.position ??= oldest
    }
    part.topicId = idNow
  }

  /** The end is asked for first: what is written between the two questions must not be skipped. */
  async #offsetSince({ topic, partition }: Part, sinceMs: number): Promise<number> {
    const end = await this.#options.lookup.offsetAt(topic, partition, latest)
    const since = await this.#options.lookup.offsetAt(topic, partition, Math.max(0, Math.floor(sinceMs)))
    return since < 0 ? end : since
  }

  /** The part's part of an answer, which has no error. Resolves when its records are handed over. */
  take(part: Part, fetched: FetchedPartition, sentMs: number): void | Promise<void> {
    const { diverging, oldest, highWatermark } = fetched
    if (diverging) return void this.#jumpIn(part, { oldest, end: highWatermark, epochEnd: diverging })
    const position = part.position ?? 0
    // Without progress the same would come for ever: a batch that is not where it says.
    const isStuck = fetched.nextOffset > 0 && fetched.nextOffset <= position
    if (isStuck) fetched.unreadable = [{ from: position, to: position + 1, why: 'a batch is not at its place' }]
    const taken = fetched.unreadable.length > 0 ? this.#handOverAround(part, fetched) : this.#handOver(part, fetched)
    if (taken) return taken.then(() => this.#options.onFetched?.(part, highWatermark, sentMs))
    this.#options.onFetched?.(part, highWatermark, sentMs)
  }

  #handOver(part: Part, { records, nextOffset, leaderEpoch }: Handed): void | Promise<void> {
    const position = part.position ?? 0
    // A batch is sent whole, with records before the offset asked for.
    const isAllNew = records.length === 0 || Number(records[0]?.offset) >= position
    const unread = isAllNew ? records : records.filter(one => Number(one.offset) >= position)
    part.position = Math.max(position, nextOffset)
    if (nextOffset > 0) part.leaderEpoch = leaderEpoch
    return unread.length > 0 ? this.#options.onRecords(part, unread) : undefined
  }

  /** The records before, between and after batches that cannot be read, with those told in their places. */
  async #handOverAround(part: Part, fetched: FetchedPartition): Promise<void> {
    const { leaderEpoch, nextOffset } = fetched
    let { records } = fetched
    for (const { from, to, why } of fetched.unreadable) {
      const before = records.filter(({ offset }) => Number(offset) < from)
      records = records.slice(before.length)
      await this.#handOver(part, { records: before, nextOffset: from, leaderEpoch })
      if (to <= (part.position ?? 0)) continue
      this.#options.log('warn', `${part.topic}/${part.partition} has a batch that cannot be read: ${why}`, { from, to })
      const gap = { reason: 'unreadable', from: Math.max(from, part.position ?? 0), to } as const
      part.position = to
      this.#options.onJump?.(part, gap)
    }
    await this.#handOver(part, { records, nextOffset, leaderEpoch })
  }

  /**
   * The broker refused the position as out of range. True: reading goes on elsewhere. False: the log has it, so it may be asked for
   * again.
   * @param doubts so often in a row it was refused
   */
  async recover(part: Part, doubts: number): Promise<boolean> {
    const { topic, partition } = part
    const oldest = await this.#options.lookup.offsetAt(topic, partition, earliest)
    const end = await this.#options.lookup.offsetAt(topic, partition, latest)
    const epochEnd = doubts < doubtsMax ? undefined : { leaderEpoch: -1, offset: oldest - 1 }
    return this.#jumpIn(part, { oldest, end, epochEnd })
  }

  #jumpIn(part: Part, log: Omit<LogState, 'topicId'>): boolean {
    const jump = findJump(positionOf(part), { ...log, topicId: part.topicId ?? '' })
    if (jump) this.#jump(part, jump)
    return jump !== null
  }

  #jump(part: Part, jump: Jump): void {
    const { reason, from, to, leaderEpoch } = jump
    this.#options.log('warn', `${part.topic}/${part.partition} is ${reason}: reading goes from ${from} to ${to}`)
    part.position = to
    part.leaderEpoch = leaderEpoch
    this.#options.onJump?.(part, jump)
  }
}

type Handed = Pick<FetchedPartition, 'records' | 'nextOffset' | 'leaderEpoch'>

/** Undefined: never read. */
function positionOf({ position, topicId, leaderEpoch }: Part): ReadPosition | undefined {
  if (position === null) return undefined
  return {
    next: position,
    ...(topicId === undefined ? {} : { topicId }),
    ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
  }
}
