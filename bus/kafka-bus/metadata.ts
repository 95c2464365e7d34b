// Asks a broker what topics there are (version 10), which kafkajs does not speak (it ends at 6): with their ids, and with each one's
// error by itself. kafkajs rejects with the first, so that one topic that is gone or forbidden hides all others. Brokers since 2.8
// know it.
import { WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** Named as kafkajs names them: its cluster keeps them. */
export interface Metadata {
  /** For whoever sent the request. */
  clientSideThrottleTime: number
  brokers: { nodeId: number; host: string; port: number; rack: string | null }[]
  clusterId: string
  controllerId: number
  topicMetadata: TopicMetadata[]
}

export interface TopicMetadata {
  topicErrorCode: number
  topic: string
  topicId: string
  isInternal: boolean
  partitionMetadata: { partitionErrorCode: number; partitionId: number; leader: number }[]
}

export const metadataVersion = 10
const noId = 'AAAAAAAAAAAAAAAAAAAAAA'

/** With the end of its header. No topic is made by being asked for. */
export function encodeMetadata(topics: readonly string[]): Buffer {
  const out = new WireWriter(16 + topics.reduce((bytes, topic) => bytes + 24 + 3 * topic.length, 0))
  out.uvarint(0) // the header's tagged fields
  out.uvarint(topics.length + 1)
  for (const topic of topics) {
    out.uuid(noId)
    out.compactText(topic)
    out.uvarint(0)
  }
  out.int8(0) // make none
  out.int8(0) // no list of what we may do, neither with the cluster
  out.int8(0) // nor with its topics
  out.uvarint(0)
  return out.bytes()
}

/** @throws RangeError when the bytes are no such response */
export function decodeMetadata(bytes: Buffer): Metadata {
  const from = new WireReader(bytes)
  from.tags() // of the header
  const clientSideThrottleTime = from.int32()
  const brokers = readList(from, () => ({
    nodeId: from.int32(),
    host: from.compactText() ?? '',
    port: from.int32(),
    rack: from.compactText(),
  }))
  const clusterId = from.compactText() ?? ''
  const controllerId = from.int32()
  const topicMetadata = readList(from, () => {
    const topic = {
      topicErrorCode: from.int16(),
      topic: from.compactText() ?? '',
      topicId: from.uuid(),
      isInternal: from.bool(),
      partitionMetadata: readList(from, () => readPartition(from)),
    }
    from.skip(4) // what we may do
    return topic
  })
  return { clientSideThrottleTime, brokers, clusterId, controllerId, topicMetadata }
}

function readPartition(from: WireReader): TopicMetadata['partitionMetadata'][number] {
  const [partitionErrorCode, partitionId, leader] = [from.int16(), from.int32(), from.int32()]
  from.skip(4) // leader's epoch
  for (let lists = 3; lists > 0; lists--) from.skip(4 * Math.max(0, from.compactLength())) // replicas
  return { partitionErrorCode, partitionId, leader }
}

/** Each with its tagged fields behind it. */
function readList<T>(from: WireReader, read: () => T): T[] {
  const list: T[] = []
  for (let left = from.compactLength(); left > 0; left--) {
    list.push(read())
    from.tags()
  }
  return list
}
