// Encodes a produce request (version 7) with its record batches (message format 2) in one pass into one buffer. kafkajs's own
// encoder makes a zero-filled buffer for every record, header, batch and topic and copies each into the next. Formats: Kafka's
// protocol guide and its implementation notes on record batches.
import { crc32c } from './crc32c.ts'
import { WireWriter } from './wire-writer.ts'

export interface ProduceMessage {
  key: string | null
  value: string
  headers: Readonly<Record<string, string>>
}

export interface ProduceRequest {
  topic: string
  /** By partition. */
  messages: ReadonlyMap<number, readonly ProduceMessage[]>
  /** For all in-sync replicas. */
  timeoutMs: number
  /** Epoch ms; topics of ours replace it by the broker's time. */
  nowMs: number
}

const allInSync = -1
const magic = 2
/** Before a batch's records: from its offset to their number. */
const batchHeaderBytes = 61
/** From the checksum's end on it is checksummed. */
const checksumAt = 17
const checkedAt = 21

/** The request without its header. */
export function encodeProduce({ topic, messages, timeoutMs, nowMs }: ProduceRequest): Buffer {
  const out = new WireWriter(estimateRequestBytes(topic, messages))
  out.int16(-1) // no transaction
  out.int16(allInSync)
  out.int32(timeoutMs)
  out.int32(1)
  out.int16(Buffer.byteLength(topic))
  out.utf8(topic)
  out.int32(messages.size)
  for (const [partition, batch] of messages) {
    out.int32(partition)
    const sizeAt = out.reserve(4)
    writeBatch(out, batch, nowMs)
    out.buffer.writeInt32BE(out.at - sizeAt - 4, sizeAt)
  }
  return out.bytes()
}

/** An upper bound of the bytes a record takes in its batch, cheap enough to ask for every one. */
export function estimateRecordBytes({ key, value, headers }: ProduceMessage): number {
  let bytes = 32 + Buffer.byteLength(value) + (key === null ? 0 : 3 * key.length)
  for (const name of Object.keys(headers)) bytes += 10 + 3 * (name.length + (headers[name] ?? '').length)
  return bytes
}

function estimateRequestBytes(topic: string, messages: ProduceRequest['messages']): number {
  let bytes = 32 + 3 * topic.length
  for (const batch of messages.values()) {
    bytes += batchHeaderBytes + 8
    for (const message of batch) bytes += estimateRecordBytes(message)
  }
  return bytes
}

function writeBatch(out: WireWriter, batch: readonly ProduceMessage[], nowMs: number): void {
  const start = out.reserve(batchHeaderBytes)
  for (const [i, message] of batch.entries()) writeRecord(out, i, message)
  const { buffer, at } = out
  out.at = start
  out.int64(0) // the first offset: the broker's to say
  out.int32(at - start - 12)
  out.int32(-1) // leader epoch
  out.int8(magic)
  out.int32(0) // checksum, below
  out.int16(0) // neither compressed nor in a transaction
  out.int32(batch.length - 1)
  out.int64(nowMs)
  out.int64(nowMs)
  out.int64(-1) // no producer id, epoch or sequence
  out.int16(-1)
  out.int32(-1)
  out.int32(batch.length)
  out.at = at
  buffer.writeUInt32BE(crc32c(buffer, start + checkedAt, at), start + checksumAt)
}

/** Its length comes first and is known last: room for two bytes is left, which is right for all but very short and long ones. */
const lengthBytes = 2

function writeRecord(out: WireWriter, offsetDelta: number, { key, value, headers }: ProduceMessage): void {
  const start = out.reserve(lengthBytes)
  out.int8(0)
  out.varint(0) // all of one time
  out.varint(offsetDelta)
  if (key === null) out.varint(-1)
  else out.text(key)
  out.text(value)
  const names = Object.keys(headers)
  out.varint(names.length)
  for (const name of names) {
    out.copy(encodedName(name))
    out.text(headers[name] as string)
  }
  out.prefix(start, lengthBytes)
}

/** With its length; names are few, and from our own code. */
const names = new Map<string, Buffer>()
const namesKeptMax = 100

function encodedName(name: string): Buffer {
  const known = names.get(name)
  if (known !== undefined) return known
  const out = new WireWriter(3 * name.length + 5)
  out.text(name)
  if (names.size < namesKeptMax) names.set(name, out.bytes())
  return out.bytes()
}
