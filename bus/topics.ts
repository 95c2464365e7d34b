// The only place a topic is spelt: names, partitions, retention, who writes and who reads (DESIGN: the road).
import { type ProviderId } from '#contracts/contract.ts'

export const requestPartitions = 6
export const replyPartitions = 8
export const notePartitions = 6

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** As Kafka's `retention.ms` says it. */
const forEver = -1

export const requestTopic = (provider: ProviderId): string => `ndx.request.${provider}`
export const replyTopic = (provider: ProviderId): string => `ndx.reply.${provider}`
export const noteTopic = 'ndx.note'
export const isRequestTopic = (topic: string): boolean => topic.startsWith('ndx.request.')
export const isReplyTopic = (topic: string): boolean => topic.startsWith('ndx.reply.')
/** Whose request or reply topic it is; undefined: neither. */
export const providerOfTopic = (topic: string): string | undefined => /^ndx\.(?:request|reply)\.(.+)$/.exec(topic)?.[1]
/** Messages that were given up: where they are, how often they were tried, why. Never their data. */
export const deadLetterTopic = 'ndx.dead-letter'
/** Signed heads of the ledger, for witnesses and for anyone. */
export const checkpointTopic = 'ndx.checkpoint'
/** A gateway's own records, by which it knows that the road is open. Partitioned like replies, read in the same fetch. */
export const probeTopic = 'ndx.probe'
/** The consumer group of a provider's adapters. */
export const adapterGroup = (provider: ProviderId): string => `adapter-${provider}`

export interface TopicPlan {
  name: string
  partitions: number
  retentionMs: number
}

/** Every topic that these providers need, as `ndx topics` creates them. */
export function planTopics(providers: readonly ProviderId[]): TopicPlan[] {
  const perProvider = providers.flatMap(provider => [
    { name: requestTopic(provider), partitions: requestPartitions, retentionMs: dayMs },
    { name: replyTopic(provider), partitions: replyPartitions, retentionMs: dayMs },
  ])
  return [
    ...perProvider,
    { name: noteTopic, partitions: notePartitions, retentionMs: 7 * dayMs },
    { name: deadLetterTopic, partitions: 1, retentionMs: 30 * dayMs },
    { name: checkpointTopic, partitions: 1, retentionMs: forEver },
    { name: probeTopic, partitions: replyPartitions, retentionMs: hourMs },
  ]
}

/** How many partitions a topic has; the plan is the truth on every side, so nobody asks the broker. */
export function partitionsOf(topic: string): number {
  if (isRequestTopic(topic)) return requestPartitions
  if (isReplyTopic(topic) || topic === probeTopic) return replyPartitions
  if (topic === noteTopic) return notePartitions
  if (topic === deadLetterTopic || topic === checkpointTopic) return 1
  throw new Error(`no such topic: ${topic}`)
}

/** The partition of a key: FNV-1a over its UTF-16 units, the same in every process that writes. */
export function partitionOf(topic: string, key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % partitionsOf(topic)
}
