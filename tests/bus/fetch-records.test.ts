// What is between the bytes of a fetch and the reader: one partition's error takes nothing from the others, the whole request's does.
import { expect, it } from 'vitest'
import { type Broker, errorOf, faultOf, fetchRecords } from '#bus/kafka-bus/internals.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const part = { topic: 't', topicId, partition: 0, offset: 0, leaderEpoch: -1, maxBytes: 1 }

/** A broker's answer with an error of the request, and these of the partitions, without records. */
function answer(errorCode: number, partitionErrors: number[]): Broker {
  const partitions = partitionErrors.map((code, partition) => {
    const bytes = Buffer.alloc(4 + 2 + 24 + 1 + 4 + 1 + 1)
    bytes.writeInt32BE(partition, 0)
    bytes.writeInt16BE(code, 4)
    return bytes
  })
  const head = Buffer.alloc(1 + 4 + 2 + 4 + 1)
  head.writeInt16BE(errorCode, 5)
  head[11] = 2
  const bytes = Buffer.concat([
    head,
    Buffer.from(topicId, 'base64url'),
    Buffer.from([partitions.length + 1]),
    ...partitions,
    Buffer.from([0, 0]),
  ])
  const send: Broker['connectionPool']['send'] = async ({ response }) => response.parse(await response.decode(bytes))
  return { connectionPool: { send } } as Broker
}

const request = { maxWaitMs: 0, minBytes: 0, maxBytes: 1, parts: [part] }

it('tells the error of each partition by itself', async () => {
  const fetched = await fetchRecords(answer(0, [56, 0, 100]), request)
  expect(fetched.map(({ topic, partition, errorCode }) => [topic, partition, errorCode])).toEqual([
    ['t', 0, 56],
    ['t', 1, 0],
    ['t', 2, 100],
  ])
  expect(fetched.map(({ errorCode }) => faultOf(errorOf(errorCode)).type)).toEqual([
    'KAFKA_STORAGE_ERROR',
    undefined,
    'UNKNOWN_TOPIC_ID',
  ])
})

it('rejects with the error of the whole request', async () => {
  await expect(fetchRecords(answer(35, [0]), request)).rejects.toMatchObject({ type: 'UNSUPPORTED_VERSION' })
})
