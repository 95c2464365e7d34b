// Batches into the log: all or nothing, once, resumed where they stopped, whatever order they come in.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { decodeEntry } from '#ledger/event.ts'
import { type Ingestion } from '#ledger/ingestion.ts'
import { nodesOf } from '#ledger/log-appender.ts'
import { leafHash } from '#ledger/merkle/hashes.ts'
import { rootAt } from '#ledger/merkle/proofs.ts'
import { reconcile } from '#ledger/reconciliation.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { ingestInto } from './ingesting.ts'
import { exchangeIdOf, Records, someMs } from './records.ts'

const service = 'population/identity-verification'

let directory: string
let path: string
let store: LedgerStore
let committed: number

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ndx-ledger-'))
  path = join(directory, 'ledger.sqlite')
  store = openSqliteStore(path)
  committed = 0
})

afterEach(() => {
  store.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = (on: LedgerStore = store): Ingestion =>
  ingestInto(on, {
    onCommitted: ({ events }) => {
      committed += events
    },
  })

function reopen(): Ingestion {
  store.close()
  store = openSqliteStore(path)
  return open()
}

/** What the log holds, as kinds. */
const kinds = (): string[] =>
  store.entries(0, 1000).flatMap(entry => (decodeEntry(entry) ?? []).map(event => event.kind))

function rootOfEntries(): string {
  const hashes = store.entries(0, 10_000).map(leafHash)
  // The naive definition of RFC 6962, not ours.
  const root = (leaves: Buffer[]): Buffer => {
    if (leaves.length === 1) return leaves[0] as Buffer
    let split = 1
    while (split * 2 < leaves.length) split *= 2
    const { createHash } = process.getBuiltinModule('node:crypto')
    return createHash('sha256')
      .update(Buffer.of(1))
      .update(root(leaves.slice(0, split)))
      .update(root(leaves.slice(split)))
      .digest()
  }
  return root(hashes).toString('hex')
}

test('what comes after an exchange is over is joined to it', () => {
  const records = new Records()
  const ingestion = open()
  ingestion.ingest([records.request(1), records.reply(1), records.note(1, 'delivered')])
  ingestion.ingest([records.note(1, 'delivered'), records.note(1, 'undelivered')])
  expect(store.view(exchangeIdOf(1))).toMatchObject({
    outcome: { outcome: 'answered' },
    told: ['delivered', 'undelivered'],
    leaves: [0, 1],
  })
})

describe('a batch', () => {
  test('is events, views, offsets and tree in one', () => {
    const records = new Records()
    const ingestion = open()
    ingestion.ingest([records.request(1), records.request(2), records.reply(1), records.note(1, 'delivered')])
    expect(kinds()).toEqual(['accepted', 'answered', 'delivered', 'accepted'])
    expect(store.view(exchangeIdOf(1))).toMatchObject({ leaves: [0], outcome: { outcome: 'answered' } })
    expect(ingestion.position('ndx.request.population', 0)?.next).toBe(2)
    expect(ingestion.position('ndx.reply.population', 3)?.next).toBe(1)
    expect(ingestion.position('ndx.reply.population', 4)).toBeUndefined()
    expect(rootAt(store.size, nodesOf(store)).toString('hex')).toBe(rootOfEntries())
    expect([store.size, committed]).toEqual([2, 4])
  })

  test('handed over again is stored once', () => {
    const records = new Records()
    const batch = [records.request(1), records.reply(1)]
    const ingestion = open()
    ingestion.ingest(batch)
    ingestion.ingest(batch)
    reopen().ingest([...batch, records.note(1, 'delivered')])
    expect(kinds()).toEqual(['accepted', 'answered', 'delivered'])
  })

  test('that the store refuses is as if it had never been read', () => {
    const records = new Records()
    let refusals = 2
    const failing: LedgerStore = new Proxy(store, {
      get: (target, name) => {
        if (name === 'append' && refusals-- > 0)
          return () => {
            throw new Error('database or disk is full')
          }
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const ingestion = open(failing)
    const batch = [records.request(1), records.reply(1)]
    expect(() => ingestion.ingest(batch)).toThrow('full')
    expect(ingestion.position('ndx.request.population', 0)).toBeUndefined()
    expect(() => ingestion.ingest(batch.slice(0, 1))).toThrow('full')
    expect([store.size, committed]).toEqual([0, 0])
    ingestion.ingest(batch)
    expect(kinds()).toEqual(['accepted', 'answered'])
    expect(rootAt(1, nodesOf(store)).toString('hex')).toBe(rootOfEntries())
  })

  test('gives the same exchanges whatever the order of topics, cut into batches anyhow, with restarts between', () => {
    const records = new Records()
    const all: IncomingRecord[] = []
    for (let i = 1; i <= 60; i++) {
      all.push(
        records.request(i),
        records.reply(i, i % 7 === 0 ? { outcome: 'expired' } : {}),
        records.note(i, 'delivered'),
      )
      if (i % 5 === 0) all.push(records.reply(i))
    }
    const byTopic = [...all].sort((a, b) => a.topic.localeCompare(b.topic))
    const summaries = [all, byTopic, byTopic.toReversed().sort((a, b) => b.topic.localeCompare(a.topic))].map(
      (order, round) => {
        store.close()
        rmSync(path)
        store = openSqliteStore(path)
        let ingestion = open()
        // Within a topic the order stays, as every road has it.
        const stable = [...new Set(order.map(record => record.topic))].flatMap(topic =>
          round === 0 ? [] : all.filter(record => record.topic === topic),
        )
        const rest = round === 0 ? all : stable
        for (let at = 0; at < rest.length; at += 17) {
          ingestion.ingest(rest.slice(at, at + 17))
          if (at % 34 === 0) ingestion = reopen()
        }
        expect(rootAt(store.size, nodesOf(store)).toString('hex')).toBe(rootOfEntries())
        return {
          tallies: store.tallies(),
          kinds: kinds()
            .filter(kind => kind !== 'early')
            .sort(),
        }
      },
    )
    expect(summaries[1]).toEqual(summaries[0])
    expect(summaries[2]).toEqual(summaries[0])
    expect(summaries[0]?.tallies).toEqual([
      { provider: 'population', client: 'social-insurance', service, state: 'answered', count: 52 },
      { provider: 'population', client: 'social-insurance', service, state: 'expired', count: 8 },
    ])
  })
})

test('a refusal without a client and garbage are events, and no exchange', () => {
  const records = new Records()
  const refused = records.note(1, 'refused', { code: 'NDX_TOKEN_MISSING', client: undefined as never })
  open().ingest([refused, { ...records.request(2), value: Buffer.from('{') }])
  expect(kinds()).toEqual(['unreadable', 'refused'])
  expect([store.view(exchangeIdOf(1)), store.view(exchangeIdOf(2)), store.tallies()]).toEqual([
    undefined,
    undefined,
    [],
  ])
})

test('an exchange whose client wants to be called is queued with its outcome, once', () => {
  const records = new Records()
  const ingestion = open()
  ingestion.ingest([records.request(1, { callback: true }), records.request(2)])
  expect(store.dueCallbacks('social-insurance', someMs + 1, 10)).toEqual([])
  ingestion.ingest([records.reply(1), records.reply(2), records.reply(1)])
  expect(store.dueCallbacks('social-insurance', someMs + 1, 10)).toEqual([
    { exchange: exchangeIdOf(1), client: 'social-insurance', dueMs: someMs, tries: 0 },
  ])
  store.putCallback(exchangeIdOf(1), undefined)
  ingestion.ingest([records.reply(1)])
  expect(store.dueCallbacks('social-insurance', someMs + 1, 10)).toEqual([])
})

test('an idempotency key leads to its exchange until it is forgotten', () => {
  const records = new Records()
  open().ingest([records.request(1, { idempotency: { key: 'k1', body: 'b1' } }), records.request(2)])
  const key = 'social-insurance/population/identity-verification/k1'
  store.forgetKeys(someMs)
  expect(store.viewByKey(key)).toMatchObject({ view: { exchange: exchangeIdOf(1) }, body: 'b1' })
  store.forgetKeys(someMs + 1)
  expect(store.viewByKey(key)).toBeUndefined()
  expect(store.entries(0, 10).join()).not.toMatch(/k1|b1/)
})

test('a second ledger on the same log is refused', () => {
  expect(() => openSqliteStore(path)).toThrow(/in use by another ledger/)
})

test('a store of a format before is refused with what to do, and left as it is', () => {
  store.close()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA user_version = 2')
  database.close()
  expect(() => openSqliteStore(path)).toThrow(/has format 2; this NDX reads 3.*ndx ledger succeed/)
  const again = new DatabaseSync(path)
  expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 })
  again.close()
  rmSync(path)
  store = openSqliteStore(path)
})

test('the books say what is open, overdue, settled and wrong', () => {
  const records = new Records()
  open().ingest([
    records.request(1),
    records.reply(1),
    records.request(2),
    records.request(3, { deadlineMs: someMs + 60_000 }),
    records.reply(4),
    records.note(5, 'refused', { code: 'NDX_QUOTA_EXCEEDED', provider: 'population' }),
    records.note(1, 'refused', { code: 'NDX_RATE_EXCEEDED' }),
  ])
  expect(reconcile(store, someMs + 20_000)).toEqual({
    caughtUpMs: someMs + 20_000,
    accepted: 3,
    settled: 1,
    open: 1,
    overdue: 1,
    refused: 1,
    unidentified: 0,
    providers: [
      {
        provider: 'population',
        client: 'social-insurance',
        accepted: 3,
        answered: 1,
        failed: 0,
        expired: 0,
        open: 1,
        overdue: 1,
      },
    ],
    services: [
      { client: 'social-insurance', service: '', answered: 0, failed: 0, expired: 0, unsettled: 0, refused: 1 },
      { client: 'social-insurance', service, answered: 1, failed: 0, expired: 0, unsettled: 2, refused: 0 },
    ],
    gaps: [
      { exchange: exchangeIdOf(4), kind: 'stray', detail: 'no acceptance was read' },
      {
        exchange: exchangeIdOf(1),
        kind: 'refused-yet-accepted',
        detail:
          'accepted for population/identity-verification; outcome answered; refused with NDX_RATE_EXCEEDED; told: refused',
      },
      {
        exchange: exchangeIdOf(2),
        kind: 'unsettled',
        detail: 'accepted, deadline 2026-03-02T03:04:10.678Z, no outcome',
      },
    ],
  })
})
