// Decodes the response to a fetch (version 13) in one pass, its record batches (message format 2) straight to the records that
// the rest of NDX reads. kafkajs's own decoder makes six objects a record and a BigInt a byte of each number. Our topics store
// uncompressed what comes compressed; batches from before they did are read if gzip or zstd packed them. A batch that cannot be
// decoded, whatever is in it, is told and passed over. Exact up to 2^53.
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type IncomingRecord } from '#bus/bus.ts'
import { WireReader } from './wire-reader.ts'

export interface FetchedPartition {
  topic: string
  topicId: string
  partition: number
  /** The broker's; 0: none. */
  errorCode: number
  /** The offset that the next record gets, once it is on all in-sync replicas. */
  highWatermark: number
  /** The offset of the oldest record. */
  oldest: number
  /** The broker's log is another one than was read: where what is common to both ends. Then there are no records. */
  diverging: { leaderEpoch: number; offset: number } | null
  /** In order, perhaps from before the offset that was asked for: a batch is sent whole. Without control records. */
  records: IncomingRecord[]
  /** Batches that cannot be decoded, in order. */
  unreadable: Unreadable[]
  /** After the last whole batch; 0 when there is none. */
  nextOffset: number
  /** Of the last whole batch; -1 when there is none. */
  leaderEpoch: number
}

/** Offsets from `from` up to `to`. */
export interface Unreadable {
  from: number
  to: number
  why: string
}

export interface Fetched {
  errorCode: number
  throttleMs: number
  partitions: FetchedPartition[]
}

/** What packed batches may still become before the others are left for the next answer. */
interface Budget {
  bytes: number
}

/**
 * @param topicOf the name of a topic that was asked for, by its id
 * @throws RangeError when the bytes are no such response
 */
export function decodeFetch(bytes: Buffer, topicOf: (id: string) => string | undefined): Fetched {
  const from = new WireReader(bytes)
  from.tags() // of the header
  const throttleMs = from.int32()
  const errorCode = from.int16()
  from.skip(4) // session
  const partitions: FetchedPartition[] = []
  const budget = { bytes: unpackedBytesMax }
  for (let topics = from.compactLength(); topics > 0; topics--) {
    const topicId = from.uuid()
    const topic = topicOf(topicId) ?? ''
    for (let left = from.compactLength(); left > 0; left--)
      partitions.push(readPartition(from, { topic, topicId }, budget))
    from.tags()
  }
  from.tags()
  return { errorCode, throttleMs, partitions }
}

type Topic = Pick<FetchedPartition, 'topic' | 'topicId'>

function readPartition(from: WireReader, { topic, topicId }: Topic, budget: Budget): FetchedPartition {
  const partition = from.int32()
  const errorCode = from.int16()
  const highWatermark = from.int64()
  from.skip(8) // last stable offset
  const oldest = from.int64()
  for (let aborted = from.compactLength(); aborted > 0; aborted--) {
    from.skip(16)
    from.tags()
  }
  from.skip(4) // preferred replica
  const size = Math.max(from.compactLength(), 0)
  const end = from.at + size
  if (end > from.length) throw new RangeError('the response ends within its batches')
  const fetched: FetchedPartition = {
    topic,
    topicId,
    partition,
    errorCode,
    highWatermark,
    oldest,
    diverging: null,
    records: [],
    unreadable: [],
    nextOffset: 0,
    leaderEpoch: -1,
  }
  while (readBatch(from, end, fetched, budget)) {}
  from.at = end
  from.tags(tag => {
    if (tag === divergingTag) fetched.diverging = { leaderEpoch: from.int32(), offset: from.int64() }
  })
  return fetched
}

const divergingTag = 0
const magicOfUs = 2
/** Of a batch before what its length counts, and the least that this counts; up to its message format all formats agree. */
const frameBytes = 12
const batchBytesMin = 49
const magicBytes = 5
/** One packed batch, and all of an answer before the last. */
const unpackedBytesMax = 16_777_216
const compressionBits = 0x07
const appendTimeBit = 0x08
const controlBit = 0x20

/** False: there is none, or the last one is cut off, or what follows cannot be found, or is left for the next answer. */
function readBatch(from: WireReader, end: number, fetched: FetchedPartition, budget: Budget): boolean {
  if (end - from.at < frameBytes) return false
  const firstOffset = from.int64()
  const length = from.int32()
  const batchEnd = from.at + length
  if (batchEnd > end) return false
  const batch = { from, batchEnd, firstOffset, leaderEpoch: -1, attributes: 0, nextOffset: firstOffset + 1 }
  const recordsBefore = fetched.records.length
  try {
    readHead(batch, length)
    if (isPacked(batch) && budget.bytes <= 0) return false
    readRecords(batch, fetched, budget)
  } catch (error) {
    fetched.records.length = recordsBefore
    addUnreadable(fetched, { from: firstOffset, to: batch.nextOffset, why: (error as Error).message })
  }
  fetched.nextOffset = batch.nextOffset
  fetched.leaderEpoch = batch.leaderEpoch
  from.at = batchEnd
  return length >= magicBytes
}

function readHead(batch: Batch, length: number): void {
  const { from } = batch
  if (length < magicBytes) throw new RangeError('a batch is shorter than its own header')
  batch.leaderEpoch = from.int32()
  if (from.int8() !== magicOfUs) throw new RangeError('a batch has a message format other than 2')
  if (length < batchBytesMin) throw new RangeError('a batch is shorter than its own header')
  from.skip(4) // checksum: TCP has one, and the broker checked it
  batch.attributes = from.int16()
  batch.nextOffset += Math.max(from.int32(), 0)
}

const isPacked = ({ attributes }: Batch): boolean => (attributes & compressionBits) !== 0

/** Batches that follow each other are told as one. */
function addUnreadable({ unreadable }: FetchedPartition, one: Unreadable): void {
  const last = unreadable.at(-1)
  if (last?.to === one.from) last.to = one.to
  else unreadable.push(one)
}

interface Batch {
  from: WireReader
  batchEnd: number
  firstOffset: number
  leaderEpoch: number
  attributes: number
  nextOffset: number
}

function readRecords(batch: Batch, to: FetchedPartition, budget: Budget): void {
  const { from, batchEnd, firstOffset, leaderEpoch, attributes } = batch
  const firstMs = from.int64()
  const lastMs = from.int64()
  from.skip(14) // producer
  const isAppendTime = (attributes & appendTimeBit) !== 0
  const count = (attributes & controlBit) === 0 ? from.int32() : 0
  if (count <= 0) return
  const packed = isPacked(batch)
  const body = packed ? new WireReader(unpack(from.bytes(batchEnd - from.at), attributes, budget)) : from
  const end = packed ? body.length : batchEnd
  const timeMs = isAppendTime ? lastMs : firstMs
  const reading = { from: body, end, firstOffset, leaderEpoch, isAppendTime, timeMs }
  for (let i = 0; i < count; i++) to.records.push(readRecord(reading, to))
}

function unpack(bytes: Buffer, attributes: number, budget: Budget): Buffer {
  const unpacker = unpackers.get(attributes & compressionBits)
  if (unpacker === undefined)
    throw new RangeError('a batch is packed otherwise than by gzip or zstd: set compression.type to uncompressed')
  try {
    const unpacked = unpacker(bytes, { maxOutputLength: unpackedBytesMax })
    budget.bytes -= unpacked.length
    return unpacked
  } catch (error) {
    budget.bytes -= unpackedBytesMax
    throw error
  }
}

/** By Kafka's number of the codec. */
const unpackers = new Map<number, (bytes: Buffer, options: { maxOutputLength: number }) => Buffer>([
  [1, gunzipSync],
  [4, zstdDecompressSync],
])

interface BatchReading {
  from: WireReader
  end: number
  firstOffset: number
  leaderEpoch: number
  isAppendTime: boolean
  timeMs: number
}

/** Attributes, three numbers, the length of the value and the number of headers, at a byte each. */
const recordBytesMin = 6

function readRecord(batch: BatchReading, { topic, topicId, partition }: FetchedPartition): IncomingRecord {
  const { from, isAppendTime, timeMs, leaderEpoch } = batch
  const length = from.varint()
  const end = from.at + length
  if (!(length >= recordBytesMin && end <= batch.end))
    throw new RangeError('a record is longer or shorter than it says')
  from.skip(1) // attributes
  const delta = from.varint()
  const offset = String(batch.firstOffset + from.varint())
  const keyLength = from.varint()
  const key = keyLength < 0 ? null : from.text(keyLength)
  const value = from.bytes(Math.max(from.varint(), 0))
  const headers = readHeaders(from)
  if (from.at !== end) throw new RangeError('a record is longer or shorter than it says')
  const timestampMs = asTime(isAppendTime ? timeMs : timeMs + delta)
  return { topic, partition, offset, timestampMs, key, headers, value, topicId, leaderEpoch }
}

/** A topic that keeps the writers' times keeps whatever they wrote; what is no time at all is the beginning of time. */
const asTime = (ms: number): number => (ms >= 0 && ms <= timeMaxMs ? ms : 0)

/** Of Date. */
const timeMaxMs = 8_640_000_000_000_000
/** Nobody here writes more than ten; a million would cost a reader a second. */
const headersMax = 256

/** Of a repeated header the first counts; of very many those in front. */
function readHeaders(from: WireReader): Record<string, string> {
  const headers: Record<string, string> = {}
  let room = headersMax
  for (let left = from.varint(); left > 0; left--) {
    if (room === 0) {
      from.bytes(from.varint())
      from.bytes(Math.max(from.varint(), 0))
      continue
    }
    const name = from.name(from.varint())
    const value = from.text(Math.max(from.varint(), 0))
    if (name === '__proto__' || Object.hasOwn(headers, name)) continue
    headers[name] = value
    room--
  }
  return headers
}
