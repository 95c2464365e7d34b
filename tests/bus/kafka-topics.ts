// What an administrator does to topics of a real broker: deletes one and makes it anew, or removes its oldest records.
import { createKafka } from '#bus/kafka-bus/client.ts'
import { createTopics, missingTopics } from '#bus/kafka-bus/topics-admin.ts'
import { partitionsOf } from '#bus/topics.ts'
import { until } from '#tests/bus/until.ts'

type Admin = ReturnType<ReturnType<typeof createKafka>['admin']>

/** Resolves when the new one is served. */
export async function remakeTopic(brokers: readonly string[], topic: string): Promise<void> {
  const plan = [{ name: topic, partitions: partitionsOf(topic), retentionMs: 3_600_000 }]
  await withAdmin(brokers, admin => admin.deleteTopics({ topics: [topic] }))
  await until('it is gone', async () => (await missingTopics(brokers, plan)).length === 1)
  await createTopics(brokers, plan)
}

export async function removeBefore(
  brokers: readonly string[],
  topic: string,
  before: { partition: number; offset: string },
): Promise<void> {
  await withAdmin(brokers, async admin => {
    // The admin client knows the topics it was asked for.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [before] })
  })
}

async function withAdmin(brokers: readonly string[], act: (admin: Admin) => Promise<void>): Promise<void> {
  const admin = createKafka({ brokers, clientId: 'test' }).admin()
  await admin.connect()
  await act(admin).finally(() => admin.disconnect())
}
