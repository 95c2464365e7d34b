// Decodes the response to a fetch (version 11) in one pass, its record batches (message format 2) straight to the records that
// the rest of NDX reads. kafkajs's own decoder makes six objects a record and a BigInt a byte of each number. Our topics store
// uncompressed what comes compressed; batches from before they did are read if gzip or zstd packed them. Exact up to 2^53.
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type IncomingRecord } from '#bus/bus.ts'
import { headerNames } from '#bus/message.ts'

export interface FetchedPartition {
  topic: string
  partition: number
  /** The broker's; 0: none. */
  errorCode: number
  /** The offset that the next record gets, once it is on all in-sync replicas. */
  highWatermark: number
  /** In order, perhaps from before the offset that was asked for: a batch is sent whole. Without control records. */
  records: IncomingRecord[]
  /** After the last whole batch; 0 when there is none. */
  nextOffset: number
}

export interface Fetched {
  errorCode: number
  throttleMs: number
  partitions: FetchedPartition[]
}

/** @throws RangeError when the bytes are no such response */
export function decodeFetch(bytes: Buffer): Fetched {
  const from = new Reader(bytes)
  const throttleMs = from.int32()
  const errorCode = from.int16()
  from.skip(4) // session
  const partitions: FetchedPartition[] = []
  for (let topics = from.int32(); topics > 0; topics--) {
    const topic = from.text(from.int16())
    for (let left = from.int32(); left > 0; left--) partitions.push(readPartition(from, topic))
  }
  return { errorCode, throttleMs, partitions }
}

function readPartition(from: Reader, topic: string): FetchedPartition {
  const partition = from.int32()
  const errorCode = from.int16()
  const highWatermark = from.int64()
  from.skip(16) // last stable offset, start of the log
  const aborted = from.int32()
  from.skip(Math.max(aborted, 0) * 16 + 4) // and the preferred replica
  const size = Math.max(from.int32(), 0)
  const end = from.at + size
  const fetched = { topic, partition, errorCode, highWatermark, records: [], nextOffset: 0 }
  while (readBatch(from, end, fetched)) {}
  from.at = end
  return fetched
}

const magicOfUs = 2
/** Of a batch before what its length counts, and the least that it counts. */
const frameBytes = 12
const batchBytesMin = 49
/** One batch unpacked. */
const unpackedBytesMax = 16_777_216
const compressionBits = 0x07
const appendTimeBit = 0x08
const controlBit = 0x20

/** False: there is none, or the last one is cut off. */
function readBatch(from: Reader, end: number, fetched: FetchedPartition): boolean {
  if (end - from.at < frameBytes) return false
  const firstOffset = from.int64()
  const length = from.int32()
  const batchEnd = from.at + length
  if (length < batchBytesMin) throw new RangeError('a batch is shorter than its own header')
  if (batchEnd > end) return false
  from.skip(4) // leader epoch
  if (from.int8() !== magicOfUs) throw new RangeError('a batch has a message format other than 2')
  from.skip(4) // checksum: TCP has one, and the broker checked it
  const attributes = from.int16()
  const lastOffsetDelta = from.int32()
  const firstMs = from.int64()
  const lastMs = from.int64()
  from.skip(14) // producer
  const isAppendTime = (attributes & appendTimeBit) !== 0
  const count = (attributes & controlBit) === 0 ? from.int32() : 0
  const packed = attributes & compressionBits
  const records = packed === 0 ? from : new Reader(unpack(from.bytes(batchEnd - from.at), packed, fetched))
  for (let i = 0; i < count; i++)
    fetched.records.push(readRecord(records, fetched, firstOffset, isAppendTime, isAppendTime ? lastMs : firstMs))
  from.at = batchEnd
  fetched.nextOffset = firstOffset + lastOffsetDelta + 1
  return true
}

function unpack(bytes: Buffer, packed: number, { topic }: FetchedPartition): Buffer {
  const unpacker = unpackers.get(packed)
  if (unpacker === undefined)
    throw new RangeError(
      `${topic} holds batches packed otherwise than by gzip or zstd: set its compression.type to uncompressed`,
    )
  return unpacker(bytes, { maxOutputLength: unpackedBytesMax })
}

/** By Kafka's number of the codec. */
const unpackers = new Map<number, (bytes: Buffer, options: { maxOutputLength: number }) => Buffer>([
  [1, gunzipSync],
  [4, zstdDecompressSync],
])

function readRecord(
  from: Reader,
  { topic, partition }: FetchedPartition,
  firstOffset: number,
  isAppendTime: boolean,
  timeMs: number,
): IncomingRecord {
  const length = from.varint()
  const end = from.at + length
  from.skip(1) // attributes
  const delta = from.varint()
  const offset = String(firstOffset + from.varint())
  const keyLength = from.varint()
  const key = keyLength < 0 ? null : from.text(keyLength)
  const value = from.bytes(Math.max(from.varint(), 0))
  const headers = readHeaders(from)
  from.at = end
  return { topic, partition, offset, timestampMs: isAppendTime ? timeMs : timeMs + delta, key, headers, value }
}

/** Of a repeated header the first counts. */
function readHeaders(from: Reader): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let left = from.varint(); left > 0; left--) {
    const name = from.name(from.varint())
    const value = from.text(Math.max(from.varint(), 0))
    if (name !== '__proto__' && !Object.hasOwn(headers, name)) headers[name] = value
  }
  return headers
}

/** By their length: comparing is quicker than making the string again. */
const knownNames = Map.groupBy(Object.values(headerNames), ({ length }) => length)

/** Whole numbers are big-endian. Reading past the end throws RangeError. */
class Reader {
  readonly #buffer: Buffer
  at = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  skip(bytes: number): void {
    this.at += bytes
  }

  int8(): number {
    return this.#buffer.readInt8(this.at++)
  }

  int16(): number {
    this.at += 2
    return this.#buffer.readInt16BE(this.at - 2)
  }

  int32(): number {
    this.at += 4
    return this.#buffer.readInt32BE(this.at - 4)
  }

  int64(): number {
    return this.int32() * 4_294_967_296 + (this.int32() >>> 0)
  }

  /** Zigzag. Beyond 28 bits by multiplication, since JavaScript's shifts end at 31. */
  varint(): number {
    let byte = this.#byte()
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let result = byte & 0x7f
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = this.#byte()
      result += (byte & 0x7f) * scale
    }
    return result % 2 === 0 ? result / 2 : -(result + 1) / 2
  }

  bytes(length: number): Buffer {
    this.at += length
    this.#checkEnd()
    return this.#buffer.subarray(this.at - length, this.at)
  }

  text(length: number): string {
    this.at += length
    this.#checkEnd()
    return this.#buffer.toString('utf8', this.at - length, this.at)
  }

  name(length: number): string {
    const known = knownNames.get(length)?.find(name => this.#isNext(name))
    if (known === undefined) return this.text(length)
    this.at += length
    return known
  }

  #isNext(name: string): boolean {
    for (let i = 0; i < name.length; i++) if (this.#buffer[this.at + i] !== name.charCodeAt(i)) return false
    return true
  }

  #byte(): number {
    const byte = this.#buffer[this.at++]
    if (byte === undefined) throw new RangeError('the response ends within a number')
    return byte
  }

  #checkEnd(): void {
    if (this.at > this.#buffer.length) throw new RangeError('the response ends within a text')
  }
}
