// Asks the broker how many records the two topics of an exchange have ever had: what was answered must be what was written.
import { createKafka } from '#bus/kafka-bus/client.ts'

export interface Records {
  count(): Promise<{ requests: number; replies: number }>
  close(): Promise<void>
}

export async function openRecords(
  brokers: readonly string[],
  topics: { request: string; reply: string },
): Promise<Records> {
  const admin = createKafka({ brokers, clientId: 'ndx-bench' }).admin()
  await admin.connect()
  const countIn = async (topic: string): Promise<number> => {
    const partitions = await admin.fetchTopicOffsets(topic)
    return partitions.reduce((sum, { high }) => sum + Number(high), 0)
  }
  return {
    count: async () => ({ requests: await countIn(topics.request), replies: await countIn(topics.reply) }),
    close: () => admin.disconnect(),
  }
}
