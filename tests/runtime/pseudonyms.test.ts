// Pseudonyms: stable under one key, unlike under another, never joined between domains, and no bare hash.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPseudonyms, digestOf } from '#runtime/pseudonyms.ts'

const key = Buffer.alloc(32, 1)
const one = createPseudonyms(key)

test('are the same for the same value, whoever makes them with the key', () => {
  expect(one.of('subject', '026701599619')).toBe(createPseudonyms(Buffer.alloc(32, 1)).of('subject', '026701599619'))
  expect(one.of('subject', '026701599619')).toMatch(/^v1\.[\w-]{22}$/)
})

test('differ by value, domain, key and version', () => {
  const value = '026701599619'
  const all = [
    one.of('subject', value),
    one.of('subject', '026701599618'),
    one.of('officer', value),
    createPseudonyms(Buffer.alloc(32, 2)).of('subject', value),
    createPseudonyms(key, 'v2').of('subject', value),
  ]
  expect(new Set(all.map(pseudonym => pseudonym)).size).toBe(5)
  expect(all[4]?.startsWith('v2.')).toBe(true)
})

test('are no hash that anybody could make', () => {
  const value = '026701599619'
  for (const algorithm of ['sha256', 'sha1', 'md5', 'sha512'])
    for (const text of [value, `subject${value}`, `subject ${value}`])
      expect(one.of('subject', value)).not.toContain(
        createHash(algorithm).update(text).digest('base64url').slice(0, 22),
      )
})

test('hold nothing of the value', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9]{12}$/), value => {
      expect(one.of('subject', value)).not.toContain(value)
    }),
  )
})

test('need a key of 32 bytes', () => {
  expect(() => createPseudonyms(Buffer.alloc(31))).toThrow('the pseudonym key needs at least 32 bytes')
})

test('a digest is SHA-256', () => {
  expect(digestOf('')).toBe('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
})
