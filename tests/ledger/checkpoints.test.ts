// Signing the head of the log: only what the stored bytes give, never another past, on from where it was.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCheckpoints, LogCorrupt } from '#ledger/checkpoints.ts'
import { createLogAppender, nodesOf } from '#ledger/log-appender.ts'
import { rootAt } from '#ledger/merkle/proofs.ts'
import { openCheckpoint } from '#ledger/notes/checkpoint.ts'
import { makeNoteKey, type SignerKey } from '#ledger/notes/keys.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { ingestInto } from './ingesting.ts'
import { Records, someMs } from './records.ts'

const origin = 'ndx.example/test'
let directory: string
let path: string
let key: SignerKey
let store: LedgerStore
let records: Records

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ndx-ledger-'))
  path = join(directory, 'ledger.sqlite')
  key = makeNoteKey(join(directory, 'log-key'), origin)
  store = openSqliteStore(path)
  records = new Records()
})

afterEach(() => {
  store.close()
  rmSync(directory, { recursive: true, force: true })
})

function append(from: number, to: number): void {
  const ingestion = ingestInto(store)
  const all = []
  for (let i = from; i < to; i++) all.push(records.request(i))
  ingestion.ingest(all)
}

/** Changes the database as somebody with the disk could. */
function tamper(sql: string): void {
  store.close()
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
  store = openSqliteStore(path)
}

test('a checkpoint is of the entries there are, and there is none while nothing is new', () => {
  const checkpoints = createCheckpoints(store, origin, key)
  expect(checkpoints.sign(1)).toBeUndefined()
  append(0, 300)
  const signed = checkpoints.sign(someMs)
  const { size, root } = openCheckpoint(signed?.note ?? '', [key.verifier])
  expect([size, root]).toEqual([300, rootAt(300, nodesOf(store))])
  expect(checkpoints.sign(someMs)).toBeUndefined()
  expect(store.lastCheckpoint()).toEqual(signed)
})

test('after a restart it goes on from the last one', () => {
  append(0, 10)
  createCheckpoints(store, origin, key).sign(1)
  store.close()
  store = openSqliteStore(path)
  const checkpoints = createCheckpoints(store, origin, key)
  expect(checkpoints.sign(2)).toBeUndefined()
  append(10, 20)
  expect(checkpoints.sign(3)?.size).toBe(20)
})

test('a backlog is signed in several goes', () => {
  const line = 'x'
  for (let first = 0; first < 30_000; first += 10_000) {
    const entries = Array.from({ length: 10_000 }, (_, i) => `${line}${first + i}`)
    createLogAppender(store).append(entries, tiles =>
      store.append({
        first,
        entries,
        tiles,
        views: [],
        tallies: [],
        positions: [],
        sources: [],
        callbacks: [],
        keys: [],
        gaps: [],
      }),
    )
  }
  const checkpoints = createCheckpoints(store, origin, key)
  expect([checkpoints.sign(1)?.size, checkpoints.sign(2)?.size, checkpoints.sign(3)]).toEqual([
    20_000,
    30_000,
    undefined,
  ])
})

test('an entry that was changed before it was signed stops the signing', () => {
  append(0, 10)
  tamper(`UPDATE entry SET lines = replace(lines, 'population', 'Population')`)
  const checkpoints = createCheckpoints(store, origin, key)
  expect(() => checkpoints.sign(1)).toThrow(LogCorrupt)
  expect(store.lastCheckpoint()).toBeUndefined()
})

test.each([
  [
    'entries are taken away',
    'DELETE FROM entry WHERE first >= 10; DELETE FROM tile WHERE level > 0',
    /entries were signed|tile/,
  ],
  ['a tile is changed', 'UPDATE tile SET hashes = zeroblob(length(hashes)) WHERE level = 0', /not the one/],
])('when %s after they were signed the log is not opened', (_, sql, why) => {
  append(0, 10)
  append(10, 20)
  createCheckpoints(store, origin, key).sign(1)
  tamper(sql)
  expect(() => createCheckpoints(store, origin, key)).toThrow(why)
})

test('a checkpoint that cannot be stored is not signed twice over another root', () => {
  append(0, 10)
  let isFull = true
  const failing: LedgerStore = new Proxy(store, {
    get: (target, name) => {
      if (name === 'addCheckpoint' && isFull)
        return () => {
          throw new Error('disk is full')
        }
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const checkpoints = createCheckpoints(failing, origin, key)
  expect(() => checkpoints.sign(1)).toThrow('full')
  isFull = false
  expect(checkpoints.sign(2)?.size).toBe(10)
})
