// The produce request against kafkajs's own code, loaded from its files and untouched by our patches: what we encode it decodes,
// checksum and all.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32c } from '#bus/kafka-bus/crc32c.ts'
import { encodeProduce, estimateRecordBytes, type ProduceMessage } from '#bus/kafka-bus/produce-request.ts'

const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder')
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder')
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
