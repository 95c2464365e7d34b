// Settling what nobody answered: after deadline and grace, once, and never against what the road says first.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type IncomingRecord, type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { followedTopics } from '#ledger/followed-topics.ts'
import { type Ingestion } from '#ledger/ingestion.ts'
import { createReaper, graceMs, type ReaperParts } from '#ledger/reaper.ts'
import { reconcile } from '#ledger/reconciliation.ts'
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

/** `reap` waits for what it began. */
const reaper = (changes: Partial<ReaperParts> = {}) => {
  const made = createReaper({
    store,
    bus: {
      now: () => caughtUpMs,
      publish: async (topic, record) => {
        if (isAway) throw new PublishError('away', true)
        published.push({ topic, record })
      },
    },
    caughtUpMs: () => caughtUpMs,
    readUpToMs: () => caughtUpMs,
    source: '/ledger/l1',
    onReaped: () => {},
    onFailed: () => {},
    ...changes,
  })
  return {
    ...made,
    reap: () => {
      made.reap()
      return made.idle()
    },
  }
}

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

test('after a pause it does not read what it could not settle before more is read', async () => {
  ingestion.ingest([records.request(1)])
  let looked = 0
  const overdue: LedgerStore['overdue'] = (...asked) => {
    const views = store.overdue(...asked)
    looked += views.length
    return views
  }
  const counting = { view: exchange => store.view(exchange), overdue } as Partial<LedgerStore> as LedgerStore
  let readUpToMs = dueMs
  caughtUpMs = dueMs + 3_600_000
  const { reap } = reaper({ store: counting, caughtUpMs: () => readUpToMs, readUpToMs: () => readUpToMs })
  await reap()
  expect([looked, published.length]).toEqual([0, 0])
  readUpToMs = dueMs + 1
  await reap()
  expect(published).toHaveLength(1)
})

test('it is written once while it is on its way, and again when it could not be written', async () => {
  ingestion.ingest([records.request(1)])
  const { reap } = reaper()
  isAway = true
  await reap()
  isAway = false
  await reap()
  expect(published).toHaveLength(0)
  caughtUpMs += 5_000
  await reap()
  await reap()
  expect(published).toHaveLength(1)
})

test('600 that cannot be finished do not stand before what can', async () => {
  const tax = (number: number): IncomingRecord => ({
    ...records.request(number, {
      type: 'ndx.request.tax.tax-code.v1',
      replyTopic: 'ndx.reply.tax',
      deadlineMs: someMs + 5001,
    }),
    topic: 'ndx.request.tax',
    partition: 1,
    offset: String(number),
  })
  const stuck = Array.from({ length: 600 }, (_, i) => records.request(i + 100, { replyPartition: i < 300 ? 3 : 9 }))
  ingestion.ingest([...stuck, ...Array.from({ length: 10 }, (_, i) => tax(i + 1000))])
  caughtUpMs = dueMs + 10
  const { reap, parked } = reaper()
  for (let round = 0; round < 2; round++) await reap()
  expect(published.filter(({ topic }) => topic === 'ndx.reply.tax')).toHaveLength(10)
  // Never read back: written once, and again after a pause only.
  expect(published.filter(({ topic }) => topic === 'ndx.reply.population')).toHaveLength(300)
  expect(parked('unsettleable')).toBe(300)
  const { gaps } = reconcile(store, caughtUpMs)
  expect(gaps[0]).toMatchObject({ kind: 'unsettleable', detail: expect.stringContaining('no reply partition 9') })
})

test('a provider whose records are not taken, and a partition that is not read, hold up no other', async () => {
  ingestion.ingest([
    records.request(1),
    records.request(2, { replyPartition: 4 }),
    records.request(3, { replyPartition: 5 }),
  ])
  let refuse = (): void => {}
  const { reap, idle } = createReaper({
    store,
    bus: {
      now: () => caughtUpMs,
      publish: (topic, record) => {
        if (record.partition === 3)
          return new Promise((_, reject) => (refuse = () => reject(new PublishError('away', true))))
        published.push({ topic, record })
        return Promise.resolve()
      },
    },
    caughtUpMs: (_, partition) => (partition === 5 ? 0 : caughtUpMs),
    readUpToMs: () => caughtUpMs,
    source: '/ledger/l1',
    onReaped: () => {},
    onFailed: () => {},
  })
  reap()
  reap()
  expect(published.map(({ record }) => record.partition)).toEqual([4])
  refuse()
  await idle()
})

test('topics of a provider that left the contracts are followed while something of it is open', () => {
  ingestion.ingest([records.request(1)])
  expect(followedTopics([], store, 'another')).toEqual([
    'ndx.request.population',
    'ndx.reply.population',
    'ndx.note',
    'ndx.dead-letter',
  ])
  const impossible = {
    tallies: () => [{ provider: 'a/b c', client: '', service: '', state: 'accepted', count: 1 }],
    positions: () => [],
  }
  expect(followedTopics([], impossible, 'road-1')).toEqual(['ndx.note', 'ndx.dead-letter'])
})
