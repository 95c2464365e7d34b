// What is missing is on the log: records that were removed, topics made anew, and notes by their numbers.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeEntry, entryBytesMax, type LedgerEvent } from '#ledger/event.ts'
import { type Ingestion } from '#ledger/ingestion.ts'
import { jumpMax } from '#ledger/note-numbers.ts'
import { reconcile } from '#ledger/reconciliation.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { ingestInto } from './ingesting.ts'
import { exchangeIdOf, Records, someMs } from './records.ts'

let store: LedgerStore
let records: Records
let ingestion: Ingestion
beforeEach(() => {
  store = openSqliteStore(':memory:')
  records = new Records()
  ingestion = ingestInto(store)
})
afterEach(() => store.close())

const events = (): LedgerEvent[] => store.entries(0, 1_000).flatMap(entry => decodeEntry(entry) ?? [])
const kinds = (): string[] => events().map(event => event.kind)
const gaps = (): Partial<LedgerEvent>[] =>
  events()
    .filter(event => event.kind === 'gap')
    .map(({ of, from, to, topic, partition, reason, source }) => ({ of, from, to, topic, partition, reason, source }))
const refusal = (exchange: number) =>
  ({ exchange, kind: 'refused', facts: { client: 'bank', code: 'NDX_RATE_EXCEEDED' } }) as const

test('records that are gone are an entry, with the new position in one transaction', () => {
  ingestion.ingest([records.request(1)])
  const gap = {
    topic: 'ndx.request.population',
    partition: 0,
    from: 1,
    to: 30,
    reason: 'removed',
    topicId: 'id-2',
    leaderEpoch: 4,
  } as const
  ingestion.jump(gap)
  expect(gaps()).toMatchObject([{ of: 'records', topic: 'ndx.request.population', partition: 0, from: 1, to: 30 }])
  expect(ingestInto(store).position('ndx.request.population', 0)).toMatchObject({
    next: 30,
    topicId: 'id-2',
    leaderEpoch: 4,
  })
  expect(reconcile(store, someMs).gaps[0]).toEqual({
    exchange: '',
    kind: 'missing-records',
    detail: 'entry 1: 1 to 30 of ndx.request.population/0 (removed)',
  })
})

test('a gap that the store refuses is thrown, and nothing has changed', () => {
  const failing = new Proxy(store, {
    get: (target, name) => {
      if (name === 'append')
        return () => {
          throw new Error('disk full')
        }
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const gap = { topic: 'ndx.note', partition: 0, from: 1, to: 2, reason: 'removed' } as const
  expect(() => ingestInto(failing).jump(gap)).toThrow('disk full')
  expect([store.size, ingestInto(store).position('ndx.note', 0)]).toEqual([0, undefined])
})

test('a topic made anew of which nothing was read is no gap, but its id is kept', () => {
  ingestion.jump({ topic: 'ndx.note', partition: 3, from: 0, to: 0, reason: 'remade', topicId: 'new' })
  expect([kinds(), ingestion.position('ndx.note', 3)?.topicId]).toEqual([[], 'new'])
})

test('a sheet that comes again is read once, and one that overlaps gives what is new', () => {
  const first = records.sheet(0, [refusal(1), refusal(2)])
  ingestion.ingest([first, records.sheet(0, [refusal(1), refusal(2)])])
  ingestion.ingest([records.sheet(1, [refusal(2), refusal(3)])])
  expect(events().map(event => event.exchange)).toEqual([1, 2, 3].map(exchangeIdOf))
  expect(store.tallies()).toMatchObject([{ state: 'refused', count: 3 }])
})

test('many notes of one sheet in one millisecond are many events', () => {
  const told = { exchange: 1, kind: 'delivered', facts: { client: 'bank', status: 200 } } as const
  ingestion.ingest([records.request(1), records.reply(1), records.sheet(0, Array(200).fill(told))])
  expect(kinds().filter(kind => kind === 'delivered')).toHaveLength(200)
  const bytes = store.entries(0, 1_000).map(entry => Buffer.byteLength(entry))
  expect(bytes.length).toBeGreaterThan(1)
  expect(Math.max(...bytes)).toBeLessThanOrEqual(entryBytesMax)
  expect(store.view(exchangeIdOf(1))?.leaves).toEqual(bytes.map((_, i) => i))
})

test('a note that is no news changes no row', () => {
  const deferral = { provider: 'population', service: 'population/identity-verification' }
  ingestion.ingest([records.request(1), records.note(1, 'deferred', deferral)])
  const before = store.view(exchangeIdOf(1))?.leaves
  ingestion.ingest([records.note(1, 'deferred', deferral)])
  expect([store.size, store.view(exchangeIdOf(1))?.leaves]).toEqual([1, before])
})

test('a hole in the numbers of a gateway is an entry, and what follows is read', () => {
  ingestion.ingest([records.sheet(0, [refusal(1)]), records.sheet(5, [refusal(2)])])
  expect(gaps()).toMatchObject([{ of: 'notes', source: '/gateway/g1/run1', from: 1, to: 5 }])
  expect(kinds()).toEqual(['gap', 'refused', 'refused'])
  expect(reconcile(store, someMs).gaps).toMatchObject([
    { kind: 'missing-notes', detail: 'entry 0: 1 to 5 of /gateway/g1/run1' },
  ])
})

test('numbers go on after a restart of the ledger', () => {
  ingestion.ingest([records.sheet(0, [refusal(1)])])
  ingestInto(store).ingest([records.sheet(0, [refusal(1)]), records.sheet(1, [refusal(2)])])
  expect(kinds()).toEqual(['refused', 'refused'])
})

test('a run that ended without saying so is a gap once the next one of its gateway begins', () => {
  const next = { source: '/gateway/g1/run2' }
  ingestion.ingest([records.sheet(0, [refusal(1)])])
  ingestion.ingest([records.sheet(0, [refusal(2)], next), records.sheet(1, [refusal(3)], next)])
  expect(gaps()).toMatchObject([{ of: 'notes', source: '/gateway/g1/run1', from: 1, to: undefined }])
})

test('a run that said that it ended is none, nor is that of another gateway', () => {
  ingestion.ingest([records.sheet(0, [refusal(1)], { isLast: true })])
  ingestion.ingest([records.sheet(0, [refusal(2)], { source: '/gateway/g2/run9' })])
  ingestion.ingest([records.sheet(0, [refusal(3)], { source: '/gateway/g1/run2' })])
  expect(gaps()).toEqual([])
})

test('a number that cannot be is not believed', () => {
  ingestion.ingest([records.sheet(jumpMax, [refusal(1)]), records.sheet(2 * jumpMax + 2, [refusal(2)])])
  ingestion.ingest([records.sheet(jumpMax + 1, [refusal(3)])])
  expect(kinds()).toEqual(['gap', 'unreadable', 'refused', 'refused'])
})

test('refusals of nobody known are one event with their number, and counted', () => {
  ingestion.ingest([
    records.sheet(0, [{ exchange: 0, kind: 'unidentified', facts: { code: 'NDX_TOKEN_MISSING', count: 3_000 } }]),
  ])
  expect([kinds(), store.size]).toEqual([['unidentified'], 1])
  expect(reconcile(store, someMs)).toMatchObject({ unidentified: 3_000, refused: 0, gaps: [] })
})

test('an exchange that is told more often than its row holds has all its entries', () => {
  const told = { exchange: 1, kind: 'delivered', facts: { client: 'bank', status: 200 } } as const
  ingestion.ingest([records.request(1), records.reply(1)])
  for (let i = 0; i < 600; i++) ingestion.ingest([records.sheet(i, [told])])
  const view = store.view(exchangeIdOf(1))
  expect(view?.leaves).toEqual(Array.from({ length: 601 }, (_, i) => i))
  expect(view).toMatchObject({ told: ['delivered'], outcome: { outcome: 'answered' } })
})
