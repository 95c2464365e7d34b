// The decoder against the one it replaces, on what the original encoder wrote. Both originals are loaded untouched by our patches.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BatchContext, type DecodedRecord, decodeRecord } from '#bus/kafka-bus/record-decoder.ts'

const require = createRequire(import.meta.url)
const encode = require('kafkajs/src/protocol/recordBatch/record/v0')
const original: typeof decodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/decoder')
const Decoder: new (
  buffer: Buffer,
) => { buffer: Buffer; offset: number; readVarIntBytes(): Buffer } = require('kafkajs/src/protocol/decoder')

/** A record's own bytes, as a batch's decoder cuts them out. */
const cut = (record: object): Buffer => new Decoder(encode(record).buffer).readVarIntBytes()
const decodeBoth = (record: object, context: BatchContext): [DecodedRecord, DecodedRecord] => {
  const bytes = cut(record)
  return [decodeRecord(new Decoder(bytes), context), original(new Decoder(bytes), context)]
}

// The original takes what an object inherits, such as valueOf, for a header it has had.
const text = fc.string({ unit: 'binary', maxLength: 100 }).filter(name => !(name in {}))
const bytes = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 200 }).map(array => Buffer.from(array)),
)
const nullable = fc.option(bytes, { nil: null })
const context: BatchContext = {
  firstOffset: '123456789012',
  firstTimestamp: '1763791200000',
  maxTimestamp: '1763791200999',
  magicByte: 2,
}

test('is not the original itself', () => {
  expect(original).not.toBe(decodeRecord)
})

test('decodes any record to what the original makes of it', () => {
  const headers = fc.dictionary(text, fc.oneof(bytes, fc.array(bytes, { minLength: 1, maxLength: 3 })), {
    maxKeys: 8,
    noNullPrototype: true,
  })
  const record = fc.record({
    offsetDelta: fc.integer({ min: 0, max: 2 ** 30 - 1 }),
    timestampDelta: fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
    key: nullable,
    value: nullable,
    headers,
  })
  fc.assert(
    fc.property(record, one => {
      const [ours, theirs] = decodeBoth(one, context)
      expect(ours).toEqual(theirs)
    }),
    { numRuns: 1_000 },
  )
})

test('takes the time of the broker where the batch says so', () => {
  const [ours, theirs] = decodeBoth({ value: 'v', timestampDelta: 5 }, { ...context, timestampType: 1 })
  expect(ours).toEqual(theirs)
  expect(ours.timestamp).toBe('1763791200999')
})

test('keeps a header named like a prototype a header', () => {
  const headers = JSON.parse('{"__proto__":"x","constructor":"y"}')
  const [ours] = decodeBoth({ value: 'v', headers }, context)
  expect(Object.keys(ours.headers)).toEqual(['__proto__', 'constructor'])
  expect(Object.getPrototypeOf(ours.headers)).toBe(Object.prototype)
})
