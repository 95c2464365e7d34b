// Reads partitions from their leaders and goes on at the same offset whatever happens to brokers: one fetch at a time for all
// partitions that a broker leads, a long poll that answers as soon as there is a record. No group, no commits: whoever uses this
// says where to begin. Uses of kafkajs 2.2.4: Cluster (leaders, offsets by time) and its connections through internals.ts.
import { type IncomingRecord } from '#bus/bus.ts'
import { type BusLog } from '#bus/log.ts'
import { Backoff } from './backoff.ts'
import { type Client } from './client.ts'
import { type FetchedPartition } from './fetch-response.ts'
import { type Fault, faultOf, fetchRecords, isOutOfRange, isStale } from './internals.ts'

const fetchBytesMax = 8_388_608
const partitionBytesMax = 1_048_576
/** Gaps between attempts while a broker is away or a topic is missing. */
const backoffMinMs = 50
const backoffMaxMs = 1_000
const earliest = -2
const latest = -1

/** Where to begin: at an offset, at the first record written since then, or at the oldest. */
export type Start = { offset: number } | { sinceMs: number } | 'oldest'

export interface Part {
  readonly topic: string
  readonly partition: number
  /** The offset to read next; null until `start` is looked up. */
  position: number | null
  readonly start: Start
}

export interface PartitionReaderOptions {
  client: Client
  /** How long a broker may hold a fetch that finds nothing. */
  maxWaitMs: number
  /** Records of one partition, in order. Nothing more is fetched from its broker until what this returns has resolved. */
  onRecords(part: Part, records: IncomingRecord[]): void | Promise<void>
  /** Waited for before a fetch. */
  room?(): Promise<void>
  /** The log does not have the position, so reading goes to another one, once this has resolved. Must not reject. */
  onJump?(part: Part, expected: number): void | Promise<void>
  /** Where reading goes on when the log ends before the position. */
  pastEnd?: 'end' | 'oldest'
  /** After `onRecords`: where the log ended for a fetch that was sent at `sentMs`. Told of fetches that found nothing too. */
  onFetched?(part: Part, end: number, sentMs: number): void
  /** A topic was asked for at `askedMs` and did not exist. */
  onMissing?(topic: string, askedMs: number): void
  /** For `sentMs` and `askedMs`. */
  now?(): number
  onState(state: 'reading' | 'interrupted', cause?: unknown): void
  log: BusLog
}

/** A part and the node it is read from; null while that is not known. */
interface Placed {
  readonly part: Part
  leader: string | null
  /** The fetch that last brought records of it, by number. */
  served: number
}

export class PartitionReader {
  readonly #options: PartitionReaderOptions
  readonly #backoff = new Backoff(backoffMinMs, backoffMaxMs)
  /** One loop a broker. */
  readonly #loops = new Map<string, Promise<void>>()
  #placed: Placed[] = []
  #placing: Promise<void> | null = null
  readonly #onPlaced: (() => void)[] = []
  readonly #missingTopics = new Set<string>()
  #isReading = false
  #turn = 0
  #isStopped = false

  constructor(options: PartitionReaderOptions) {
    this.#options = options
  }

  /** Reads these from now on and no others. Resolves when each that exists has its position, or when stopped. */
  assign(parts: readonly Part[]): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    this.#placed = parts.map(part => ({ part, leader: null, served: 0 }))
    return new Promise(resolve => {
      this.#onPlaced.push(resolve)
      this.#place()
    })
  }

  /** Idempotent; closes the client. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#backoff.stop()
    await this.#options.client.close()
    await Promise.all([this.#placing, ...this.#loops.values()])
    this.#tellPlaced()
  }

  /** Finds a leader for every part that has none, again and again until all have one; one such search at a time. */
  #place(): void {
    this.#placing ??= this.#search().finally(() => {
      this.#placing = null
      if (!this.#isStopped && this.#placed.some(isHomeless)) this.#place()
    })
  }

  async #search(): Promise<void> {
    while (!this.#isStopped) {
      const placed = this.#placed
      try {
        await this.#placeOnce(placed.filter(isHomeless))
        if (this.#isStopped) return
        // Assigned anew meanwhile.
        if (placed !== this.#placed) continue
        this.#startLoops()
        this.#tellPlaced()
        if (placed.every(one => !isHomeless(one) || this.#missingTopics.has(one.part.topic))) this.#resume()
        if (!placed.some(isHomeless)) return
      } catch (error) {
        this.#interrupt(error)
        if (!isStale(faultOf(error))) await this.#options.client.reset()
      }
      await this.#backoff.pause()
    }
  }

  async #placeOnce(homeless: readonly Placed[]): Promise<void> {
    if (homeless.length === 0) return
    await this.#refresh([...new Set(homeless.map(({ part }) => part.topic))])
    for (const placed of homeless) {
      const leader = this.#leaderOf(placed.part)
      if (leader === null) continue
      placed.part.position ??= await this.#locate(placed.part)
      placed.leader = leader
    }
  }

  /** Fetches metadata. A topic that does not exist must not hide the others', so on that fault each is asked for by itself. */
  async #refresh(topics: readonly string[]): Promise<void> {
    const { cluster } = this.#options.client
    await cluster.connect()
    try {
      if (topics.every(topic => cluster.targetTopics.has(topic))) await cluster.refreshMetadata()
      else await cluster.addMultipleTargetTopics(topics)
      this.#missingTopics.clear()
    } catch (error) {
      if (faultOf(error).type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      for (const topic of topics) cluster.targetTopics.delete(topic)
      for (const topic of topics) await this.#refreshOne(topic)
    }
  }

  async #refreshOne(topic: string): Promise<void> {
    const askedMs = this.#now()
    try {
      await this.#options.client.cluster.addMultipleTargetTopics([topic])
      this.#missingTopics.delete(topic)
    } catch (error) {
      if (faultOf(error).type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      if (!this.#missingTopics.has(topic))
        this.#options.log('warn', `topic ${topic} does not exist; asked for again until it does`)
      this.#missingTopics.add(topic)
      this.#options.onMissing?.(topic, askedMs)
    }
  }

  /** The node that leads it, as the metadata has it; null if there is none. */
  #leaderOf({ topic, partition }: Part): string | null {
    const known = this.#options.client.cluster.targetTopics.has(topic)
    const found = known ? this.#partitionsOf(topic).find(one => one.partitionId === partition) : undefined
    return found && found.leader >= 0 ? String(found.leader) : null
  }

  #partitionsOf(topic: string): { partitionId: number; leader: number }[] {
    return this.#options.client.cluster.findTopicPartitionMetadata(topic)
  }

  async #locate(part: Part): Promise<number> {
    if (part.start === 'oldest') return this.#offsetAt(part, earliest)
    return 'offset' in part.start ? part.start.offset : this.#offsetSince(part, part.start.sinceMs)
  }

  /** The end is asked for first: what is written between the two questions must not be skipped. */
  async #offsetSince(part: Part, sinceMs: number): Promise<number> {
    const end = await this.#offsetAt(part, latest)
    const since = await this.#offsetAt(part, Math.max(0, Math.floor(sinceMs)))
    return since < 0 ? end : since
  }

  async #offsetAt({ topic, partition }: Part, fromTimestamp: number): Promise<number> {
    const query = [{ topic, partitions: [{ partition }], fromTimestamp }]
    const [answer] = await this.#options.client.cluster.fetchTopicsOffset(query)
    return Number(answer?.partitions[0]?.offset ?? -1)
  }

  #startLoops(): void {
    for (const { leader } of this.#placed) {
      if (leader === null || this.#loops.has(leader)) continue
      const loop = this.#readFrom(leader).finally(() => {
        this.#loops.delete(leader)
        // Parts may have been placed here while the loop was ending.
        if (!this.#isStopped) this.#startLoops()
      })
      this.#loops.set(leader, loop)
    }
  }

  /** Reads what this broker leads until it leads nothing or fails. */
  async #readFrom(leader: string): Promise<void> {
    while (!this.#isStopped) {
      if (this.#options.room) await this.#options.room()
      const mine = this.#placed.filter(placed => placed.leader === leader)
      if (mine.length === 0 || this.#isStopped) return
      try {
        await this.#fetch(leader, mine)
        this.#backoff.reset()
      } catch (error) {
        await this.#recover(leader, mine, error)
        return
      }
    }
  }

  async #fetch(leader: string, mine: readonly Placed[]): Promise<void> {
    const { client, maxWaitMs } = this.#options
    const broker = await client.cluster.findBroker({ nodeId: leader })
    const sentMs = this.#now()
    const turn = ++this.#turn
    // A broker fills its answer in this order: who was served longest ago comes first, so that a long backlog starves none.
    const inTurn = mine.toSorted((a, b) => a.served - b.served)
    const partitions = await fetchRecords(broker, {
      isolationLevel: 0,
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      topics: inTurn.map(({ part }) => ({
        topic: part.topic,
        partitions: [
          { partition: part.partition, fetchOffset: String(part.position ?? 0), maxBytes: partitionBytesMax },
        ],
      })),
    })
    // Answered in the order asked for, so it is found at once.
    for (const [i, fetched] of partitions.entries()) {
      const placed = isOf(inTurn[i], fetched) ? inTurn[i] : mine.find(one => isOf(one, fetched))
      // What was fetched for an assignment that is over has another's position: not ours to hand over.
      if (!placed || !this.#placed.includes(placed) || this.#isStopped) continue
      if (fetched.records.length > 0) placed.served = turn
      const taken = this.#handOver(placed.part, fetched, sentMs)
      if (taken) await taken
    }
  }

  #handOver(part: Part, fetched: FetchedPartition, sentMs: number): void | Promise<void> {
    const position = part.position ?? 0
    const { records: all, nextOffset, highWatermark } = fetched
    // A batch is sent whole, with records before the offset asked for.
    const records =
      all.length > 0 && Number(all[0]?.offset) < position ? all.filter(one => Number(one.offset) >= position) : all
    part.position = Math.max(position, nextOffset)
    const taken = records.length > 0 ? this.#options.onRecords(part, records) : undefined
    this.#options.onFetched?.(part, highWatermark, sentMs)
    return taken
  }

  /** After a failed fetch its parts look for their leaders anew. */
  async #recover(leader: string, mine: readonly Placed[], error: unknown): Promise<void> {
    if (this.#isStopped) return
    const fault = faultOf(error)
    if (isOutOfRange(fault)) await this.#jump(mine, fault)
    else if (!isStale(fault)) {
      this.#interrupt(error)
      await this.#options.client.drop(leader)
    }
    for (const placed of mine) placed.leader = null
    await this.#backoff.pauseFor(backoffMinMs)
    this.#place()
  }

  /** What was asked for is deleted by retention, or (after an unclean election) was never there. */
  async #jump(mine: readonly Placed[], fault: Fault): Promise<void> {
    for (const { part } of mine) {
      if (fault.topic !== undefined && (part.topic !== fault.topic || part.partition !== fault.partition)) continue
      try {
        const [oldest, end] = [await this.#offsetAt(part, earliest), await this.#offsetAt(part, latest)]
        const expected = part.position ?? 0
        const isPast = expected > end && this.#options.pastEnd === 'oldest'
        const position = isPast ? oldest : Math.min(Math.max(expected, oldest), end)
        if (position === expected) continue
        this.#options.log('warn', `${part.topic}/${part.partition} does not have offset ${expected}: on at ${position}`)
        part.position = position
        await this.#options.onJump?.(part, expected)
      } catch (error) {
        this.#interrupt(error)
      }
    }
  }

  #now(): number {
    return this.#options.now?.() ?? 0
  }

  #resume(): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#options.onState('reading')
  }

  #interrupt(cause: unknown): void {
    if (!this.#isReading || this.#isStopped) return
    this.#isReading = false
    this.#options.onState('interrupted', cause)
  }

  #tellPlaced(): void {
    for (const tell of this.#onPlaced.splice(0)) tell()
  }
}

const isOf = (placed: Placed | undefined, { topic, partition }: FetchedPartition): boolean =>
  placed?.part.partition === partition && placed.part.topic === topic

const isHomeless = (placed: Placed): boolean => placed.leader === null
