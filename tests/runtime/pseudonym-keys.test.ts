// Pseudonym keys as files: made a month ahead, replaced at once, destroyed for good, and followed by a process that runs.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  destroyPseudonymKey,
  listPseudonymKeys,
  makePseudonymKeys,
  readPseudonymKeys,
  rotatePseudonymKey,
} from '#runtime/pseudonym-keys.ts'
import { createCommitments, createPseudonyms } from '#runtime/pseudonyms.ts'

const inNovember = Date.UTC(2026, 10, 15)
const minuteMs = 60_000
const value = '026701599619'
let dataDir: string
let nowMs: number
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ndx-keys-'))
  nowMs = inNovember
  makePseudonymKeys(dataDir, nowMs)
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const pathOf = (version: string): string => join(dataDir, 'secrets/pseudonym-keys', version)
const now = (): number => nowMs

test('are made for this month and the next, and not again', () => {
  expect(listPseudonymKeys(dataDir)).toEqual(['202611', '202612'])
  expect(makePseudonymKeys(dataDir, inNovember)).toEqual([])
  expect(makePseudonymKeys(dataDir, Date.UTC(2026, 11, 15))).toEqual(['secrets/pseudonym-keys/202701'])
  expect(readFileSync(pathOf('202611'), 'utf8')).toMatch(/^[\w-]{43}\n$/)
  expect([statSync(pathOf('202611')).mode & 0o777, statSync(pathOf('')).mode & 0o777]).toEqual([0o600, 0o700])
})

test('rotate while pseudonyms are being made, with no failure', () => {
  const told: string[] = []
  const pseudonyms = createPseudonyms(readPseudonymKeys(dataDir), now, reason => void told.push(reason))
  const before = pseudonyms.of('subject', value)
  const versions = new Set<string>()
  const make = (): string => {
    nowMs += 1000
    const pseudonym = pseudonyms.of('subject', value)
    versions.add(pseudonym.split('.')[0] ?? '')
    return pseudonym
  }
  for (let i = 0; i < 30; i++) expect(make()).toBe(before)
  expect(rotatePseudonymKey(dataDir, nowMs)).toBe('202611b')
  for (let i = 0; i < 61; i++) make()
  expect(make()).toMatch(/^202611b\./)
  expect(rotatePseudonymKey(dataDir, nowMs)).toBe('202611c')
  destroyPseudonymKey(dataDir, '202611', nowMs)
  destroyPseudonymKey(dataDir, '202611b', nowMs)
  for (let i = 0; i < 61; i++) make()
  expect(make()).toMatch(/^202611c\./)
  nowMs = Date.UTC(2026, 10, 30, 17)
  expect(make()).toMatch(/^202612\./)
  expect([...versions]).toEqual(['202611', '202611b', '202611c', '202612'])
  expect(told).toEqual([])
})

test('that are destroyed take their pseudonyms with them, and leave all others as they are', () => {
  const keys = readPseudonymKeys(dataDir)
  const pseudonyms = createPseudonyms(keys, now)
  const commitments = createCommitments(keys, now)
  const old = pseudonyms.of('subject', value)
  const oldCommitment = commitments.commit('e1', 'reply', 'data')
  nowMs = Date.UTC(2026, 11, 15)
  const kept = pseudonyms.of('subject', value)
  const keptCommitment = commitments.commit('e1', 'reply', 'data')
  destroyPseudonymKey(dataDir, '202611', nowMs)
  nowMs += minuteMs
  expect(pseudonyms.of('subject', value)).toBe(kept)
  expect(pseudonyms.versions).toEqual(['202612'])
  expect(commitments.matches(oldCommitment, 'e1', 'reply', 'data')).toBeUndefined()
  expect(commitments.matches(keptCommitment, 'e1', 'reply', 'data')).toBe(true)
  const remaining = readPseudonymKeys(dataDir)
  for (const atMs of [inNovember, nowMs, Date.UTC(2030, 0, 1)])
    expect(
      createPseudonyms(remaining, () => atMs)
        .of('subject', value)
        .split('.')[1],
    ).not.toBe(old.split('.')[1])
  expect(readdirSync(pathOf(''))).toEqual(['202612'])
})

test('that are in use are not destroyed, nor are those that are not there', () => {
  expect(() => destroyPseudonymKey(dataDir, '202611', nowMs)).toThrow('the pseudonym key 202611 is in use')
  expect(() => destroyPseudonymKey(dataDir, '202610', nowMs)).toThrow('there is no pseudonym key 202610')
  expect(() => destroyPseudonymKey(dataDir, '../issuer-key.json', nowMs)).toThrow('there is no pseudonym key')
  expect(listPseudonymKeys(dataDir)).toEqual(['202611', '202612'])
})

test('that were destroyed are not made again under their name', () => {
  rotatePseudonymKey(dataDir, nowMs)
  destroyPseudonymKey(dataDir, '202611', nowMs)
  expect(makePseudonymKeys(dataDir, nowMs)).toEqual([])
  expect(rotatePseudonymKey(dataDir, nowMs)).toBe('202611c')
})

test('of a month are 25 at most', () => {
  for (let i = 0; i < 24; i++) rotatePseudonymKey(dataDir, nowMs)
  expect(listPseudonymKeys(dataDir).at(-2)).toBe('202611y')
  expect(rotatePseudonymKey(dataDir, nowMs)).toBe('202611z')
  expect(() => rotatePseudonymKey(dataDir, nowMs)).toThrow('a month has at most 25 pseudonym keys')
})

test('that come while a process runs are seen at once when the month changes, without a look more often than once a minute', () => {
  const keys = readPseudonymKeys(dataDir)
  const pseudonyms = createPseudonyms(keys, now)
  nowMs = Date.UTC(2026, 11, 31, 17) - 2 * minuteMs
  expect(pseudonyms.of('subject', value)).toMatch(/^202612\./)
  makePseudonymKeys(dataDir, nowMs)
  nowMs = Date.UTC(2026, 11, 31, 17)
  expect(pseudonyms.of('subject', value)).toMatch(/^202701\./)
  rotatePseudonymKey(dataDir, nowMs)
  expect(keys.refresh(nowMs + minuteMs - 1)).toBeUndefined()
  expect([...keys.keys()]).not.toContain('202701b')
  keys.refresh(nowMs + minuteMs)
  expect([...keys.keys()]).toContain('202701b')
})

test('that cannot be read are told, and stop nothing', () => {
  const told: string[][] = []
  const pseudonyms = createPseudonyms(readPseudonymKeys(dataDir), now, (...trouble) => void told.push(trouble))
  const before = pseudonyms.of('subject', value)
  writeFileSync(pathOf('202611b'), 'half')
  nowMs += minuteMs
  expect(pseudonyms.of('subject', value)).toBe(before)
  rmSync(pathOf(''), { recursive: true })
  nowMs += minuteMs
  expect(pseudonyms.of('subject', value)).toBe(before)
  expect(told).toEqual([
    [`${pathOf('202611b')} is no pseudonym key`, '202611'],
    [`there is no key in ${pathOf('')}; \`npx ndx secrets\` makes what is missing`, '202611'],
  ])
})

test('that are not there at the start are asked for with what to do', () => {
  writeFileSync(pathOf('202611'), 'half')
  expect(() => readPseudonymKeys(dataDir)).toThrow(`${pathOf('202611')} is no pseudonym key`)
  rmSync(pathOf(''), { recursive: true })
  expect(() => readPseudonymKeys(dataDir)).toThrow(/`npx ndx secrets` makes what is missing$/)
})

test('files of other names are left alone', () => {
  writeFileSync(pathOf('202611.abc.tmp'), 'half')
  writeFileSync(pathOf('202613'), 'no month')
  chmodSync(pathOf('202613'), 0)
  expect([...readPseudonymKeys(dataDir).keys()]).toEqual(['202611', '202612'])
})
