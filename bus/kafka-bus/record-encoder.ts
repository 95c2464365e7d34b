// Encodes one record of a batch (message format v2) in a single pass into one buffer, with the bytes of kafkajs's own encoder,
// which allocates half a kilobyte a header. Stands in for kafkajs 2.2.4 `src/protocol/recordBatch/record/v0/index.js` and
// borrows the prototype of `src/protocol/encoder.js`, whose `buf` and `offset` are all that the batch's encoder reads.
import { createRequire } from 'node:module'

type Bytes = string | Buffer

export interface EncodableRecord {
  offsetDelta?: number
  timestampDelta?: number
  key?: Bytes | null
  value?: Bytes | null
  headers?: Readonly<Record<string, Bytes | Bytes[]>>
}

/** As much of kafkajs's Encoder as a finished one needs. */
export interface Encoded {
  buf: Buffer
  offset: number
}

const encoderPrototype: object = createRequire(import.meta.url)('kafkajs/src/protocol/encoder').prototype
const noHeaders = {}

export function encodeRecord({
  offsetDelta = 0,
  timestampDelta = 0,
  key,
  value,
  headers = noHeaders,
}: EncodableRecord): Encoded {
  const names: string[] = []
  const values: Bytes[] = []
  for (const name of Object.keys(headers)) {
    const one = headers[name] as Bytes | Bytes[]
    for (const each of Array.isArray(one) ? one : [one]) {
      names.push(name)
      values.push(each)
    }
  }
  const keyLength = lengthOf(key)
  const valueLength = lengthOf(value)
  const bodyStart = 1 + sizeOfLong(timestampDelta) + sizeOf(offsetDelta)
  let length = bodyStart + sizeOfBytes(keyLength) + sizeOfBytes(valueLength) + sizeOf(names.length)
  for (let i = 0; i < names.length; i++) length += sizeOfBytes(lengthOf(names[i])) + sizeOfBytes(lengthOf(values[i]))

  const buf = Buffer.allocUnsafe(sizeOf(length) + length)
  let at = writeInt(buf, 0, length)
  buf[at++] = 0
  at = writeLong(buf, at, timestampDelta)
  at = writeInt(buf, at, offsetDelta)
  at = writeBytes(buf, at, key, keyLength)
  at = writeBytes(buf, at, value, valueLength)
  at = writeInt(buf, at, names.length)
  for (let i = 0; i < names.length; i++) {
    at = writeBytes(buf, at, names[i], lengthOf(names[i]))
    at = writeBytes(buf, at, values[i], lengthOf(values[i]))
  }
  const encoded: Encoded = Object.create(encoderPrototype)
  encoded.buf = buf
  encoded.offset = at
  return encoded
}

/** An upper bound of the bytes a record takes in its batch, cheap enough to ask for every one. */
export function estimateRecordBytes(
  key: string | null,
  value: string,
  headers: Readonly<Record<string, string>>,
): number {
  let bytes = 32 + Buffer.byteLength(value) + (key === null ? 0 : 3 * key.length)
  for (const name of Object.keys(headers)) bytes += 10 + 3 * (name.length + (headers[name] ?? '').length)
  return bytes
}

function lengthOf(bytes: Bytes | null | undefined): number {
  if (bytes === null || bytes === undefined) return -1
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length
}

const sizeOfBytes = (length: number): number => sizeOf(length) + Math.max(length, 0)

/** Of a zigzag varint of 32 bits. */
function sizeOf(value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  let bytes = 1
  for (; rest >= 0x80; rest >>>= 7) bytes++
  return bytes
}

function writeInt(buf: Buffer, start: number, value: number): number {
  let at = start
  let rest = ((value << 1) ^ (value >> 31)) >>> 0
  for (; rest >= 0x80; rest >>>= 7) buf[at++] = (rest & 0x7f) | 0x80
  buf[at++] = rest
  return at
}

/** Of a zigzag varint of 64 bits; exact for every safe integer. Batches of one tick have 0 here. */
function sizeOfLong(value: number): number {
  if (value === 0) return 1
  let rest = zigzag64(value)
  let bytes = 1
  for (; rest >= 0x80n; rest >>= 7n) bytes++
  return bytes
}

function writeLong(buf: Buffer, start: number, value: number): number {
  let at = start
  if (value === 0) {
    buf[at++] = 0
    return at
  }
  let rest = zigzag64(value)
  for (; rest >= 0x80n; rest >>= 7n) buf[at++] = Number(rest & 0x7fn) | 0x80
  buf[at++] = Number(rest)
  return at
}

const zigzag64 = (value: number): bigint => (value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value))

function writeBytes(buf: Buffer, start: number, bytes: Bytes | null | undefined, length: number): number {
  const at = writeInt(buf, start, length)
  if (length <= 0 || bytes === null || bytes === undefined) return at
  return at + (typeof bytes === 'string' ? buf.write(bytes, at, length) : bytes.copy(buf, at))
}
