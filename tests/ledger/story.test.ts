// Stories: who asked whom in the course of what, from any exchange of one, whatever the clients claim.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import { type Ingestion } from '#ledger/ingestion.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { tellStory } from '#ledger/story.ts'
import { ingestInto } from './ingesting.ts'
import { exchangeIdOf, Records, someMs } from './records.ts'

let store: LedgerStore
let ingestion: Ingestion
let records: Records

beforeEach(() => {
  store = openSqliteStore(':memory:')
  ingestion = ingestInto(store)
  records = new Records()
})
afterEach(() => store.close())

const ask = (exchange: number, parent?: number, client = 'population') =>
  records.request(exchange, {
    client: client as ClientId,
    ...(parent === undefined ? {} : { parent: exchangeIdOf(parent) }),
  })

const storyOf = (exchange: number): (readonly [number, number])[] => {
  const view = store.view(exchangeIdOf(exchange))
  if (view === undefined) throw new Error('no such exchange')
  return tellStory(view, store).map(({ exchangeId, depth }) => [Number(exchangeId.slice(-12)), depth] as const)
}

test('an exchange alone is its whole story', () => {
  ingestion.ingest([ask(1), records.reply(1)])
  expect(storyOf(1)).toEqual([[1, 0]])
  expect(tellStory(store.view(exchangeIdOf(1))!, store)).toEqual([
    {
      exchangeId: exchangeIdOf(1),
      depth: 0,
      state: 'answered',
      isDeferred: false,
      isForeign: false,
      client: 'population',
      provider: 'population',
      service: 'population/identity-verification',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      acceptedMs: someMs,
      settledMs: someMs + 10,
    },
  ])
})

test('is told from its first exchange, whichever is asked for, children in the order of their ids', () => {
  ingestion.ingest([ask(4, 2), ask(3, 1), ask(2, 1), ask(1), records.reply(3)])
  const whole = [
    [1, 0],
    [2, 1],
    [4, 2],
    [3, 1],
  ]
  for (const exchange of [1, 2, 3, 4]) expect(storyOf(exchange)).toEqual(whole)
})

test('a child whose parent never was read stands alone', () => {
  ingestion.ingest([ask(2, 1)])
  expect(storyOf(2)).toEqual([[2, 0]])
})

test('clients that claim a circle, or a chain without end, are not followed for ever', () => {
  ingestion.ingest([ask(1, 2), ask(2, 1), ask(3, 3)])
  expect(storyOf(1)).toHaveLength(2)
  expect(storyOf(3)).toEqual([[3, 0]])
  ingestion.ingest(Array.from({ length: 40 }, (_, i) => ask(100 + i, 99 + i)))
  expect(storyOf(139).length).toBeLessThan(20)
  ingestion.ingest(Array.from({ length: 300 }, (_, i) => ask(1000 + i, 999)).concat(ask(999)))
  expect(storyOf(999)).toHaveLength(200)
})

test('says of a child whether its client is who answers the parent', () => {
  ingestion.ingest([ask(1, undefined, 'bank'), ask(2, 1), ask(3, 1, 'bank')])
  const view = store.view(exchangeIdOf(1))!
  expect(tellStory(view, store).map(({ isForeign }) => isForeign)).toEqual([false, false, true])
})

test('a child that was refused belongs to it, by what its gateway noted', () => {
  const refused = { service: 'population/citizen-record', code: 'NDX_SERVICE_NOT_GRANTED', parent: exchangeIdOf(1) }
  ingestion.ingest([
    ask(1),
    records.note(2, 'refused', refused),
    records.note(3, 'refused', { ...refused, parent: 'x' }),
  ])
  expect(storyOf(1)).toEqual([
    [1, 0],
    [2, 1],
  ])
  expect(tellStory(store.view(exchangeIdOf(2))!, store)[1]).toMatchObject({
    state: 'refused',
    code: 'NDX_SERVICE_NOT_GRANTED',
    client: 'social-insurance',
  })
})
