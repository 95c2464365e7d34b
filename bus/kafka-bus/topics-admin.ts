// Makes the planned topics and finds those that are missing. The only place that makes topics: every client here refuses to make
// one by mentioning it. Uses kafkajs 2.2.4's public admin client.
import { setTimeout as pause } from 'node:timers/promises'
import { type TopicPlan } from '#bus/topics.ts'
import { createKafka } from './client.ts'
import { faultOf, isStale } from './internals.ts'

const replicasMax = 3
/** A cluster under load takes seconds to make topics, and again to spread the news of them. */
const madeWithinMs = 30_000
const servedWithinMs = 30_000
const lookAgainMs = 50

export interface CreatedTopics {
  created: string[]
  existing: string[]
}

type Admin = ReturnType<ReturnType<typeof createKafka>['admin']>

/** Idempotent. What exists is left as it is, with its partitions, retention and clock. Rejects when a topic cannot be made. */
export async function createTopics(brokers: readonly string[], plan: readonly TopicPlan[]): Promise<CreatedTopics> {
  return withAdmin({ brokers, timeoutMs: madeWithinMs }, async admin => {
    const missing = await findMissing(admin, plan)
    const { brokers: nodes } = await admin.describeCluster()
    if (missing.length > 0) {
      await admin.createTopics({
        // kafkajs waits for leaders, but rejects when a broker does not know the topic yet.
        waitForLeaders: false,
        timeout: madeWithinMs,
        topics: missing.map(({ name, partitions, retentionMs }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor: Math.min(replicasMax, nodes.length),
          configEntries: [
            { name: 'retention.ms', value: String(retentionMs) },
            // Acknowledgements then tell the brokers' time: one clock for all (road-clock.ts).
            { name: 'message.timestamp.type', value: 'LogAppendTime' },
            // What an adapter in another language sends compressed is stored as everybody here can read it.
            { name: 'compression.type', value: 'uncompressed' },
          ],
        })),
      })
      const deadlineMs = Date.now() + servedWithinMs
      for (const topic of missing) await untilServed(admin, topic, deadlineMs)
    }
    const created = missing.map(topic => topic.name)
    return { created, existing: plan.map(topic => topic.name).filter(name => !created.includes(name)) }
  })
}

/** Every partition has a leader that serves it: it tells where its log ends. */
async function untilServed(admin: Admin, { name, partitions }: TopicPlan, deadlineMs: number): Promise<void> {
  for (;;) {
    const offsets = await admin.fetchTopicOffsets(name).catch((error: unknown) => {
      if (!isStale(faultOf(error))) throw error
      return []
    })
    if (offsets.length === partitions) return
    if (Date.now() > deadlineMs)
      throw new Error(`${name} was made, and is not served after ${servedWithinMs / 1_000} s`)
    await pause(lookAgainMs)
  }
}

/** The names of planned topics that the brokers do not have. */
export async function missingTopics(brokers: readonly string[], plan: readonly TopicPlan[]): Promise<string[]> {
  return withAdmin({ brokers }, async admin => (await findMissing(admin, plan)).map(topic => topic.name))
}

async function findMissing(admin: Admin, plan: readonly TopicPlan[]): Promise<TopicPlan[]> {
  const existing = new Set(await admin.listTopics())
  return plan.filter(topic => !existing.has(topic.name))
}

async function withAdmin<T>(
  cluster: { brokers: readonly string[]; timeoutMs?: number },
  act: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = createKafka({ ...cluster, clientId: 'ndx-topics' }).admin()
  try {
    await admin.connect()
    return await act(admin)
  } finally {
    await admin.disconnect()
  }
}
