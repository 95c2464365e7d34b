// One ledger, composed from its parts: follows the road, keeps the log, signs its head, settles what nobody answered, calls clients
// back, and answers over HTTP. The same for the embedded exchange, the real stack and the tests; only the bus differs. One at a
// time may have a log open; the store refuses a second.
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Bus, type Follower, type IncomingRecord } from '#bus/bus.ts'
import { keepClock } from '#bus/clock-keeper.ts'
import { type ExchangeId } from '#bus/message.ts'
import { type NoteFacts, type NoteKind, writeNote } from '#bus/note.ts'
import { checkpointTopic, noteTopic } from '#bus/topics.ts'
import { type ClientId } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Config } from '#runtime/config.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { type Commitments } from '#runtime/pseudonyms.ts'
import { buildLedgerApi } from './api.ts'
import { createCallbackAddresses } from './callbacks/address.ts'
import { type CallbackSender, createCallbackSender } from './callbacks/sender.ts'
import { createCheckpoints, LogCorrupt } from './checkpoints.ts'
import { createCosigners } from './cosigners.ts'
import { followedTopics } from './followed-topics.ts'
import { createIngestion, type Ingestion } from './ingestion.ts'
import { createLogAppender, nodesOf } from './log-appender.ts'
import { createLedgerMetrics, type LedgerMetrics, type LedgerPart } from './metrics.ts'
import { logKeyPath, makeNoteKey, readVerifierKeys } from './notes/keys.ts'
import { createReaper, type Reaper } from './reaper.ts'
import { startRounds } from './rounds.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { createWatchers } from './status.ts'
import { type LedgerStore, type StoredCheckpoint } from './store.ts'
import { witnessKeysDir } from './witness/places.ts'

export interface LedgerParts {
  config: Pick<
    Config,
    'dataDir' | 'instance' | 'ledgerHost' | 'ledgerPort' | 'logOrigin' | 'witnessUrls' | 'callbackNetworks'
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
  /** Pauses between tries of a callback. */
  callbackPausesMs?: readonly number[]
}

export interface Ledger {
  url: string
  store: LedgerStore
  /** Resolves when it follows the road. */
  ready: Promise<void>
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
  const { config } = parts
  const store = openSqliteStore(parts.storePath ?? join(config.dataDir, 'ledger', 'ledger.sqlite'))
  try {
    return await run(parts, store)
  } catch (error) {
    store.close()
    throw error
  }
}

async function run(parts: LedgerParts, store: LedgerStore): Promise<Ledger> {
  const { config, bus, log } = parts
  const core = await createCore(parts, store)
  const { follower } = core
  const api = buildLedgerApi({
    ...core,
    store,
    origin: config.logOrigin,
    caughtUpMs: () => follower.caughtUpMs,
    isReady: () => core.reading.is && bus.now() - follower.caughtUpMs < behindMaxMs,
  })
  await api.listen({ host: config.ledgerHost, port: config.ledgerPort })
  const clock = keepClock(bus, config.instance)
  const rounds = startRounds(
    {
      reaper: { everyMs: reapEveryMs, run: () => clock.isKnown && core.reaper.reap() },
      checkpoint: { everyMs: checkpointEveryMs, run: () => publishCheckpoint(parts, core, store) },
      callbacks: { everyMs: callBackEveryMs, run: () => core.callbacks.send() },
      'key-forgetting': { everyMs: forgetKeysEveryMs, run: () => store.forgetKeys(bus.now() - keysKeptMs) },
    },
    core.failed,
  )
  const { port } = api.server.address() as AddressInfo
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    clock.stop()
    await follower.stop()
    await rounds.stop()
    await Promise.all([core.reaper.idle(), core.callbacks.stop()])
    await api.close()
    core.sign()
    store.close()
    log.info({ event: 'ledger-stopped' })
  }
  return { url: `http://${config.ledgerHost}:${port}`, store, ready: follower.ready, stop: () => (stopped ??= stop()) }
}

type Core = Awaited<ReturnType<typeof createCore>>

async function createCore(parts: LedgerParts, store: LedgerStore) {
  const { config, bus, registry, log, commitments } = parts
  const key = makeNoteKey(logKeyPath(config.dataDir), config.logOrigin)
  const source = `/ledger/${config.instance}`
  const watchers = createWatchers()
  const road = await bus.id()
  const checkpoints = createCheckpoints(store, config.logOrigin, key)
  const reading = { is: false }
  const metrics: LedgerMetrics = createLedgerMetrics({
    lag: () => follower.lag,
    caughtUpMs: () => follower.caughtUpMs,
    size: () => store.size,
    bytes: () => store.bytes(),
    checkpoint: () => checkpoints.last(),
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
    now: () => bus.now(),
    onCommitted: ({ events, views }) => {
      metrics.events(events.length)
      watchers.tell(views.map(view => view.exchange))
    },
  })
  const follower = follow(parts, ingestion, {
    topics: followedTopics(registry.providers, store, road),
    metrics,
    reading,
  })
  const shared = { store, metrics, note, failed, follower }
  const callbacks = composeCallbacks(parts, shared)
  const reaper = composeReaper(parts, shared)
  const cosigners = createCosigners({
    urls: config.witnessUrls,
    keys: () => readVerifierKeys(witnessKeysDir(config.dataDir)),
    nodes: nodesOf(store),
    log,
  })
  const sign = (): StoredCheckpoint | undefined => checkpoints.sign(bus.now())
  return { road, watchers, metrics, reading, follower, callbacks, reaper, cosigners, sign, failed }
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

function composeReaper({ config, bus, log }: LedgerParts, { store, metrics, follower }: Shared): Reaper {
  return createReaper({
    store,
    bus,
    caughtUpMs: (topic, partition) => follower.caughtUpMsOf(topic, partition),
    source: `/ledger/${config.instance}`,
    onReaped: ({ exchange, request }) => {
      metrics.reaped()
      log.warn({ event: 'reaped', exchangeId: exchange, provider: request?.provider }, 'nobody answered in time')
    },
    onFailed: (error, { request }) =>
      log.warn({ event: 'reap-failed', provider: request?.provider, error: describeError(error) }),
  })
}

function follow(
  { bus, log, onFatal }: LedgerParts,
  ingestion: Ingestion,
  { topics, metrics, reading }: { topics: readonly string[]; metrics: LedgerMetrics; reading: { is: boolean } },
): Follower {
  let lastMs = 0
  const take = async (records: readonly IncomingRecord[]): Promise<void> => {
    const everyMs = records.length < busyRecords ? commitEveryMs : busyCommitEveryMs
    if (records.length < recordsMax) await pauseUntil(lastMs + everyMs)
    lastMs = performance.now()
    try {
      ingestion.ingest(records)
    } catch (error) {
      metrics.faulted('ingestion')
      log.error({ event: 'ledger-fault', part: 'ingestion', error: describeError(error) })
      if (isDiskFault(error)) onFatal(error)
      throw error
    }
  }
  return bus.follow({
    topics,
    from: ingestion.next,
    recordsMax,
    onRecords: take,
    onGap: gap => {
      ingestion.jump(gap)
      metrics.faulted('gap')
      log.error({ event: 'ledger-gap', ...gap }, 'records were removed before the ledger read them')
    },
    onState: (state, cause) => {
      reading.is = state === 'reading'
      log.info({ event: 'ledger-road', state, ...(cause === undefined ? {} : { error: describeError(cause) }) })
    },
  })
}

/** Signed and stored, then onto the road for anyone, then to the witnesses, whose cosignatures are stored with it. */
async function publishCheckpoint({ bus, config, log }: LedgerParts, core: Core, store: LedgerStore): Promise<void> {
  const signed = core.sign()
  if (signed === undefined) return
  const record = { key: config.logOrigin, headers: {}, value: signed.note }
  bus
    .publish(checkpointTopic, record)
    .catch((error: unknown) => log.warn({ event: 'checkpoint-unpublished', error: describeError(error) }))
  const { checkpoint, count } = await core.cosigners.cosign(signed)
  core.metrics.cosigned(count)
  if (count > 0) store.addCheckpoint(checkpoint)
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
