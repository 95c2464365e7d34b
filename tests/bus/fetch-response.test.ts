// The fetch response: its batches as kafkajs encodes them (loaded from its files and untouched by our patches), the rest written here
// by hand. Whatever is in a batch, it is read or told as unreadable, and what stands beside it is read.
import { createRequire } from 'node:module'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFetch as decode } from '#bus/kafka-bus/fetch-response.ts'

const require = createRequire(import.meta.url)
const Encoder = require('kafkajs/src/protocol/encoder')
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0')
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0')
const nowMs = 1_763_791_200_123

const text = fc.string({ unit: 'binary', maxLength: 150 })
const headers = fc.dictionary(text, text, { maxKeys: 8, noNullPrototype: true })
/** What UTF-8 makes of it. */
const wellFormed = (given: string): string => given.toWellFormed()

interface Batch {
  firstOffset: number
  records: object[]
  attributes?: number
  lastOffsetDelta?: number
  /** Instead of the records. */
  packed?: Buffer
}

/** Of a batch with one record without key, headers and with a value of one byte. */
const batchBytes = 61 + 8

interface Faults {
  cut?: number
  errorCode?: number
  diverging?: { epoch: number; endOffset: number }
}

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const decodeFetch = (bytes: Buffer) => decode(bytes, id => (id === topicId ? 'ndx.reply.tiếng' : undefined))

/** A response of one partition, as a broker would send it. */
async function encodeSet(batches: Batch[]): Promise<Buffer> {
  const encoded: Buffer[] = []
  for (const { firstOffset, records, attributes = 0, lastOffsetDelta = records.length - 1, packed } of batches) {
    const batch = await RecordBatch({
      firstOffset,
      firstTimestamp: nowMs,
      maxTimestamp: nowMs + 9,
      lastOffsetDelta,
      records,
    })
    const plain: Buffer = Buffer.from(batch.buffer)
    const bytes = packed === undefined ? plain : Buffer.concat([plain.subarray(0, 61), packed])
    bytes.writeInt32BE(bytes.length - 12, 8)
    bytes.writeInt16BE(attributes, 21)
    encoded.push(bytes)
  }
  return Buffer.concat(encoded)
}

async function respond(batches: Batch[], { cut = 0, errorCode = 0, ...more }: Faults = {}): Promise<Buffer> {
  const set = await encodeSet(batches)
  return respondTo([{ partition: 7, errorCode, set: set.subarray(0, set.length - cut), ...more }])
}

interface Part {
  partition: number
  errorCode?: number
  set: Buffer
  diverging?: { epoch: number; endOffset: number } | undefined
}

/** Version 13, written by hand from the protocol's guide: compact lengths are one more, and below 128 one byte. */
function respondTo(parts: Part[]): Buffer {
  const tag = (...bytes: number[]) => Buffer.from(bytes)
  const partitions = parts.map(({ partition, errorCode = 0, set, diverging }) => {
    const head = new Encoder().writeInt32(partition).writeInt16(errorCode).writeInt64(4_294_967_297).writeInt64(5)
    const aborted = new Encoder().writeInt64(1).writeInt64(2).buffer
    const length = new Encoder().writeUVarInt(set.length + 1).buffer
    const tags = diverging
      ? Buffer.concat([
          tag(2, 0, 13),
          new Encoder().writeInt32(diverging.epoch).writeInt64(diverging.endOffset).buffer,
          tag(0, 1, 3, 9, 9, 9),
        ])
      : tag(0)
    return [head.writeInt64(3).buffer, tag(2), aborted, tag(0), Buffer.alloc(4, 0xff), length, set, tags]
  })
  return Buffer.concat([
    tag(0),
    new Encoder().writeInt32(12).writeInt16(0).writeInt32(0).buffer,
    tag(2),
    Buffer.from(topicId, 'base64url'),
    tag(parts.length + 1),
    ...partitions.flat(),
    tag(0, 0),
  ])
}

/** With bytes that no producer of ours would write. */
function rawRecord(
  offsetDelta: number,
  key: Buffer | null,
  value: Buffer | null,
  headers: readonly (readonly [Buffer | null, Buffer | null])[],
): Buffer {
  const sized = (bytes: Buffer | null): Buffer =>
    Buffer.concat([new Encoder().writeVarInt(bytes?.length ?? -1).buffer, bytes ?? Buffer.alloc(0)])
  const body = Buffer.concat([
    Buffer.from([0, 0]),
    new Encoder().writeVarInt(offsetDelta).buffer,
    sized(key),
    sized(value),
    new Encoder().writeVarInt(headers.length).buffer,
    ...headers.flatMap(([name, content]) => [sized(name ?? Buffer.alloc(0)), sized(content)]),
  ])
  return Buffer.concat([new Encoder().writeVarInt(body.length).buffer, body])
}

describe('a fetch response', () => {
  it('is what kafkajs encoded, whatever is in it', async () => {
    const record = fc.record({
      timestampDelta: fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
      key: fc.option(text),
      value: fc.option(text),
      headers,
    })
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 5 }), async given => {
        const records = given.map((one, offsetDelta) => encodeRecord({ ...one, offsetDelta }))
        const fetched = decodeFetch(await respond([{ firstOffset: 123_456_789_012, records }]))
        expect(fetched).toMatchObject({ errorCode: 0, throttleMs: 12 })
        const [partition] = fetched.partitions
        expect(partition).toMatchObject({
          topic: 'ndx.reply.tiếng',
          partition: 7,
          errorCode: 0,
          highWatermark: 4_294_967_297,
          nextOffset: 123_456_789_012 + given.length,
        })
        expect(partition?.records).toEqual(
          given.map((one, i) => ({
            topic: 'ndx.reply.tiếng',
            partition: 7,
            offset: String(123_456_789_012 + i),
            timestampMs: nowMs + one.timestampDelta,
            key: one.key === null ? null : wellFormed(one.key),
            value: Buffer.from(one.value ?? ''),
            headers: firstOfEach(one.headers),
            topicId,
            leaderEpoch: 0,
          })),
        )
      }),
      { numRuns: 300 },
    )
  })

  /** Two names may become one in UTF-8. */
  function firstOfEach(given: Record<string, string>): Record<string, string> {
    const first = new Map<string, string>()
    for (const [name, value] of Object.entries(given))
      if (!first.has(wellFormed(name))) first.set(wellFormed(name), wellFormed(value))
    first.delete('__proto__')
    return Object.fromEntries(first)
  }

  const one = (offsetDelta: number, value = 'v', more: object = {}) => encodeRecord({ offsetDelta, value, ...more })

  it('tells the broker’s time where the batch says so', async () => {
    const { partitions } = decodeFetch(
      await respond([{ firstOffset: 1, records: [one(0, 'v', { timestampDelta: 5 })], attributes: 0x08 }]),
    )
    expect(partitions[0]?.records[0]?.timestampMs).toBe(nowMs + 9)
  })

  it('passes over control records, and over what a compaction left of a batch', async () => {
    const { partitions } = decodeFetch(
      await respond([
        { firstOffset: 10, records: [one(0)] },
        { firstOffset: 11, records: [one(0)], attributes: 0x20 },
        { firstOffset: 12, records: [one(1, 'kept')], lastOffsetDelta: 4 },
        { firstOffset: 17, records: [], lastOffsetDelta: 2 },
      ]),
    )
    expect(partitions[0]?.records.map(({ offset, value }) => [offset, value.toString()])).toEqual([
      ['10', 'v'],
      ['13', 'kept'],
    ])
    expect(partitions[0]?.nextOffset).toBe(20)
  })

  it.each([1, 20, 60, 70])('leaves out a batch of which %i bytes are missing', async cut => {
    const batches = [
      { firstOffset: 1, records: [one(0, 'whole')] },
      { firstOffset: 2, records: [one(0, 'cut')] },
    ]
    const { partitions } = decodeFetch(await respond(batches, { cut }))
    expect(partitions[0]?.records.map(({ value }) => value.toString())).toEqual(['whole'])
    expect(partitions[0]?.nextOffset).toBe(2)
  })

  it('takes the first of a repeated header, and none for a prototype', async () => {
    const repeated = { h: ['first', 'second'], ...JSON.parse('{"__proto__":"x","constructor":"y"}') }
    const { partitions } = decodeFetch(
      await respond([{ firstOffset: 1, records: [one(0, 'v', { headers: repeated })] }]),
    )
    const [record] = partitions[0]?.records ?? []
    expect(record?.headers).toEqual({ h: 'first', constructor: 'y' })
    expect(Object.getPrototypeOf(record?.headers)).toBe(Object.prototype)
  })

  it('tells a partition’s error', async () => {
    expect(decodeFetch(await respond([], { errorCode: 6 })).partitions[0]).toMatchObject({ errorCode: 6, records: [] })
  })

  it.each([
    ['gzip', 1, gzipSync],
    ['zstd', 4, zstdCompressSync],
  ] as const)('unpacks a batch that %s packed', async (_codec, number, pack) => {
    const records = [one(0, 'first'), one(1, 'second')]
    const plain = Buffer.concat(records.map(({ buffer }: { buffer: Buffer }) => buffer))
    const bytes = await respond([{ firstOffset: 5, records, attributes: number, packed: pack(plain) }])
    expect(decodeFetch(bytes).partitions[0]?.records.map(({ offset, value }) => [offset, value.toString()])).toEqual([
      ['5', 'first'],
      ['6', 'second'],
    ])
  })

  /** The one in the middle of three is changed; those beside it are read. */
  async function readAround(change: Partial<Batch>) {
    const [partition] = decodeFetch(
      await respond([
        { firstOffset: 4, records: [one(0, 'before')] },
        { firstOffset: 5, records: [one(0), one(1)], ...change },
        { firstOffset: 7, records: [one(0, 'after')] },
      ]),
    ).partitions
    return {
      values: partition?.records.map(({ value }) => value.toString()),
      unreadable: partition?.unreadable,
      nextOffset: partition?.nextOffset,
    }
  }

  it.each([
    ['unpacks to more than 16 MiB', { attributes: 1, packed: gzipSync(Buffer.alloc(16_777_217)) }, /larger|memory/],
    ['says gzip packed it, which is not so', { attributes: 1, packed: Buffer.from('plain') }, /header/],
    ['is packed in another way', { attributes: 2 }, /compression.type/],
    ['says that a record is longer than the batch', { packed: Buffer.from([0x7e, 0, 0, 0, 0, 0, 0]) }, /longer/],
    ['has a record of no length', { packed: Buffer.alloc(40) }, /shorter/],
    ['has a record of a length below zero', { packed: Buffer.from([0x0d, 0, 0, 0, 0, 0, 0]) }, /shorter/],
    ['has a header of a length below zero', { packed: Buffer.from([0x10, 0, 0, 0, 1, 0, 2, 5, 0]) }, /below zero/],
    ['has more records than bytes', { packed: Buffer.alloc(0) }, /longer/],
  ] as const)('passes over a batch that %s, tells it, and reads on after it', async (_what, change, why) => {
    const read = await readAround(change)
    expect(read).toMatchObject({ values: ['before', 'after'], nextOffset: 8, unreadable: [{ from: 5, to: 7 }] })
    expect(read.unreadable?.[0]?.why).toMatch(why)
  })

  it('tells unreadable batches that follow each other as one', async () => {
    const bad = (firstOffset: number): Batch => ({ firstOffset, records: [one(0)], attributes: 3 })
    const { partitions } = decodeFetch(await respond([bad(1), bad(2), { firstOffset: 3, records: [one(0)] }, bad(4)]))
    expect(partitions[0]?.unreadable).toMatchObject([
      { from: 1, to: 3 },
      { from: 4, to: 5 },
    ])
  })

  it.each([-1, 0, 4, 48])('tells a batch that says it is %i bytes long', async length => {
    const bytes = await respond([{ firstOffset: 1, records: [one(0)] }])
    bytes.writeInt32BE(length, bytes.length - batchBytes - 3 + 8)
    expect(decodeFetch(bytes).partitions[0]).toMatchObject({
      records: [],
      unreadable: [{ from: 1, to: 2 }],
      nextOffset: 2,
    })
  })

  it('leaves for the next answer what would unpack to more than 16 MiB together', async () => {
    const packed = gzipSync(Buffer.alloc(16_777_216))
    const bomb = (firstOffset: number): Batch => ({ firstOffset, records: [one(0)], attributes: 1, packed })
    const { partitions } = decodeFetch(await respond([bomb(1), bomb(2)]))
    expect(partitions[0]).toMatchObject({ nextOffset: 2, unreadable: [{ from: 1, to: 2 }] })
  })

  it('reads any bytes of key, value and headers, and takes what is null for nothing', async () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map(array => Buffer.from(array)))
    const record = fc.record({ key: bytes, value: bytes, headers: fc.array(fc.tuple(bytes, bytes), { maxLength: 5 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 4 }), async given => {
        const packed = Buffer.concat(given.map(({ key, value, headers }, i) => rawRecord(i, key, value, headers)))
        const records = given.map((_, i) => one(i))
        const [partition] = decodeFetch(await respond([{ firstOffset: 1, records, packed }])).partitions
        expect(partition?.unreadable).toEqual([])
        expect(partition?.records.map(({ key, value }) => [key, value])).toEqual(
          given.map(({ key, value }) => [key?.toString() ?? null, value ?? Buffer.alloc(0)]),
        )
      }),
    )
  })

  it('keeps the first 256 headers of a hundred thousand', async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => [Buffer.from(`h${i}`), null] as const)
    const packed = rawRecord(0, null, Buffer.from('v'), many)
    const [partition] = decodeFetch(await respond([{ firstOffset: 1, records: [one(0)], packed }])).partitions
    expect(Object.keys(partition?.records[0]?.headers ?? {})).toHaveLength(256)
    expect(partition?.records[0]?.value.toString()).toBe('v')
  })

  it.each([-1, Number.MAX_SAFE_INTEGER])('takes a time of %i for the beginning of time', async timestampDelta => {
    const records = [one(0, 'v', { timestampDelta: timestampDelta - nowMs })]
    const [partition] = decodeFetch(await respond([{ firstOffset: 1, records }])).partitions
    expect(partition?.records[0]?.timestampMs).toBe(0)
  })

  it('is read or told whatever a batch is changed to, and the batches of other partitions are read', async () => {
    const records = [one(0, 'first', { key: 'k', headers: { h: 'x' } }), one(1, 'second')]
    const set = await encodeSet([{ firstOffset: 1, records }])
    const change = fc.tuple(fc.integer({ min: 12, max: set.length - 1 }), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), changes => {
        const changed = Buffer.from(set)
        for (const [at, byte] of changes) changed[at] = byte
        const { partitions } = decodeFetch(
          respondTo([
            { partition: 1, set: changed },
            { partition: 2, set },
          ]),
        )
        expect(partitions[0]?.nextOffset).toBeGreaterThan(1)
        expect(partitions[0]?.records.length).toBeLessThanOrEqual(set.length)
        expect(partitions[1]).toMatchObject({ partition: 2, nextOffset: 3, unreadable: [] })
      }),
      { numRuns: 2_000 },
    )
  })

  it('tells an error of one partition, and has the records of another', async () => {
    const set = await encodeSet([{ firstOffset: 1, records: [one(0, 'read')] }])
    const { partitions } = decodeFetch(
      respondTo([
        { partition: 1, errorCode: 56, set: Buffer.alloc(0) },
        { partition: 2, set },
      ]),
    )
    expect(partitions.map(({ errorCode, records }) => [errorCode, records.length])).toEqual([
      [56, 0],
      [0, 1],
    ])
  })

  it('tells where the broker’s log parts from the one that was read', async () => {
    const diverging = { epoch: 3, endOffset: 70 }
    const { partitions } = decodeFetch(await respond([], { diverging }))
    expect(partitions[0]).toMatchObject({ diverging: { leaderEpoch: 3, offset: 70 }, records: [] })
  })

  it('throws on a response that is cut off', async () => {
    const bytes = await respond([{ firstOffset: 1, records: [one(0)] }])
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeFetch(bytes.subarray(0, length))).toThrow(RangeError)
  })
})
