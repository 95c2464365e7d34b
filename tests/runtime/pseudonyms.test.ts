// Pseudonyms and commitments: stable under one key, unlike under another, never joined between domains, and no bare hash; the
// version is that of the month, and changes without a failure.
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type KeySource, monthOf, nextMonthMs, versionAt } from '#runtime/key-versions.ts'
import { createCommitments, createPseudonyms, digestOf } from '#runtime/pseudonyms.ts'

const keyOf = (fill: number): Buffer => Buffer.alloc(32, fill)
const inNovember = Date.UTC(2026, 10, 15)
const value = '026701599619'
const keys = new Map([['202611', keyOf(1)]])
const one = createPseudonyms(keys, () => inNovember)

/** The same, said with node:crypto's own HMAC. */
const expected = (fill: number, domain: string, text: string): string =>
  createHmac('sha256', Buffer.from(hkdfSync('sha256', keyOf(fill), '', `ndx pseudonym ${domain}`, 32)))
    .update(text)
    .digest('base64url')

describe('pseudonyms', () => {
  test('are the same for the same value, whoever makes them with the key', () => {
    const another = createPseudonyms(new Map([['202611', keyOf(1)]]), () => inNovember + 86_400_000)
    expect(one.of('subject', value)).toBe(another.of('subject', value))
    expect(one.of('subject', value)).toBe(`202611.${expected(1, 'subject', value).slice(0, 22)}`)
    expect(one.of('officer', 'x'.repeat(2000))).toMatch(/^202611\.[\w-]{22}$/)
  })

  test('differ by value, domain, key and version', () => {
    const all = [
      one.of('subject', value),
      one.of('subject', '026701599618'),
      one.of('officer', value),
      createPseudonyms(new Map([['202611', keyOf(2)]]), () => inNovember).of('subject', value),
    ].map(pseudonym => pseudonym.split('.')[1])
    expect(new Set(all).size).toBe(4)
  })

  test('are no hash that anybody could make', () => {
    for (const algorithm of ['sha256', 'sha1', 'md5', 'sha512'])
      for (const text of [value, `subject${value}`, `subject ${value}`])
        expect(one.of('subject', value)).not.toContain(
          createHash(algorithm).update(text).digest('base64url').slice(0, 22),
        )
  })

  test('hold nothing of the value', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{12}$/), digits => {
        expect(one.of('subject', digits)).not.toContain(digits)
      }),
    )
  })

  test('need a key, of 32 bytes', () => {
    const from = (source: KeySource) => () => createPseudonyms(source, () => inNovember)
    expect(from(new Map([['202611', Buffer.alloc(31)]]))).toThrow('the pseudonym key 202611 needs at least 32 bytes')
    expect(from(new Map())).toThrow('there is no pseudonym key; `npx ndx secrets` makes one')
  })
})

describe('the version', () => {
  test('changes with the month of UTC+7, to the millisecond', () => {
    const midnight = Date.UTC(2026, 10, 30, 17)
    expect([monthOf(midnight - 1), monthOf(midnight)]).toEqual(['202611', '202612'])
    expect([nextMonthMs(inNovember), nextMonthMs(midnight)]).toEqual([midnight, Date.UTC(2026, 11, 31, 17)])
    let nowMs = midnight - 1
    const both = new Map([...keys, ['202612', keyOf(2)]])
    const pseudonyms = createPseudonyms(both, () => nowMs)
    expect(pseudonyms.of('subject', value)).toBe(one.of('subject', value))
    nowMs = midnight
    expect(pseudonyms.of('subject', value)).toBe(`202612.${expected(2, 'subject', value).slice(0, 22)}`)
    nowMs = midnight - 1
    expect(pseudonyms.of('subject', value)).toBe(one.of('subject', value))
    expect(pseudonyms.versions).toEqual(['202611', '202612'])
  })

  test('is the newest that has begun, else the first to begin', () => {
    const versions = ['202612', '202611b', '202611', '202609']
    expect(versionAt(inNovember, versions)).toBe('202611b')
    expect(versionAt(Date.UTC(2027, 0, 15), versions)).toBe('202612')
    expect(versionAt(Date.UTC(2026, 9, 15), versions)).toBe('202609')
    expect(versionAt(Date.UTC(2026, 0, 15), versions)).toBe('202609')
    expect(versionAt(inNovember, [])).toBeUndefined()
  })

  test('that is missing is told, once a minute, and the newest there is serves instead', () => {
    let nowMs = Date.UTC(2026, 11, 15)
    const source = new Map(keys)
    const told: string[][] = []
    const pseudonyms = createPseudonyms(
      source,
      () => nowMs,
      (...trouble) => void told.push(trouble),
    )
    const fall = ['there is no pseudonym key for 202612', '202611']
    for (; nowMs < Date.UTC(2026, 11, 15) + 119_000; nowMs += 1000)
      expect(pseudonyms.of('subject', value)).toBe(one.of('subject', value))
    expect(told).toEqual([fall, fall])
    source.set('202612', keyOf(2))
    nowMs += 60_000
    expect(pseudonyms.of('subject', value)).toMatch(/^202612\./)
    expect(told).toHaveLength(2)
  })

  test('is not worked out anew for every value', () => {
    let looks = 0
    const source: KeySource = {
      get: version => keys.get(version),
      keys: () => {
        looks++
        return keys.keys()
      },
    }
    const pseudonyms = createPseudonyms(source, () => inNovember)
    for (let i = 0; i < 1000; i++) pseudonyms.of('subject', String(i))
    expect(looks).toBe(1)
  })
})

describe('commitments', () => {
  const commitments = createCommitments(keys, () => inNovember)
  const data = '{"matched":true}'
  const id = '01900000-0000-7000-8000-000000000000'
  const commitment = commitments.commit(id, 'reply', data)

  test('are what they are said to be', () => {
    const statement = `reply\0${id}\0${data}`
    expect(commitment).toBe(`202611.${expected(1, 'commitment', statement)}`)
    expect(commitment).toMatch(/^202611\.[\w-]{43}$/)
    expect(commitments.commit(id, 'request', 'x'.repeat(500_000))).toMatch(/^202611\.[\w-]{43}$/)
  })

  test('match their data, exchange and kind, and no other', () => {
    expect(commitments.matches(commitment, id, 'reply', data)).toBe(true)
    expect(commitments.matches(commitment, id, 'request', data)).toBe(false)
    expect(commitments.matches(commitment, `${id}0`, 'reply', data)).toBe(false)
    expect(commitments.matches(commitment, id, 'reply', `${data} `)).toBe(false)
    expect(commitments.matches(`${commitment}A`, id, 'reply', data)).toBe(false)
  })

  test('are not to be had from pseudonyms', () => {
    const statement = `reply\0${id}\0${data}`
    for (const domain of ['subject', 'officer'] as const)
      expect(commitment).not.toContain(one.of(domain, statement).slice('202611.'.length))
  })

  test('under a key that is gone, or that never was, can be told by nobody', () => {
    const later = createCommitments(new Map([['202612', keyOf(2)]]), () => Date.UTC(2026, 11, 15))
    expect(later.matches(commitment, id, 'reply', data)).toBeUndefined()
    expect(later.matches('no commitment', id, 'reply', data)).toBeUndefined()
  })
})

test('a digest is SHA-256', () => {
  expect(digestOf('')).toBe('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
})
