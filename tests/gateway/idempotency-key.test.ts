// An Idempotency-Key and its body as the index and the records know them: keyed digests, the same for the same, and nothing of
// either in them.
import { expect, test } from 'vitest'
import { type Service } from '#contracts/contract.ts'
import { createDigestKey } from '#gateway/idempotency-key.ts'

const digestKey = createDigestKey(Buffer.alloc(32, 1))
const service = { major: 1 } as Service
const body = Buffer.from('{"a":1}')

test('are 22 characters each, and do not say the same of a key and of a body', () => {
  const digests = digestKey('{"a":1}', body, service)
  expect([digests.key, digests.body]).toEqual([
    expect.stringMatching(/^[\w-]{22}$/),
    expect.stringMatching(/^[\w-]{22}$/),
  ])
  expect(digests.key).not.toBe(digests.body)
  expect(digestKey('{"a":1}', Buffer.from('{"a":1}'), service)).toEqual(digests)
})

test('differ by key, by every byte of the body, by major version and by secret', () => {
  const first = digestKey('k', body, service)
  expect(digestKey('l', body, service)).toEqual({ key: expect.not.stringMatching(first.key), body: first.body })
  expect(digestKey('k', Buffer.from('{"a": 1}'), service).body).not.toBe(first.body)
  expect(digestKey('k', body, { major: 2 } as Service).body).not.toBe(first.body)
  const other = createDigestKey(Buffer.alloc(32, 2))('k', body, service)
  expect([other.key === first.key, other.body === first.body]).toEqual([false, false])
})

test('a quoted key is the bare one', () => {
  expect(digestKey('"k"', body, service)).toEqual(digestKey('k', body, service))
})

test.each(['x', '~', '!'.repeat(128), `"${'x'.repeat(128)}"`, '"', '"x'])('%s is a key', key => {
  expect(digestKey(key, body, service).key).toHaveLength(22)
})

test.each(['', '""', ' ', 'a b', 'a, b', 'x'.repeat(129), 'ключ', 'a\tb'])('%j is none', key => {
  expect(() => digestKey(key, body, service)).toThrow(expect.objectContaining({ code: 'NDX_IDEMPOTENCY_KEY_INVALID' }))
})
