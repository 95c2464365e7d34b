// Decodes one record of a batch (message format v2) with plain numbers, in one pass, to what kafkajs's own decoder gives, which
// adds a BigInt a byte and copies all headers for each header. Stands in for kafkajs 2.2.4
// `src/protocol/recordBatch/record/v0/decoder.js`; reads `buffer` and `offset` of its Decoder. Numbers are exact up to 2^53.

export interface FetchedMessage {
  offset: string
  timestamp: string
  key: Buffer | null
  value: Buffer | null
  headers: Record<string, Buffer | Buffer[] | null>
  isControlRecord: boolean
}

/** What the batch says of all its records. */
export interface BatchContext {
  firstOffset: string
  firstTimestamp: string
  maxTimestamp: string
  magicByte: number
  isControlBatch?: boolean
  /** 1: the broker set the times, all alike. */
  timestampType?: number
}

export interface DecodedRecord extends FetchedMessage {
  magicByte: number
  attributes: number
  batchContext: BatchContext
}

export function decodeRecord(decoder: { buffer: Buffer; offset: number }, batchContext: BatchContext): DecodedRecord {
  const { firstOffset, firstTimestamp, maxTimestamp, magicByte, isControlBatch = false, timestampType } = batchContext
  const cursor = { buffer: decoder.buffer, at: decoder.offset }
  const attributes = decoder.buffer.readInt8(cursor.at++)
  const timestampDelta = readLong(cursor)
  const offsetDelta = readLong(cursor)
  const key = readBytes(cursor)
  const value = readBytes(cursor)
  const headers: DecodedRecord['headers'] = {}
  for (let left = readLong(cursor); left > 0; left--) {
    const name = readText(cursor)
    addHeader(headers, name, readBytes(cursor))
  }
  return {
    magicByte,
    attributes,
    timestamp: timestampType === 1 && maxTimestamp ? maxTimestamp : String(Number(firstTimestamp) + timestampDelta),
    offset: String(Number(firstOffset) + offsetDelta),
    key,
    value,
    headers,
    isControlRecord: isControlBatch,
    batchContext,
  }
}

interface Cursor {
  readonly buffer: Buffer
  at: number
}

/** A zigzag varint. Beyond 31 bits by multiplication, since JavaScript's shifts end there. */
function readLong(cursor: Cursor): number {
  let byte = cursor.buffer[cursor.at++] ?? 0
  let result = byte & 0x7f
  for (let scale = 128; byte >= 0x80; scale *= 128) {
    byte = cursor.buffer[cursor.at++] ?? 0
    result += (byte & 0x7f) * scale
  }
  return result % 2 === 0 ? result / 2 : -(result + 1) / 2
}

function readBytes(cursor: Cursor): Buffer | null {
  const length = readLong(cursor)
  if (length < 0) return null
  const start = cursor.at
  cursor.at += length
  return cursor.buffer.subarray(start, cursor.at)
}

function readText(cursor: Cursor): string {
  const length = readLong(cursor)
  const start = cursor.at
  cursor.at += Math.max(length, 0)
  return cursor.buffer.toString('utf8', start, cursor.at)
}

/** Repeated ones make a list. Defined, not assigned, where a name could reach the object's prototype. */
function addHeader(headers: DecodedRecord['headers'], name: string, value: Buffer | null): void {
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined
  const next = before === undefined ? value : ([before, value].flat() as Buffer[])
  if (name === '__proto__')
    Object.defineProperty(headers, name, { value: next, enumerable: true, configurable: true, writable: true })
  else headers[name] = next
}
