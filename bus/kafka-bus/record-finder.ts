// Finds one record where it lies, and the cluster's name: questions that are answered at once or, with the road away, refused in
// time. On connections of its own, where nothing polls: readers of any partition wait for nobody. Uses of kafkajs 2.2.4: Cluster
// (leaders, metadata) and its connections through internals.ts.
import { type IncomingRecord, RoadError } from '#bus/bus.ts'
import { silent } from '#bus/log.ts'
import { Backoff } from './backoff.ts'
import { type Client } from './client.ts'
import { errorOf, faultOf, fetchRecords, isOutOfRange, isStale } from './internals.ts'
import { TopicLookup } from './topic-lookup.ts'

/** An answer takes no longer, tries included. */
const deadlineMs = 3_000
const retryMinMs = 30
const retryMaxMs = 500
/** A broker sends a batch whole, however long: the one that holds the record, and no more. */
const bytesMax = 1
/** Kafka's ListOffsets: the end of the log. */
const latest = -1

interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Past what the leader shows: not written, or, in the moments after a leader came back, not shown again yet. */
class NotVisible extends Error {}

export class RecordFinder {
  readonly #client: Client
  readonly #lookup: TopicLookup
  /** Something failed: metadata is asked for again before it is used. */
  #isDoubtful = false
  #clusterId: string | null = null

  constructor(client: Client) {
    this.#client = client
    this.#lookup = new TopicLookup({ client, log: silent, now: () => 0 })
  }

  /** Undefined: there is no such record. Throws RoadError. */
  readAt(topic: string, partition: number, offset: number): Promise<IncomingRecord | undefined> {
    if (!Number.isSafeInteger(offset) || offset < 0) return Promise.resolve(undefined)
    return this.#persist(() => this.#readOnce({ topic, partition, offset })).catch(error => {
      if (error instanceof RoadError && error.cause instanceof NotVisible) return undefined
      throw error
    })
  }

  /** 0: there is no such topic. Throws RoadError. */
  endOf(topic: string, partition: number): Promise<number> {
    return this.#persist(async () => {
      if ((await this.#leaderOf({ topic, partition, offset: 0 })) === undefined) return 0
      try {
        const query = [{ topic, partitions: [{ partition }], fromTimestamp: latest }]
        const [answer] = await this.#client.cluster.fetchTopicsOffset(query)
        return Math.max(0, Number(answer?.partitions[0]?.offset ?? 0))
      } catch (error) {
        this.#isDoubtful = true
        throw error
      }
    })
  }

  /** The same for as long as the cluster's log is not formatted. Throws RoadError. */
  async clusterId(): Promise<string> {
    this.#clusterId ??= await this.#persist(() => this.#askClusterId())
    return this.#clusterId
  }

  /** Rejects what is under way. Idempotent. */
  close(): Promise<void> {
    return this.#client.close()
  }

  async #readOnce(place: Place): Promise<IncomingRecord | undefined> {
    const leader = await this.#leaderOf(place)
    if (leader === undefined) return undefined
    try {
      return await this.#fetch(leader, place)
    } catch (error) {
      const fault = faultOf(error)
      if (isOutOfRange(fault)) return undefined
      if (error instanceof NotVisible) throw error
      this.#isDoubtful = true
      if (!isStale(fault)) await this.#client.drop(leader)
      throw error
    }
  }

  async #fetch(leader: string, { topic, partition, offset }: Place): Promise<IncomingRecord | undefined> {
    const broker = await this.#client.cluster.findBroker({ nodeId: leader })
    const topicId = this.#lookup.idOf(topic) ?? ''
    const [fetched] = await fetchRecords(broker, {
      // What is not written yet is not waited for: on one connection the next question waits for this answer.
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: bytesMax,
      parts: [{ topic, topicId, partition, offset, leaderEpoch: -1, maxBytes: bytesMax }],
    })
    const error = errorOf(fetched?.errorCode ?? 0)
    if (error) throw error
    if (fetched !== undefined && offset >= fetched.highWatermark) throw new NotVisible()
    return fetched?.records.find(record => Number(record.offset) === offset)
  }

  /** Undefined: the brokers have no such topic or partition. */
  async #leaderOf({ topic, partition }: Place): Promise<string | undefined> {
    if (this.#isDoubtful || this.#lookup.idOf(topic) === undefined) await this.#refresh(topic)
    if (this.#lookup.isMissing(topic)) return undefined
    const leader = this.#lookup.leaderOf(topic, partition)
    if (leader !== undefined) return leader
    // Others ask for their topics at the same time, and metadata may have been replaced by theirs.
    this.#isDoubtful = true
    if (this.#lookup.hasPartition(topic, partition) !== false) throw new Error(`${topic}/${partition} has no leader`)
    return undefined
  }

  async #refresh(topic: string): Promise<void> {
    try {
      await this.#lookup.refresh([topic])
      this.#isDoubtful = false
    } catch (error) {
      if (!isStale(faultOf(error))) await this.#client.reset()
      throw error
    }
  }

  async #askClusterId(): Promise<string> {
    const { cluster } = this.#client
    try {
      await cluster.connect()
      if (!cluster.brokerPool.metadata) await cluster.refreshMetadata()
    } catch (error) {
      if (!isStale(faultOf(error))) await this.#client.reset()
      throw error
    }
    const clusterId = cluster.brokerPool.metadata?.clusterId
    if (!clusterId) throw new Error('the cluster did not say its id')
    return clusterId
  }

  /** Tries until the deadline. An attempt under way then is given up; it ends by itself and drops what did not answer. */
  async #persist<T>(act: () => Promise<T>): Promise<T> {
    const lateAtMs = performance.now() + deadlineMs
    const backoff = new Backoff(retryMinMs, retryMaxMs)
    let cause: unknown
    while (!this.#client.isClosed && performance.now() < lateAtMs) {
      try {
        return await beforeDeadline(act(), lateAtMs - performance.now())
      } catch (error) {
        cause = error
        await backoff.pause()
      }
    }
    throw new RoadError(this.#client.isClosed ? 'the bus is closed' : 'the brokers did not answer in time', { cause })
  }
}

async function beforeDeadline<T>(attempt: Promise<T>, remainingMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), remainingMs)
  })
  try {
    return await Promise.race([attempt, late])
  } finally {
    clearTimeout(timer)
  }
}
