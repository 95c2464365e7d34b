// One ledger, composed from its parts: follows the road, keeps the log, signs its head, settles what nobody answered, calls clients
// back, and answers over HTTP. The same for the embedded exchange, the real stack and the tests; only the bus differs. One at a
// time may have a log open; the store refuses a second.
import { type AddressInfo } from 'node:net'
import { type Bus, type Follower, type IncomingRecord } from '#bus/bus.ts'
import { keepClock } from '#bus/clock-keeper.ts'
import { type ExchangeId } from '#bus/message.ts'
import { type NoteFacts, type NoteKind, writeNote } from '#bus/note.ts'
import { deadLetterTopic, noteTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ClientId } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Config } from '#runtime/config.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { type Commitments } from '#runtime/pseudonyms.ts'
import { buildLedgerApi } from './api.ts'
import { backupsDir, createBackups } from './backups.ts'
import { type CallbackAddresses, createCallbackAddresses } from './callbacks/address.ts'
import { createCallbackSender } from './callbacks/sender.ts'
import { createCheckpoints, LogCorrupt } from './checkpoints.ts'
import { type Standing } from './comparison.ts'
import { createIngestion, type Ingestion } from './ingestion.ts'
import { createLogAppender } from './log-appender.ts'
import { createLedgerMetrics, type LedgerMetrics } from './metrics.ts'
import { logKeyPath, makeNoteKey } from './notes/keys.ts'
import { openPublication } from './publishing.ts'
import { createQuarantine } from './quarantine.ts'
import { createReaper } from './reaper.ts'
import { startRounds } from './rounds.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { createWatchers } from './status.ts'
import { type LedgerStore } from './store.ts'
import { logOriginOf, storePath } from './succession.ts'

export interface LedgerParts {
  config: Pick<
    Config,
    | 'dataDir'
    | 'instance'
    | 'ledgerHost'
    | 'ledgerPort'
    | 'logOrigin'
    | 'witnessUrls'
    | 'witnessesMin'
    | 'innerHosts'
    | 'callbackNetworks'
  >
  registry: Registry
  bus: Bus
  commitments: Pick<Commitments, 'commit'>
  /** Of a client, for its callbacks; undefined when it has none. */
  callbackSecretOf(client: string): string | undefined
  log: Log
  /** What cannot go on (a log that is not its own, a disk that fails): the process should end. */
  onFatal(error: unknown): void
  /** Default: `<dataDir>/ledger/ledger.sqlite`. */
  storePath?: string
  /** Between two heads; default a second. */
  checkpointEveryMs?: number
  /** Pauses between tries of a callback. */
  callbackPausesMs?: readonly number[]
}

export interface Ledger {
  url: string
  store: LedgerStore
  /** Resolves when it follows the road and has compared its log once with the heads that others hold. */
  ready: Promise<void>
  /** Whether its log may be signed; `behind` needs somebody who acts. */
  readonly standing: Standing
  /** Takes what is on its way, signs it, closes. Idempotent. */
  stop(): Promise<void>
}

const recordsMax = 2_000
/** Commits cost a flush each: what comes in so long goes into one. Under load a commit is larger, not sooner. */
const commitEveryMs = 30
const busyCommitEveryMs = 100
/** So many records in one go are load. */
const busyRecords = 100
const reapEveryMs = 500
const checkpointEveryMs = 1_000
const callBackEveryMs = 250
const forgetKeysEveryMs = 600_000
const keysKeptMs = 31 * 86_400_000
/** Not ready when nothing was read up to a moment so long ago. */
const behindMaxMs = 15_000

export async function startLedger(parts: LedgerParts): Promise<Ledger> {
  // Asked before anything is made: a log that is half set aside must not get a store or a key.
  const config = { ...parts.config, logOrigin: logOriginOf(parts.config) }
  const store = openSqliteStore(parts.storePath ?? storePath(config.dataDir))
  try {
    return await run({ ...parts, config }, store)
  } catch (error) {
    store.close()
    throw error
  }
}

async function run(parts: LedgerParts, store: LedgerStore): Promise<Ledger> {
  const { config, bus, log } = parts
  const core = await createCore(parts, store)
  const { follower, metrics, publication } = core
  const backups = createBackups(store, backupsDir(config.dataDir), () => bus.now())
  const api = buildLedgerApi({
    ...core,
    store,
    backups,
    innerHosts: [config.ledgerHost, ...config.innerHosts],
    caughtUpMs: () => follower.caughtUpMs,
    isReading: () => core.reading.is && bus.now() - follower.caughtUpMs < behindMaxMs,
  })
  await api.listen({ host: config.ledgerHost, port: config.ledgerPort })
  const failed = (part: Parameters<LedgerMetrics['faulted']>[0]) => (error: unknown) => {
    metrics.faulted(part)
    log.error({ event: 'ledger-fault', part, error: describeError(error) })
    if (error instanceof LogCorrupt || isDiskFault(error)) parts.onFatal(error)
  }
  const compared = publication.compare().catch(failed('checkpoint'))
  const clock = keepClock(bus, config.instance)
  const rounds = [
    startRounds(reapEveryMs, async () => clock.isKnown && core.reaper.reap(), failed('reaper')),
    startRounds(parts.checkpointEveryMs ?? checkpointEveryMs, () => publication.publish(), failed('checkpoint')),
    startRounds(callBackEveryMs, () => core.callbacks.send(), failed('gap')),
    startRounds(forgetKeysEveryMs, async () => store.forgetKeys(bus.now() - keysKeptMs), failed('gap')),
  ]
  const { port } = api.server.address() as AddressInfo
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    clock.stop()
    await follower.stop()
    await Promise.all(rounds.map(one => one.stop()))
    await api.close()
    await backups.idle()
    publication.signLast()
    store.close()
    log.info({ event: 'ledger-stopped' })
  }
  const ready = Promise.all([follower.ready, compared]).then(() => {})
  return {
    url: `http://${config.ledgerHost}:${port}`,
    store,
    ready,
    get standing() {
      return publication.standing
    },
    stop: () => (stopped ??= stop()),
  }
}

async function createCore(parts: LedgerParts, store: LedgerStore) {
  const { config, bus, registry, log, commitments } = parts
  const origin = config.logOrigin
  const key = makeNoteKey(logKeyPath(config.dataDir), origin)
  const source = `/ledger/${config.instance}`
  const watchers = createWatchers()
  const road = await bus.id()
  const checkpoints = createCheckpoints(store, origin, key)
  const reading = { is: false }
  const metrics: LedgerMetrics = createLedgerMetrics({
    lag: () => follower.lag,
    caughtUpMs: () => follower.caughtUpMs,
    size: () => store.size,
    bytes: () => store.bytes(),
    checkpoint: () => checkpoints.last(),
    isCompared: () => publication.standing.state === 'compared',
    witnessesMin: config.witnessesMin,
    now: () => bus.now(),
  })
  const note = (kind: NoteKind, exchangeId: ExchangeId, facts: NoteFacts): void => {
    const record = writeNote({ kind, exchangeId, source, notedMs: bus.now(), facts })
    bus
      .publish(noteTopic, record)
      .catch((error: unknown) => log.warn({ event: 'note-lost', error: describeError(error) }))
  }
  const services = new Map(registry.services.map(service => [`${service.replyType} ${service.hash}`, service]))
  const ingestion = createIngestion({
    store,
    appender: createLogAppender(store),
    tools: {
      road,
      commit: (...given) => commitments.commit(...given),
      serviceOf: (type, hash) => services.get(`${type} ${hash}`),
    },
    source,
    now: () => bus.now(),
    onCommitted: ({ events, views }) => {
      metrics.events(events)
      watchers.tell(views.map(view => view.exchange))
    },
  })
  const follower = follow(parts, ingestion, { metrics, reading })
  const callbacks = createCallbackSender({
    store,
    addresses: addressesOf(config),
    targetOf: client => targetOf(parts, client),
    note: (kind, exchangeId, facts) => {
      metrics.called(kind)
      note(kind, exchangeId, facts)
    },
    now: () => bus.now(),
    ...(parts.callbackPausesMs === undefined ? {} : { pausesMs: parts.callbackPausesMs }),
  })
  const reaper = createReaper({
    store,
    bus,
    caughtUpMs: () => follower.caughtUpMs,
    source,
    onReaped: ({ exchange, request }) => {
      metrics.reaped()
      log.warn({ event: 'reaped', exchangeId: exchange, provider: request?.provider }, 'nobody answered in time')
    },
    onFailed: error => log.warn({ event: 'reap-failed', error: describeError(error) }),
  })
  const publication = openPublication(parts, { store, origin, logKey: key.verifier, checkpoints, metrics })
  return { road, origin, watchers, metrics, reading, follower, callbacks, reaper, publication }
}

const addressesOf = ({ callbackNetworks }: LedgerParts['config']): CallbackAddresses =>
  createCallbackAddresses(callbackNetworks)

function targetOf({ registry, callbackSecretOf }: LedgerParts, client: string) {
  const url = registry.agreements.get(client as ClientId)?.callback?.url
  const secret = callbackSecretOf(client)
  return url === undefined || secret === undefined ? undefined : { url, secret }
}

function follow(
  { bus, registry, log, onFatal }: LedgerParts,
  ingestion: Ingestion,
  { metrics, reading }: { metrics: LedgerMetrics; reading: { is: boolean } },
): Follower {
  let lastMs = 0
  const quarantine = createQuarantine(ingestion, ({ topic, partition, offset }, cause) => {
    metrics.faulted('unrecorded')
    log.error({ event: 'record-set-aside', topic, partition, offset, error: describeError(cause) })
  })
  const take = async (records: readonly IncomingRecord[]): Promise<void> => {
    const everyMs = records.length < busyRecords ? commitEveryMs : busyCommitEveryMs
    if (records.length < recordsMax) await pauseUntil(lastMs + everyMs)
    lastMs = performance.now()
    try {
      quarantine.ingest(records)
    } catch (error) {
      metrics.faulted('ingestion')
      log.error({ event: 'ledger-fault', part: 'ingestion', error: describeError(error) })
      if (isDiskFault(error)) onFatal(error)
      throw error
    }
  }
  return bus.follow({
    topics: [
      ...registry.providers.flatMap(provider => [requestTopic(provider), replyTopic(provider)]),
      noteTopic,
      deadLetterTopic,
    ],
    from: ingestion.position,
    recordsMax,
    onRecords: take,
    onGap: gap => {
      // The gap is evidence: it is in the log before anything that comes after it, or it is told again.
      ingestion.jump(gap)
      metrics.faulted('gap')
      log.error({ event: 'ledger-gap', ...gap }, 'records are missing; the log says which')
    },
    onState: (state, cause) => {
      reading.is = state === 'reading'
      log.info({ event: 'ledger-road', state, ...(cause === undefined ? {} : { error: describeError(cause) }) })
    },
  })
}

/** A disk that failed a write or a flush is not asked again: what it holds is not known (SQLITE_IOERR, SQLITE_CORRUPT). */
const isDiskFault = (error: unknown): boolean => {
  const code = (error as { errcode?: number } | undefined)?.errcode
  return code !== undefined && ((code & 0xff) === 10 || (code & 0xff) === 11)
}

const pauseUntil = async (momentMs: number): Promise<void> => {
  const restMs = momentMs - performance.now()
  if (restMs > 0) await new Promise(resolve => setTimeout(resolve, restMs))
}
