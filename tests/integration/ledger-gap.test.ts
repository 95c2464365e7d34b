// Topics deleted and made anew on a real broker while the ledger is down, and grown past where it stopped: nothing of the new ones is
// skipped, and what happened is on the log.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Bus } from '#bus/bus.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { type ExchangeId } from '#bus/message.ts'
import { planTopics, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { makeExchangeId } from '#gateway/plugins/correlation.ts'
import { decodeEntry, type LedgerEvent } from '#ledger/event.ts'
import { type Ledger, startLedger } from '#ledger/ledger.ts'
import { reconcile } from '#ledger/reconciliation.ts'
import { createLog } from '#runtime/log.ts'
import { remakeTopic } from '#tests/bus/kafka-topics.ts'
import { until } from '#tests/bus/until.ts'
import { Records, registry, tools } from '#tests/ledger/records.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'

const { kafkaBrokers: brokers } = await stackOfWorker()
const topic = requestTopic('population' as ProviderId)
const log = createLog({ level: 'silent', instance: 'test' })

const start = (bus: Bus, dataDir: string): Promise<Ledger> =>
  startLedger({
    config: {
      dataDir,
      instance: 'l1',
      ledgerHost: '127.0.0.1',
      ledgerPort: 0,
      logOrigin: 'ndx.example/log',
      witnessUrls: [],
      witnessesMin: 0,
      innerHosts: [],
      callbackNetworks: [],
    },
    registry,
    bus,
    commitments: { commit: tools.commit },
    callbackSecretOf: () => undefined,
    log,
    onFatal: error => {
      throw error
    },
  })

/** So many requests whose deadline is far off, one partition, so that their offsets are dense. Returns their ids. */
async function ask(bus: Bus, count: number): Promise<ExchangeId[]> {
  const records = new Records()
  const acceptedMs = bus.now()
  const ids = Array.from({ length: count }, makeExchangeId)
  const publish = (exchangeId: ExchangeId): Promise<void> => {
    const { key, headers, value } = records.request(0, { exchangeId, acceptedMs, deadlineMs: acceptedMs + 3_600_000 })
    return bus.publish(topic, { key, partition: 0, headers, value: value.toString() })
  }
  await Promise.all(ids.map(publish))
  return ids
}

const eventsOf = ({ store }: Ledger): LedgerEvent[] =>
  store.entries(0, 10_000).flatMap(entry => decodeEntry(entry) ?? [])

const accepted = (ledger: Ledger): Set<string> =>
  new Set(eventsOf(ledger).flatMap(event => (event.kind === 'accepted' ? [event.exchange] : [])))

test('a topic made anew while the ledger was down is read from its beginning, and the log says so', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-gap-'))
  await createTopics(brokers, planTopics(registry.providers))
  const bus = createKafkaBus({ brokers, clientId: 'ledger-gap' })
  const first = await start(bus, dataDir)
  const before = await ask(bus, 20)
  await until('it has read them', () => before.every(id => accepted(first).has(id)))
  const end = first.store.positions(await bus.id()).find(place => place.topic === topic && place.partition === 0)?.next
  await first.stop()
  await remakeTopic(brokers, topic)
  // As many as there were, and more: the old position is one of the new topic too.
  const after = await ask(bus, Number(end) + 30)
  const second = await start(bus, dataDir)
  try {
    await until('it has read the new ones', () => after.every(id => accepted(second).has(id)))
    const gaps = eventsOf(second).filter(
      ({ kind, reason, partition }) => kind === 'gap' && reason === 'remade' && partition === 0,
    )
    expect(gaps).toMatchObject([{ of: 'records', topic, from: end, to: 0 }])
    expect(reconcile(second.store, 0).gaps.map(({ kind }) => kind)).toContain('missing-records')
  } finally {
    await second.stop()
    await bus.close()
    rmSync(dataDir, { recursive: true })
  }
})
