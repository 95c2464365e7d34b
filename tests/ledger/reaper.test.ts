// Settling what nobody answered: after deadline and grace, once, and never against what the road says first.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { type Ingestion } from '#ledger/ingestion.ts'
import { createReaper, graceMs } from '#ledger/reaper.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { ingestInto } from './ingesting.ts'
import { exchangeIdOf, Records, someMs } from './records.ts'

const dueMs = someMs + 5000 + graceMs
let store: LedgerStore
let ingestion: Ingestion
let records: Records
let published: { topic: string; record: OutgoingRecord }[]
let caughtUpMs: number
let isAway: boolean

beforeEach(() => {
  store = openSqliteStore(':memory:')
  records = new Records()
  published = []
  caughtUpMs = dueMs + 1
  isAway = false
  ingestion = ingestInto(store)
})

afterEach(() => store.close())

const reaper = () =>
  createReaper({
    store,
    bus: {
      now: () => caughtUpMs,
      publish: async (topic, record) => {
        if (isAway) throw new PublishError('away', true)
        published.push({ topic, record })
      },
    },
    caughtUpMs: () => caughtUpMs,
    source: '/ledger/l1',
    onReaped: () => {},
    onFailed: () => {},
  })

test('an exchange without an answer is settled in the partition that its request named', async () => {
  ingestion.ingest([records.request(1), records.request(2), records.reply(2)])
  await reaper().reap()
  expect(published).toHaveLength(1)
  const [{ topic, record }] = published as [(typeof published)[number]]
  expect([topic, record.partition]).toEqual(['ndx.reply.population', 3])
  ingestion.ingest([
    { ...record, topic, partition: 3, offset: '1', timestampMs: dueMs, key: null, value: Buffer.from(record.value) },
    records.reply(1, {}, 5),
  ])
  expect(store.view(exchangeIdOf(1))?.outcome).toMatchObject({ outcome: 'failed', code: 'UNANSWERED' })
  expect(store.overdue(Number.MAX_SAFE_INTEGER, 10)).toEqual([])
})

test.each([
  ['at deadline and grace', dueMs, 0],
  ['a moment after', dueMs + 1, 1],
])('%s', async (_, at, count) => {
  ingestion.ingest([records.request(1)])
  caughtUpMs = at
  await reaper().reap()
  expect(published).toHaveLength(count)
})

test('it is written once while it is on its way, and again when it could not be written', async () => {
  ingestion.ingest([records.request(1)])
  const { reap } = reaper()
  isAway = true
  await reap()
  isAway = false
  await reap()
  await reap()
  expect(published).toHaveLength(1)
})
