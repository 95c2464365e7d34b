// One ledger, composed from its parts: follows the road, keeps the log, signs its head, settles what nobody answered, calls clients
// back, and answers over HTTP. The same for the embedded exchange, the real stack and the tests; only the bus differs. One at a
// time may have a log open; the store refuses a second.
import { type AddressInfo } from 'node:net'
import { type Bus, type Follower } from '#bus/bus.ts'
import { type ExchangeId } from '#bus/message.ts'
import { type NoteFacts, type NoteKind } from '#bus/note.ts'
import { keepRoundTrip } from '#bus/round-trip.ts'
import { replyPartitions, replyTopic } from '#bus/topics.ts'
import { type ClientId } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Config } from '#runtime/config.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { type Commitments } from '#runtime/pseudonyms.ts'
import { buildLedgerApi } from './api.ts'
import { backupsDir, createBackups } from './backups.ts'
import { createCallbackAddresses } from './callbacks/address.ts'
import { type CallbackSender, createCallbackSender } from './callbacks/sender.ts'
import { createCheckpoints, LogCorrupt } from './checkpoints.ts'
import { type Standing } from './comparison.ts'
import { followedTopics } from './followed-topics.ts'
import { followTopics } from './following.ts'
import { createIngestion } from './ingestion.ts'
import { createLogAppender } from './log-appender.ts'
import { createLedgerMetrics, type LedgerMetrics, type LedgerPart } from './metrics.ts'
import { logKeyPath, makeNoteKey } from './notes/keys.ts'
import { openPublication } from './publishing.ts'
import { createReaper, type Reaper } from './reaper.ts'
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
  const { follower, publication } = core
  const roundTrip = keepRoundTrip(bus, config.instance)
  const backups = createBackups(store, backupsDir(config.dataDir), () => bus.now())
  const api = buildLedgerApi({
    ...core,
    store,
    backups,
    innerHosts: [config.ledgerHost, ...config.innerHosts],
    caughtUpMs: () => follower.caughtUpMs,
    isReading: () => core.reading.is && roundTrip.isOpen && bus.now() - follower.caughtUpMs < behindMaxMs,
  })
  await api.listen({ host: config.ledgerHost, port: config.ledgerPort })
  const compared = publication.compare().catch((error: unknown) => core.failed('checkpoint', error))
  const rounds = startRounds(
    {
      reaper: { everyMs: reapEveryMs, run: () => roundTrip.isOpen && core.reaper.reap() },
      checkpoint: { everyMs: parts.checkpointEveryMs ?? checkpointEveryMs, run: () => publication.publish() },
      callbacks: { everyMs: callBackEveryMs, run: () => core.callbacks.send() },
      'key-forgetting': { everyMs: forgetKeysEveryMs, run: () => store.forgetKeys(bus.now() - keysKeptMs) },
    },
    core.failed,
  )
  const { port } = api.server.address() as AddressInfo
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    await follower.stop()
    await rounds.stop()
    await roundTrip.stop()
    await Promise.all([core.reaper.idle(), core.callbacks.stop()])
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
    parked: reason => reaper.parked(reason),
    receiversFailing: () => callbacks.failing,
    callbackSecretsMissing: () => clientsWithoutSecret(parts).length,
    now: () => bus.now(),
  })
  const failed = (part: LedgerPart, error: unknown): void => {
    metrics.faulted(part)
    log.error({ event: 'ledger-fault', part, error: describeError(error) })
    if (error instanceof LogCorrupt || isDiskFault(error)) parts.onFatal(error)
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
  const follower = followTopics(parts, ingestion, {
    topics: followedTopics(registry.providers, store, road),
    metrics,
    reading,
    failed,
  })
  const shared = { store, metrics, note: ingestion.note, failed, follower }
  const callbacks = composeCallbacks(parts, shared)
  const reaper = composeReaper(parts, shared)
  const publication = openPublication(parts, { store, origin, logKey: key.verifier, checkpoints, metrics })
  return { road, origin, watchers, metrics, reading, follower, callbacks, reaper, publication, failed }
}

interface Shared {
  store: LedgerStore
  metrics: LedgerMetrics
  follower: Follower
  note(kind: NoteKind, exchangeId: ExchangeId, facts: NoteFacts): void
  failed(part: LedgerPart, error: unknown): void
}

function composeCallbacks(parts: LedgerParts, { store, metrics, note, failed }: Shared): CallbackSender {
  const { config, registry, bus, log, callbackSecretOf, callbackPausesMs } = parts
  for (const client of clientsWithoutSecret(parts))
    log.error(
      { event: 'callback-secret-missing', client },
      `callbacks to ${client} are not sent: it has no secret; \`npx ndx secrets --callback ${client}\` makes and shows it`,
    )
  return createCallbackSender({
    store,
    addresses: createCallbackAddresses(config.callbackNetworks),
    targetOf: client => {
      const url = registry.agreements.get(client as ClientId)?.callback?.url
      return url === undefined ? undefined : { url, secret: callbackSecretOf(client) }
    },
    note: (kind, exchangeId, facts) => {
      metrics.called(kind)
      if (kind === 'uncalled') log.warn({ event: 'callback-given-up', exchangeId, ...facts })
      note(kind, exchangeId, facts)
    },
    onReceiver: (client, state) => log.warn({ event: 'callback-receiver', client, state }),
    onFailed: error => failed('callbacks', error),
    now: () => bus.now(),
    ...(callbackPausesMs === undefined ? {} : { pausesMs: callbackPausesMs }),
  })
}

const clientsWithoutSecret = ({ registry, callbackSecretOf }: LedgerParts): ClientId[] =>
  registry.callbackClients.filter(client => callbackSecretOf(client) === undefined)

function composeReaper({ config, bus, log, registry }: LedgerParts, { store, metrics, follower }: Shared): Reaper {
  const replyTopics = registry.providers.map(replyTopic)
  return createReaper({
    store,
    bus,
    caughtUpMs: (topic, partition) => follower.caughtUpMsOf(topic, partition),
    readUpToMs: () => Math.max(...replyTopics.map(topic => furthestOf(follower, topic))),
    source: `/ledger/${config.instance}`,
    onReaped: ({ exchange, request }) => {
      metrics.reaped()
      log.warn({ event: 'reaped', exchangeId: exchange, provider: request?.provider }, 'nobody answered in time')
    },
    onFailed: (error, { request }) =>
      log.warn({ event: 'reap-failed', provider: request?.provider, error: describeError(error) }),
  })
}

const furthestOf = (follower: Follower, topic: string): number =>
  Math.max(...Array.from({ length: replyPartitions }, (_, partition) => follower.caughtUpMsOf(topic, partition)))

/** A disk that failed a write or a flush is not asked again: what it holds is not known (SQLITE_IOERR, SQLITE_CORRUPT). */
const isDiskFault = (error: unknown): boolean => {
  const code = (error as { errcode?: number } | undefined)?.errcode
  return code !== undefined && ((code & 0xff) === 10 || (code & 0xff) === 11)
}
