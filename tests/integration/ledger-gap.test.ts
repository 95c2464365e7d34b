// Topics deleted and made anew on a real broker while the ledger is down, and grown past where it stopped: nothing of the new ones is
// skipped, and what happened is on the log.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Bus } from '#bus/bus.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { planTopics, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { decodeEntry, type LedgerEvent } from '#ledger/event.ts'
import { type Ledger, startLedger } from '#ledger/ledger.ts'
import { reconcile } from '#ledger/reconciliation.ts'
import { createLog } from '#runtime/log.ts'
import { remakeTopic } from '#tests/bus/kafka-topics.ts'
import { until } from '#tests/bus/until.ts'
import { exchangeIdOf, Records, registry, tools } from '#tests/ledger/records.ts'
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

/** Requests whose deadline is far off, one partition, so that their offsets are dense. */
async function ask(bus: Bus, from: number, to: number): Promise<void> {
  const records = new Records()
  const acceptedMs = bus.now()
  for (let i = from; i < to; i++) {
    const { key, headers, value } = records.request(i, { acceptedMs, deadlineMs: acceptedMs + 3_600_000 })
    await bus.publish(topic, { key, partition: 0, headers, value: value.toString() })
  }
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
  await ask(bus, 0, 20)
  await until('it has read them', () => accepted(first).size === 20)
  await first.stop()
  await remakeTopic(brokers, topic)
  await ask(bus, 100, 150)
  const second = await start(bus, dataDir)
  try {
    await until('it has read the new ones', () => accepted(second).has(exchangeIdOf(149)))
    for (let i = 100; i < 150; i++) expect(accepted(second)).toContain(exchangeIdOf(i))
    const gaps = eventsOf(second).filter(event => event.kind === 'gap')
    expect(gaps).toMatchObject([{ of: 'records', reason: 'remade', topic, partition: 0, to: 0 }])
    expect(gaps[0]?.['from']).toBeGreaterThanOrEqual(20)
    expect(reconcile(second.store, 0).gaps[0]).toMatchObject({ kind: 'missing-records' })
  } finally {
    await second.stop()
    await bus.close()
    rmSync(dataDir, { recursive: true })
  }
})
