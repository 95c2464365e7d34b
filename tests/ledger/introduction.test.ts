// A ledger and a witness are made known to each other once, and may be again.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KeyError } from '#ledger/notes/keys.ts'
import { introduce } from '#ledger/witness/introduction.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ndx-introduction-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const meet = (origin = 'ndx.example/log'): void =>
  introduce({ ledgerDir: join(folder, 'l'), witnessDir: join(folder, 'w'), origin, witnessName: 'ndx.example/witness' })
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')

test('each gets the other’s public key, and keeps its own for itself', () => {
  meet()
  expect(read('w/logs/ledger.pub')).toBe(read('l/ledger/log-key.pub'))
  expect(read('l/ledger/witnesses/witness.pub')).toBe(read('w/witness-key.pub'))
  for (const path of ['l/ledger/log-key', 'w/witness-key'])
    expect(statSync(join(folder, path)).mode & 0o777).toBe(0o600)
})

test('a second time changes nothing', () => {
  meet()
  const before = read('w/logs/ledger.pub') + read('l/ledger/witnesses/witness.pub')
  meet()
  expect(read('w/logs/ledger.pub') + read('l/ledger/witnesses/witness.pub')).toBe(before)
})

test('a public key that another installation left behind is replaced', () => {
  meet()
  const own = read('l/ledger/log-key.pub')
  writeFileSync(join(folder, 'l/ledger/log-key.pub'), 'ndx.example/log+00000000+AAAA\n')
  meet()
  expect([read('l/ledger/log-key.pub'), read('w/logs/ledger.pub')]).toEqual([own, own])
})

test('a key of another log is refused', () => {
  meet()
  expect(() => meet('ndx.example/other')).toThrow(KeyError)
})
