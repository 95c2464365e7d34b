// The produce request and the fetch response against kafkajs's own code, loaded from its files and untouched by our patches: what
// we encode it decodes, checksum and all, and what it encodes we decode.
import { createRequire } from 'node:module'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from '#bus/kafka-bus/crc32c.ts'
import { decodeFetch } from '#bus/kafka-bus/fetch-response.ts'
import { encodeProduce, estimateRecordBytes, type ProduceMessage } from '#bus/kafka-bus/produce-request.ts'

const require = createRequire(import.meta.url)
const Encoder = require('kafkajs/src/protocol/encoder')
const Decoder = require('kafkajs/src/protocol/decoder')
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder')
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0')
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0')
const theirCrc: (bytes: Buffer) => number = require('kafkajs/src/protocol/recordBatch/crc32C')
const nowMs = 1_763_791_200_123

// kafkajs takes what an object inherits, such as valueOf, for a header it has had.
const text = fc.string({ unit: 'binary', maxLength: 150 }).filter(name => !(name in {}))
const headers = fc.dictionary(text, text, { maxKeys: 8, noNullPrototype: true })
const message: fc.Arbitrary<ProduceMessage> = fc.record({
  key: fc.option(text),
  value: fc.oneof(text, fc.string({ unit: 'binary', minLength: 8_000, maxLength: 8_300 })),
  headers,
})
/** What UTF-8 makes of it. */
const wellFormed = (given: string): string => given.toWellFormed()

interface TheirRecord {
  key: Buffer | null
  value: Buffer
  headers: Record<string, Buffer>
  offset: string
  timestamp: string
}

async function readBack(bytes: Buffer): Promise<{ topic: string; byPartition: Map<number, TheirRecord[]> }> {
  const decoder = new Decoder(bytes)
  expect([decoder.readString(), decoder.readInt16(), decoder.readInt32(), decoder.readInt32()]).toEqual([
    null,
    -1,
    2500,
    1,
  ])
  const topic = decoder.readString()
  const byPartition = new Map<number, TheirRecord[]>()
  for (let left = decoder.readInt32(); left > 0; left--) {
    const partition = decoder.readInt32()
    const batch: Buffer = decoder.readBytes(decoder.readInt32())
    expect(batch.readUInt32BE(17)).toBe(theirCrc(batch.subarray(21)))
    byPartition.set(partition, (await decodeBatch(new Decoder(batch))).records)
  }
  expect(decoder.canReadBytes(1)).toBe(false)
  return { topic, byPartition }
}

describe('a produce request', () => {
  it('is read back by kafkajs, whatever is in it', async () => {
    const partitions = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 0, max: 99 }), fc.array(message, { minLength: 1, maxLength: 5 })),
      { minLength: 1, maxLength: 3, selector: ([partition]) => partition },
    )
    await fc.assert(
      fc.asyncProperty(partitions, async given => {
        const messages = new Map(given)
        const { topic, byPartition } = await readBack(
          encodeProduce({ topic: 'ndx.t', messages, timeoutMs: 2500, nowMs }),
        )
        expect(topic).toBe('ndx.t')
        expect([...byPartition.keys()]).toEqual([...messages.keys()])
        for (const [partition, list] of messages) {
          const read = byPartition.get(partition) ?? []
          expect(read.map(({ offset, timestamp }) => [offset, timestamp])).toEqual(
            list.map((_, i) => [String(i), String(nowMs)]),
          )
          for (const [i, one] of list.entries()) {
            expect(read[i]?.key?.toString() ?? null).toBe(one.key === null ? null : wellFormed(one.key))
            expect(read[i]?.value.toString()).toBe(wellFormed(one.value))
            for (const name of Object.keys(one.headers).filter(name => name.isWellFormed()))
              expect([read[i]?.headers[name]].flat()[0]?.toString()).toBe(wellFormed(one.headers[name] ?? ''))
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it.each([0, 1, 40, 44, 45, 46, 63, 64, 8_100, 8_170, 8_180, 8_190, 8_192, 1_048_000])(
    'tells the length of a record with a value of %i bytes',
    async length => {
      const value = 'x'.repeat(length)
      const messages = new Map([
        [
          0,
          [
            { key: null, value, headers: {} },
            { key: 'k', value: 'after', headers: {} },
          ],
        ],
      ])
      const { byPartition } = await readBack(encodeProduce({ topic: 't', messages, timeoutMs: 2500, nowMs }))
      expect(byPartition.get(0)?.map(one => one.value.toString())).toEqual([value, 'after'])
    },
  )

  it('never takes more bytes than were estimated', () => {
    fc.assert(
      fc.property(message, one => {
        const messages = new Map([[0, [one]]])
        const bytes = encodeProduce({ topic: 't', messages, timeoutMs: 1, nowMs }).length
        expect(bytes - 61 - 8 - 15).toBeLessThanOrEqual(estimateRecordBytes(one))
      }),
    )
  })
})

it('has the checksum that RFC 3720 gives for its examples, and kafkajs for anything', () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (array, start) => {
      const bytes = Buffer.from(array)
      expect(crc32c(bytes, Math.min(start, bytes.length))).toBe(theirCrc(bytes.subarray(start)))
    }),
  )
})

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

/** A response of one partition, as a broker would send it. */
async function respond(batches: Batch[], { cut = 0, errorCode = 0 } = {}): Promise<Buffer> {
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
  const set = Buffer.concat(encoded)
  const partition = new Encoder()
    .writeInt32(7)
    .writeInt16(errorCode)
    .writeInt64(4_294_967_297)
    .writeInt64(5)
    .writeInt64(0)
    .writeArray([new Encoder().writeInt64(1).writeInt64(2)])
    .writeInt32(-1)
    .writeBytes(set.subarray(0, set.length - cut))
  const topic = new Encoder().writeString('ndx.reply.tiếng').writeArray([partition])
  return new Encoder().writeInt32(12).writeInt16(0).writeInt32(0).writeArray([topic]).buffer
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

  it('refuses a batch that unpacks to more than 16 MiB', async () => {
    const packed = gzipSync(Buffer.alloc(16_777_217))
    const bytes = await respond([{ firstOffset: 1, records: [one(0)], attributes: 1, packed }])
    expect(() => decodeFetch(bytes)).toThrow(RangeError)
  })

  it('refuses a batch packed in another way, and says what to do', async () => {
    const bytes = await respond([{ firstOffset: 1, records: [one(0)], attributes: 2 }])
    expect(() => decodeFetch(bytes)).toThrow(/compression.type/)
  })

  it.each([-1, 0, 48])('refuses a batch that says it is %i bytes long', async length => {
    const bytes = await respond([{ firstOffset: 1, records: [one(0)] }])
    bytes.writeInt32BE(length, bytes.length - batchBytes + 8)
    expect(() => decodeFetch(bytes)).toThrow(RangeError)
  })

  it('throws on a response that is cut off', async () => {
    const bytes = await respond([{ firstOffset: 1, records: [one(0)] }])
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeFetch(bytes.subarray(0, length))).toThrow(RangeError)
  })
})
