// One gateway, composed from its parts and nothing global: the same for the embedded exchange, the real stack and the tests;
// only bus and counters differ. Starts in the order bus, counters, HTTP; stops in reverse, and cuts no exchange.
import { type Server } from 'node:http'
import { type Socket } from 'node:net'
import { type Bus, type OutgoingRecord } from '#bus/bus.ts'
import { createProbe } from '#bus/probe.ts'
import { partitionOf, probeTopic, replyTopic } from '#bus/topics.ts'
import { type ClientId } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Config } from '#runtime/config.ts'
import { type Log } from '#runtime/log.ts'
import { asJson, listenForOperations } from '#runtime/operations-listener.ts'
import { createPseudonyms } from '#runtime/pseudonyms.ts'
import { type Secrets } from '#runtime/secrets.ts'
import { type AppParts, buildApp } from './app.ts'
import { createAuditLog } from './audit-log.ts'
import { type Counters } from './counters/counters.ts'
import { DegradingCounters } from './counters/degrading-counters.ts'
import { quotaDay } from './counters/quota-day.ts'
import { Revocations } from './counters/revocations.ts'
import { keepEvidence } from './evidence-keeping.ts'
import { createBreakers } from './exchange/breaker.ts'
import { createBulkhead } from './exchange/bulkhead.ts'
import { createIntake } from './exchange/intake.ts'
import { createPending } from './exchange/pending.ts'
import { type Incident } from './exchange/recorded-reply.ts'
import { createReplyDesk } from './exchange/reply-desk.ts'
import { createDigestKey } from './idempotency-key.ts'
import { createLedgerClient } from './ledger-client.ts'
import { watchLedgerPosition } from './ledger-position.ts'
import { createAddressLimit } from './limits/address-limit.ts'
import { clientLimits, createClientLimits } from './limits/client-limits.ts'
import { openListeners } from './listeners.ts'
import { createMetrics } from './metrics.ts'
import { type NotesParts } from './notes/notes.ts'
import { watchOverload } from './overload.ts'
import { checkReadiness } from './routes/health.ts'
import { externalIssuerKeys, ownIssuerKeys } from './tokens/issuer-keys.ts'
import { createVerifiedTokens } from './tokens/verified-tokens.ts'

export interface GatewayParts {
  config: Config
  registry: Registry
  secrets: Secrets
  /** Public keys of the simulated clients. */
  clientKeys: ReadonlyMap<ClientId, object>
  bus: Bus
  /** The shared counters; what happens when they are away is decided here. */
  counters: Counters
  /** Where the ledger answers; default: what the configuration says. Without one nothing is known of earlier exchanges. */
  ledgerUrl?: string
  log: Log
  version: string
  /** Epoch ms; default the system's. */
  now?: () => number
  /** How long notes wait to be sent, how much is kept of them. */
  notes?: Pick<NotesParts, 'lingerMs' | 'bytesMax'>
  /** What a client may ask of this process beside exchanges. */
  clientLimits?: Partial<typeof clientLimits>
}

export interface Gateway {
  /** `http://host:port` of the public and the operations listener. */
  url: string
  operationsUrl: string
  /** Resolves when a record of our own went round the bus. */
  ready: Promise<void>
  /** Not ready; waits for what is pending; closes listeners, readers and counters. The bus stays the caller's. */
  stop(): Promise<void>
}

export async function startGateway(gatewayParts: GatewayParts): Promise<Gateway> {
  const { config, log } = gatewayParts
  const parts = assemble(gatewayParts)
  const { probe, reader, revocations, pending, counters, notes, appParts } = parts
  parts.markClients()
  await revocations.start()
  const app = await buildApp(appParts)
  const silent = watchSilentConnections(app.server)
  const listeners = await openListeners(app, { host: config.host, port: config.port })
  const operations = await listenForOperations({
    host: config.operationsHost,
    port: config.operationsPort,
    innerHosts: config.innerHosts,
    routes: operationsRoutes(parts),
  })
  const { port } = listeners
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    parts.stopping.isStopping = true
    log.info({ event: 'stopping', pending: pending.size })
    parts.ledger.stopWaiting()
    if (config.drainMs > 0) await new Promise(resolve => setTimeout(resolve, config.drainMs))
    const closed = listeners.close()
    silent.close()
    await closed
    await pending.drained()
    await operations.stop()
    probe.stop()
    revocations.stop()
    pending.stop()
    await reader.stop()
    parts.ledgerPosition.stop()
    await notes.stop()
    await counters.close()
    log.info({ event: 'stopped' })
  }
  return {
    url: `http://${config.host}:${port}`,
    operationsUrl: `http://${config.operationsHost}:${operations.port}`,
    ready: Promise.all([reader.ready, probe.firstOpen]).then(() => {
      log.info({ event: 'ready', port, replyPartition: parts.replyPartition })
    }),
    stop: () => (stopped ??= stop()),
  }
}

/** Connections on which nothing was ever said: a server that closes waits for them, and browsers open some in advance. */
function watchSilentConnections(server: Server): { close(): void } {
  const open = new Set<Socket>()
  server.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return {
    close() {
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
    },
  }
}

/** Everything but the listeners. */
function assemble(parts: GatewayParts) {
  const core = createCore(parts)
  const record = createRecord(parts, core)
  const road = createRoad(parts, core, record)
  return { ...core, ...record, ...road, appParts: appPartsOf(parts, core, record, road) }
}

type Core = ReturnType<typeof createCore>
type Record = ReturnType<typeof createRecord>
type Road = ReturnType<typeof createRoad>

/** What depends on nothing of the gateway's. */
function createCore(parts: GatewayParts) {
  const { config, registry, secrets, bus, counters: shared, log, now = Date.now } = parts
  const clock = (): number => performance.now()
  const replyPartition = config.replyPartition ?? partitionOf(probeTopic, config.instance)
  // Without it a client's first key would find an index that is younger than the key, and be refused for a while.
  const markClients = (): void => void counters.mark(registry.agreements.keys()).catch(() => {})
  const counters: DegradingCounters = new DegradingCounters({
    shared,
    instances: config.instances,
    onState: (state, cause) => {
      log.warn({ event: 'counters', state, reason: reasonOf(cause) })
      if (state === 'shared') markClients()
    },
  })
  const probe = createProbe({ bus, partition: replyPartition, instance: config.instance, now })
  probe.onChange((isOpen, cause) =>
    log.warn({ event: 'road', state: isOpen ? 'open' : 'closed', reason: reasonOf(cause) }),
  )
  return {
    now,
    clock,
    roadNow: (): number => bus.now(),
    source: `/gateway/${config.instance}`,
    replyPartition,
    stopping: { isStopping: false },
    counters,
    revocations: new Revocations({ counters, now }),
    pending: createPending({ max: config.pendingMax, clock }),
    intake: createIntake({ max: config.intakeMax }),
    bulkhead: createBulkhead({
      totalMax: config.pendingMax,
      providerMax: config.providerPendingMax,
      random: Math.random,
    }),
    breakers: createBreakers({
      now: clock,
      random: Math.random,
      onChange: (provider, state) => log.warn({ event: 'breaker', provider, state }),
    }),
    ledger: createLedgerClient({ url: parts.ledgerUrl ?? config.ledgerUrl, clock }),
    ledgerPosition: watchLedgerPosition({ url: parts.ledgerUrl ?? config.ledgerUrl, bus }),
    addressLimit: createAddressLimit({ perSecond: config.addressRefusalsPerSecond, now }),
    clientLimits: createClientLimits({
      now,
      clients: registry.agreements.size,
      limits: { ...clientLimits, ...parts.clientLimits },
    }),
    verifiedTokens: createVerifiedTokens(),
    markClients,
    streams: { open: 0 },
    probe,
    keys: config.issuerJwksUrl === undefined ? ownIssuerKeys(secrets) : externalIssuerKeys(config.issuerJwksUrl),
  }
}

/** Where it is written down: metrics, notes, the audit log. */
function createRecord({ config, bus, log, registry, notes: noteLimits }: GatewayParts, core: Core) {
  const { now, clock, pending, probe, counters, revocations, breakers, bulkhead, intake, streams, ledgerPosition } =
    core
  const metrics = createMetrics({
    pending: () => pending.size,
    notesWaiting: () => notes.waiting.notes,
    notesKept: () => notes.isKept,
    ledgerBehindSeconds: () => (ledgerPosition.behindMs === undefined ? undefined : ledgerPosition.behindMs / 1000),
    inHand: () => intake.inHand,
    roadOpen: () => probe.isOpen,
    countersShared: () => counters.state === 'shared',
    revocationsAgeSeconds: () => revocations.ageMs / 1000,
    providers: registry.providers,
    breakerState: breakers.state,
    inFlight: bulkhead.inFlight,
    streams: () => streams.open,
  })
  const { notes, evidence } = keepEvidence({
    config,
    bus,
    log,
    now,
    ledgerPosition,
    onLost: count => metrics.notesLost(count),
    ...noteLimits,
  })
  return { metrics, notes, evidence, auditLog: createAuditLog({ log, metrics, counters, notes, now, clock }) }
}

/** The way back: this gateway's partition of every reply topic, and the probe's. */
function createRoad(
  { bus, registry, log }: GatewayParts,
  { pending, probe, roadNow, replyPartition }: Core,
  { metrics, notes }: Record,
) {
  const onIncident = ({ incident, exchangeId, provider, facts }: Incident): void => {
    metrics.incident(provider, incident)
    log.error({ event: 'incident', incident, exchangeId, provider, ...facts })
    void notes.note({ kind: 'incident', exchangeId, facts: { incident, provider, ...facts } })
  }
  const replyDesk = createReplyDesk({
    pending,
    probe,
    onLate: metrics.late,
    onMisdirected: (exchangeId, provider, topic) =>
      onIncident({ incident: 'misdirected-reply', exchangeId, provider, facts: { topic } }),
  })
  const reader = bus.readReplies({
    topics: [probeTopic, ...registry.providers.map(replyTopic)],
    partition: replyPartition,
    sinceMs: roadNow() - longestWaitMs(registry),
    onRecord: replyDesk.onRecord,
    onState: (state, cause) => {
      if (state === 'interrupted') probe.interrupted(cause)
    },
  })
  return { replyDesk, reader, onIncident }
}

function appPartsOf(parts: GatewayParts, core: Core, record: Record, { replyDesk, onIncident }: Road): AppParts {
  const { config, registry, clientKeys, secrets, bus, log, version } = parts
  const { revocations, probe, counters, intake, stopping } = core
  const road = {
    get isOpen() {
      return probe.isOpen
    },
    publish: (topic: string, record: OutgoingRecord) => intake.hold(bus.publish(topic, record)),
    readAt: bus.readAt.bind(bus),
  }
  const byHash = new Map(registry.services.map(service => [service.hash, service]))
  const findByHash = (contractHash: string) => byHash.get(contractHash)
  const pseudonyms = createPseudonyms(secrets.pseudonymKeys, core.now, (reason, used) =>
    log.error({ event: 'pseudonym-keys', reason, used }),
  )
  return {
    ...core,
    ...record,
    ...config,
    version,
    log,
    registry,
    replyDesk,
    clientKeys,
    agreements: registry.agreements,
    overload: watchOverload({ ...core, ...config, log, onShed: () => shedOne(record) }),
    onIssued: record.metrics.tokenIssued,
    isStopping: () => stopping.isStopping,
    isRevoked: tokenId => revocations.has(tokenId),
    revoke: (tokenId, untilMs) => revocations.revoke(tokenId, untilMs),
    isRoadOpen: () => probe.isOpen,
    pingCounters: () => counters.ping(),
    digestKey: createDigestKey(secrets.indexKey),
    exchangeParts: { ...core, evidence: record.evidence, onIncident, road, findByHash, pseudonyms },
  }
}

/** Counted on the record as well: a line or a note of each would cost what shedding saves. */
function shedOne({ metrics, notes }: Record): void {
  metrics.shed()
  void notes.refuse('NDX_GATEWAY_OVERLOADED')
}

const reasonOf = (cause: unknown): string | undefined => (cause instanceof Error ? cause.message : undefined)

/** A predecessor's replies are read back this far. */
const longestWaitMs = (registry: Registry): number =>
  Math.max(...registry.services.map(service => service.contract.maxWaitMs), 0)

function operationsRoutes({ appParts, metrics, counters, now }: ReturnType<typeof assemble>) {
  return {
    '/metrics': async () => ({ type: metrics.contentType, body: await metrics.render() }),
    '/health/live': () => ({ body: asJson({ status: 'live' }) }),
    '/health/ready': async () => {
      const readiness = await checkReadiness(appParts)
      return { status: readiness.ready ? 200 : 503, body: asJson(readiness) }
    },
    /** Audit counters of a day: `?day=yyyy-mm-dd`, default today (UTC+7). */
    '/counters': async (query: URLSearchParams) => {
      const day = query.get('day') ?? quotaDay(now())
      if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return { status: 400, body: asJson({ error: 'day must be yyyy-mm-dd' }) }
      return { body: asJson({ day, counts: await counters.readDay(day) }) }
    },
  }
}
