// The publication of a ledger, put together from its configuration: which heads it is compared with, who cosigns.
import { type Bus } from '#bus/bus.ts'
import { checkpointTopic } from '#bus/topics.ts'
import { type Config } from '#runtime/config.ts'
import { type Log } from '#runtime/log.ts'
import { type Checkpoints } from './checkpoints.ts'
import { createComparison, type HeadSource } from './comparison.ts'
import { createCosigners } from './cosigners.ts'
import { nodesOf } from './log-appender.ts'
import { type LedgerMetrics } from './metrics.ts'
import { readVerifierKeys, type VerifierKey } from './notes/keys.ts'
import { createPublication, type Publication } from './publication.ts'
import { readPublishedHead } from './published-head.ts'
import { type LedgerStore } from './store.ts'
import { witnessKeysDir } from './witness/places.ts'
import { createWitnessSource } from './witness-source.ts'

interface Surroundings {
  config: Pick<Config, 'dataDir' | 'witnessUrls' | 'witnessesMin'>
  bus: Bus
  log: Log
}

export interface OwnLog {
  store: LedgerStore
  origin: string
  logKey: VerifierKey
  checkpoints: Checkpoints
  metrics: LedgerMetrics
}

/** Throws when more witnesses are needed than there are. */
export function openPublication({ config, bus, log }: Surroundings, own: OwnLog): Publication {
  const { store, origin, logKey, checkpoints, metrics } = own
  const { witnessUrls, witnessesMin } = config
  if (witnessesMin > witnessUrls.length)
    throw new Error(`NDX_WITNESSES_MIN is ${witnessesMin}, and NDX_WITNESS_URLS names ${witnessUrls.length}`)
  const keys = (): VerifierKey[] => readVerifierKeys(witnessKeysDir(config.dataDir))
  const clock = (): number => performance.now()
  const head = {
    get size() {
      return store.size
    },
    nodes: nodesOf(store),
  }
  const last = checkpoints.last
  const witnesses = witnessUrls.map(url => createWitnessSource(url, { logKey, keys, head, last }))
  const published: HeadSource = { name: checkpointTopic, isWitness: false, head: () => readPublishedHead(bus, logKey) }
  const onAlarm = metrics.witnessAlarm
  return createPublication({
    origin,
    store,
    bus,
    log,
    comparison: createComparison({ log, head, sources: [published, ...witnesses], witnessesMin, clock }),
    checkpoints,
    cosigners: createCosigners({ urls: witnessUrls, keys, logKey, head, log, clock, onAlarm }),
    witnesses: witnessUrls.length,
    witnessesMin,
    clock,
    onCosigned: metrics.cosigned,
  })
}
