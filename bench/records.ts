// Asks the broker how many records the two kinds of topics of exchanges have ever had: what was answered must be what was written.
import { createKafka } from '#bus/kafka-bus/client.ts'

export interface Records {
  count(): Promise<{ requests: number; replies: number }>
  close(): Promise<void>
}

export async function openRecords(
  brokers: readonly string[],
  topics: { requests: readonly string[]; replies: readonly string[] },
): Promise<Records> {
  const admin = createKafka({ brokers, clientId: 'ndx-bench' }).admin()
  await admin.connect()
  const countIn = async (names: readonly string[]): Promise<number> => {
    const partitions = (await Promise.all(names.map(topic => admin.fetchTopicOffsets(topic)))).flat()
    return partitions.reduce((sum, { high }) => sum + Number(high), 0)
  }
  return {
    count: async () => ({ requests: await countIn(topics.requests), replies: await countIn(topics.replies) }),
    close: () => admin.disconnect(),
  }
}
