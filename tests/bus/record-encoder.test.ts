// The encoder against the one it replaces, byte for byte. The original is loaded from kafkajs's files, untouched by our patches.
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type EncodableRecord, type Encoded, encodeRecord, estimateRecordBytes } from '#bus/kafka-bus/record-encoder.ts'

const original: (record: EncodableRecord) => Encoded = createRequire(import.meta.url)(
  'kafkajs/src/protocol/recordBatch/record/v0',
)
const bytesOf = ({ buf, offset }: Encoded): Buffer => buf.subarray(0, offset)

const text = fc.string({ unit: 'binary', maxLength: 200 })
const bytes = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 200 }).map(array => Buffer.from(array)),
)
const nullable = fc.option(bytes, { nil: null })
const headers = fc.dictionary(text, fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })), {
  maxKeys: 8,
  noNullPrototype: true,
})
const offsetDelta = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const timestampDelta = fc.oneof(fc.constant(0), fc.maxSafeInteger())

test('is not the original itself', () => {
  expect(original).not.toBe(encodeRecord)
})

test('encodes any record with the bytes of the original', () => {
  const record = fc.record(
    { offsetDelta, timestampDelta, key: nullable, value: nullable, headers },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(record, one => {
      expect(bytesOf(encodeRecord(one)).equals(bytesOf(original(one)))).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test.each<[string, EncodableRecord]>([
  ['nothing', {}],
  ['null key and value', { key: null, value: null, headers: {} }],
  ['empty key and value', { key: '', value: '', headers: { '': '' } }],
  ['text of several bytes a character', { key: 'Đặng', value: '𝄞 漢字', headers: { 'tiếng-việt': '🇻🇳' } }],
  ['lone surrogates', { key: '\ud800', value: '\udfff', headers: {} }],
  [
    'a length that takes three bytes',
    { key: Buffer.alloc(63), value: Buffer.alloc(20_000, 1), headers: { h: 'x'.repeat(64) } },
  ],
  ['a repeated header', { value: 'v', headers: { h: ['1', Buffer.from('2')] } }],
  ['a time before the first', { timestampDelta: -1, offsetDelta: 200, value: 'v' }],
])('encodes %s with the bytes of the original', (_what, record) => {
  expect(bytesOf(encodeRecord(record))).toEqual(Buffer.from(bytesOf(original(record))))
})

test('never takes more bytes than estimated', () => {
  const strings = fc.dictionary(text, text, { maxKeys: 8, noNullPrototype: true })
  fc.assert(
    fc.property(fc.option(text), text, strings, (key, value, some) => {
      expect(bytesOf(encodeRecord({ key, value, headers: some })).length).toBeLessThanOrEqual(
        estimateRecordBytes(key, value, some),
      )
    }),
  )
})
