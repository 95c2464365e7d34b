// Reads partitions from their leaders and goes on at the same offset whatever happens to brokers: one fetch at a time for all
// partitions that a broker leads, a long poll that answers as soon as there is a record. What fails of one partition is that
// partition's; where a log is not the one read before, that is told. No group, no commits: whoever uses this says where to begin.
import { Backoff } from './backoff.ts'
import { type Client } from './client.ts'
import { type FetchedPartition } from './fetch-response.ts'
import { errorOf, faultOf, fetchRecords, isOutOfRange, isStale } from './internals.ts'
import { type Part, Placed } from './placed-part.ts'
import { Progress, type ProgressOptions } from './progress.ts'
import { Step } from './step.ts'
import { TopicLookup } from './topic-lookup.ts'

const fetchBytesMax = 8_388_608
const partitionBytesMaxDefault = 1_048_576
/** Gaps between attempts while a broker is away. */
const backoffMinMs = 50
const backoffMaxMs = 1_000
/** Before a broker is asked again while the partitions of others are behind. */
const stepPauseMs = 10

export interface PartitionReaderOptions extends Omit<ProgressOptions, 'lookup'> {
  client: Client
  /** How long a broker may hold a fetch that finds nothing. */
  maxWaitMs: number
  /** Waited for before a fetch. */
  room?(): Promise<void>
  /** A topic was asked for at `askedMs` and did not exist. */
  onMissing?(topic: string, askedMs: number): void
  /** How far a partition may be read ahead of another, by the time of writing; without it as far as it goes. */
  stepMs?: number
  /** After an answer, or the lack of one: of all that can be read, what was written up to then was handed over. */
  onRead?(upToMs: number): void
  /** Of one partition in an answer; 1 MiB. */
  partitionBytesMax?: number
  /** For `sentMs` and `askedMs`. */
  now?(): number
  /** Of the brokers; a partition that fails by itself is written to the log. */
  onState(state: 'reading' | 'interrupted', cause?: unknown): void
}

export class PartitionReader {
  readonly #options: PartitionReaderOptions
  readonly #lookup: TopicLookup
  readonly #progress: Progress
  readonly #step: Step
  readonly #backoff = new Backoff(backoffMinMs, backoffMaxMs)
  /** One loop a broker. */
  readonly #loops = new Map<string, Promise<void>>()
  #placed: Placed[] = []
  #placing: Promise<void> | null = null
  readonly #onPlaced: (() => void)[] = []
  #isReading = false
  #turn = 0
  #isStopped = false

  constructor(options: PartitionReaderOptions) {
    this.#options = options
    const { client, log, onMissing } = options
    this.#lookup = new TopicLookup({ client, log, onMissing, now: () => this.#now() })
    this.#progress = new Progress({ ...options, lookup: this.#lookup })
    this.#step = new Step(options.stepMs ?? Number.POSITIVE_INFINITY, () => performance.now())
  }

  /** Reads these from now on and no others. Resolves when each that exists has its position, or when stopped. */
  assign(parts: readonly Part[]): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    this.#placed = parts.map(part => new Placed(part, this.#options.log))
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
        await this.#placeOnce(placed.filter(one => isHomeless(one) && one.isDue()))
        if (this.#isStopped) return
        // Assigned anew meanwhile.
        if (placed !== this.#placed) continue
        this.#startLoops()
        this.#tellPlaced()
        if (placed.every(one => this.#isSettled(one))) this.#resume()
        if (!placed.some(isHomeless)) return
      } catch (error) {
        this.#interrupt(error)
        if (!isStale(faultOf(error))) await this.#options.client.reset()
      }
      await this.#backoff.pause()
    }
  }

  /** Read, or not to be read for a reason that is known and its own. */
  #isSettled(placed: Placed): boolean {
    return !isHomeless(placed) || placed.isShown || this.#lookup.isMissing(placed.part.topic)
  }

  async #placeOnce(homeless: readonly Placed[]): Promise<void> {
    if (homeless.length === 0) return
    await this.#lookup.refresh([...new Set(homeless.map(({ part }) => part.topic))])
    for (const placed of homeless) {
      const { topic, partition } = placed.part
      try {
        const leader = this.#lookup.leaderOf(topic, partition)
        if (leader === undefined) placed.rest()
        else {
          await this.#progress.begin(placed.part)
          placed.leader = leader
        }
      } catch (error) {
        if (faultOf(error).type === undefined) throw error
        if (this.#lookup.isMissing(topic)) placed.rest()
        else placed.failed(error)
      }
    }
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
      const asked = this.#step.choose(mine, this.#placed)
      if (asked.length === 0) {
        await this.#backoff.pauseFor(stepPauseMs)
        continue
      }
      try {
        await this.#fetch(leader, asked)
        this.#backoff.reset()
        this.#tellRead()
      } catch (error) {
        await this.#recover(leader, mine, error)
        return
      }
    }
  }

  async #fetch(leader: string, asked: readonly Placed[]): Promise<void> {
    const broker = await this.#options.client.cluster.findBroker({ nodeId: leader })
    const sentMs = this.#now()
    const turn = ++this.#turn
    const { partitionBytesMax = partitionBytesMaxDefault } = this.#options
    // A broker fills its answer in this order: who was served longest ago comes first, so that a long backlog starves none.
    const inTurn = asked.toSorted((a, b) => a.served - b.served)
    const partitions = await fetchRecords(broker, {
      maxWaitMs: this.#options.maxWaitMs,
      minBytes: 1,
      maxBytes: fetchBytesMax,
      parts: inTurn.map(({ part }) => ({
        topic: part.topic,
        topicId: part.topicId ?? '',
        partition: part.partition,
        offset: part.position ?? 0,
        leaderEpoch: part.leaderEpoch ?? -1,
        maxBytes: partitionBytesMax,
      })),
    })
    // Answered in the order asked for, so it is found at once.
    for (const [i, fetched] of partitions.entries()) {
      const placed = isOf(inTurn[i], fetched) ? inTurn[i] : asked.find(one => isOf(one, fetched))
      // What was fetched for an assignment that is over has another's position: not ours to hand over.
      if (!placed || !this.#placed.includes(placed) || this.#isStopped) continue
      if (fetched.records.length > 0) placed.served = turn
      const error = errorOf(fetched.errorCode)
      if (error) {
        await this.#fail(placed, error)
        continue
      }
      placed.succeeded()
      const taken = this.#progress.take(placed.part, fetched, sentMs)
      if (taken) await taken
      this.#step.reached(placed, fetched, { sentMs, isFirst: i === 0 })
    }
  }

  /** What is wrong with one partition is its own: it is tried again, and the others go on. */
  async #fail(placed: Placed, error: Error): Promise<void> {
    let cause: unknown = error
    try {
      const isOver = isOutOfRange(faultOf(error)) && (await this.#progress.recover(placed.part, ++placed.doubts))
      if (isOver) return placed.succeeded()
    } catch (fault) {
      cause = fault
    }
    placed.failed(cause)
    this.#place()
  }

  /** After a failed fetch its parts look for their leaders anew. */
  async #recover(leader: string, mine: readonly Placed[], error: unknown): Promise<void> {
    if (this.#isStopped) return
    if (!isStale(faultOf(error))) {
      this.#interrupt(error)
      await this.#options.client.drop(leader)
    }
    for (const placed of mine) placed.leader = null
    this.#tellRead()
    await this.#backoff.pauseFor(backoffMinMs)
    this.#place()
  }

  #tellRead(): void {
    if (!this.#isStopped) this.#options.onRead?.(this.#step.readUpToMs(this.#placed))
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
