// Where topics lie: their ids, who leads their partitions, where their logs begin and end. What is wrong with one topic is that
// topic's and hides no other. Uses of kafkajs 2.2.4: Cluster (metadata, offsets by time) of a client that tells topics apart.
import { type BusLog } from '#bus/log.ts'
import { type Client } from './client.ts'
import { errorOf, faultOf } from './internals.ts'
import { type TopicMetadata } from './metadata.ts'

export const earliest = -2
export const latest = -1

export interface TopicLookupOptions {
  client: Client
  log: BusLog
  /** A topic was asked for at `askedMs` and did not exist. */
  onMissing?: ((topic: string, askedMs: number) => void) | undefined
  /** For `askedMs`. */
  now(): number
}

export class TopicLookup {
  readonly #options: TopicLookupOptions
  readonly #missing = new Set<string>()
  #topics = new Map<string, TopicMetadata>()

  constructor(options: TopicLookupOptions) {
    this.#options = options
  }

  /** Asks the brokers. Rejects when none answers. */
  async refresh(topics: readonly string[]): Promise<void> {
    const { client, now } = this.#options
    const { cluster } = client
    await cluster.connect()
    for (const topic of topics) cluster.targetTopics.add(topic)
    const askedMs = now()
    await cluster.refreshMetadata()
    this.#learn()
    // Whoever asks while another question is under way shares its answer, which may not name these.
    if (topics.some(topic => !this.#topics.has(topic))) {
      await cluster.refreshMetadata()
      this.#learn()
    }
    for (const topic of topics) this.#notice(topic, askedMs)
  }

  isMissing(topic: string): boolean {
    return this.#missing.has(topic)
  }

  /** Undefined: it was not in the last answer, or that had nothing but an error of it. */
  idOf(topic: string): string | undefined {
    const found = this.#topics.get(topic)
    return found?.topicErrorCode === 0 ? found.topicId : undefined
  }

  /** What the brokers said of it instead of telling where it lies; undefined: nothing, or they were not asked. */
  errorOf(topic: string): Error | undefined {
    return errorOf(this.#topics.get(topic)?.topicErrorCode ?? 0) ?? undefined
  }

  /** Each of its partitions had a leader in the last answer. */
  isServed(topic: string): boolean {
    const partitions = this.#topics.get(topic)?.partitionMetadata ?? []
    return partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)
  }

  /** Undefined: the topic was not in the last answer. */
  hasPartition(topic: string, partition: number): boolean | undefined {
    return this.#topics.get(topic)?.partitionMetadata.some(({ partitionId }) => partitionId === partition)
  }

  /** Undefined: nobody leads it now. Throws what the brokers say about the topic. */
  leaderOf(topic: string, partition: number): string | undefined {
    const error = this.errorOf(topic)
    if (error) throw error
    const leader =
      this.#topics.get(topic)?.partitionMetadata.find(({ partitionId }) => partitionId === partition)?.leader ?? -1
    return leader < 0 ? undefined : String(leader)
  }

  /** Of the first record written since then; -1 when none was. `earliest` and `latest` ask for the log's beginning and end. */
  async offsetAt(topic: string, partition: number, sinceMs: number): Promise<number> {
    const query = [{ topic, partitions: [{ partition }], fromTimestamp: sinceMs }]
    const [answer] = await this.#options.client.cluster.fetchTopicsOffset(query)
    return Number(answer?.partitions[0]?.offset ?? -1)
  }

  #learn(): void {
    const { metadata } = this.#options.client.cluster.brokerPool
    this.#topics = new Map(metadata?.topicMetadata.map(found => [found.topic, found]))
  }

  #notice(topic: string, askedMs: number): void {
    if (faultOf(this.errorOf(topic)).type !== 'UNKNOWN_TOPIC_OR_PARTITION') {
      this.#missing.delete(topic)
      return
    }
    if (!this.#missing.has(topic))
      this.#options.log('warn', `topic ${topic} does not exist; asked for again until it does`)
    this.#missing.add(topic)
    this.#options.client.cluster.targetTopics.delete(topic)
    this.#options.onMissing?.(topic, askedMs)
  }
}
