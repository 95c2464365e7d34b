// Whatever stands on a topic is taken: the short form of `node tests/ledger/fuzz.ts`.
import { expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { decodeEntry } from '#ledger/event.ts'
import { createQuarantine } from '#ledger/quarantine.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { fuzzLedger } from './fuzz.ts'
import { kindsOfTopics } from './hostile-records.ts'
import { ingestInto } from './ingesting.ts'
import { exchangeIdOf, Records } from './records.ts'

test('hostile records on every kind of topic are taken, and the log holds known forms alone and verifies', async () => {
  const { records, kinds } = await fuzzLedger(6_000, 7)
  expect(records).toBe(6_000)
  for (const kind of ['accepted', 'answered', 'failed', 'delivered', 'unreadable', 'dead-lettered', 'replay-proposed'])
    expect(kinds[kind], kind).toBeGreaterThan(0)
})

test.each(kindsOfTopics)('a record nested 5,000 levels deep on %s is unreadable, and what follows is read', topic => {
  const store = openSqliteStore(':memory:')
  const records = new Records()
  const nested = `{"specversion":"1.0","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`
  const ingestion = ingestInto(store)
  const poison = records.any(topic, 0, nested, { kafka_correlationId: exchangeIdOf(1) })
  ingestion.ingest([poison, records.request(2), records.reply(2)])
  expect(store.view(exchangeIdOf(2))?.outcome?.outcome).toBe('answered')
  expect(ingestion.position(topic, 0)?.next).toBeGreaterThan(0)
  store.close()
})

const notTaking = (store: LedgerStore, poison: IncomingRecord): LedgerStore =>
  new Proxy(store, {
    get: (target, name) => {
      if (name === 'append')
        return (batch: Parameters<LedgerStore['append']>[0]) => {
          const marks = `/${poison.partition}/${poison.offset}"`
          if (batch.entries.some(entry => entry.includes(`${poison.topic}${marks}`) && entry.includes('"accepted"')))
            throw new Error('string or blob too big')
          target.append(batch)
        }
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

test('a record that the store cannot take is set aside by itself, after two refusals', () => {
  const store = openSqliteStore(':memory:')
  const records = new Records()
  const batch = Array.from({ length: 9 }, (_, i) => records.request(i + 1))
  const poison = batch[5] as IncomingRecord
  const aside: IncomingRecord[] = []
  const quarantine = createQuarantine(ingestInto(notTaking(store, poison)), record => void aside.push(record))
  expect(() => quarantine.ingest(batch)).toThrow('too big')
  expect(() => quarantine.ingest(batch)).toThrow('too big')
  quarantine.ingest(batch)
  expect(aside).toEqual([poison])
  const kinds = store.entries(0, 100).flatMap(entry => (decodeEntry(entry) ?? []).map(({ kind }) => kind))
  expect([
    kinds.filter(kind => kind === 'accepted').length,
    kinds.filter(kind => kind === 'unreadable').length,
  ]).toEqual([8, 1])
  expect(store.positions('road-1')).toMatchObject([{ next: 9 }])
  store.close()
})

test('a full disk is no record’s fault: the batch waits, whole', () => {
  const full = Object.assign(new Error('database or disk is full'), { errcode: 13 })
  let asides = 0
  const refusing = {
    ingest: () => {
      throw full
    },
    setAside: () => void asides++,
  }
  const quarantine = createQuarantine(refusing as never, () => {})
  const batch = [new Records().request(1)]
  for (let i = 0; i < 6; i++) expect(() => quarantine.ingest(batch)).toThrow('full')
  expect(asides).toBe(0)
})
