// A world of a test's own: the whole exchange in one process, on the bus and counters given (else the in-memory ones), with its
// own contracts, data directory, log and handlers, asked over real HTTP. `stop()` leaves nothing behind.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Bus, type OutgoingRecord } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { type Agreement, type Contract, type Service } from '#contracts/contract.ts'
import { type IdScheme } from '#contracts/personal-id.ts'
import { loadRegistry, ownContractsDir, type Registry } from '#contracts/registry.ts'
import { type Counters } from '#gateway/counters/counters.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { type Gateway, type GatewayParts, startGateway } from '#gateway/gateway.ts'
import { type Ledger, type LedgerParts, startLedger } from '#ledger/ledger.ts'
import { createNation, type Nation } from '#nation/nation.ts'
import { readConfig } from '#runtime/config.ts'
import { endProcess } from '#runtime/lifetime.ts'
import { createLog, type Log } from '#runtime/log.ts'
import { createCommitments } from '#runtime/pseudonyms.ts'
import { makeSecrets, readCallbackSecret, readClientKeys, readSecrets, type Secrets } from '#runtime/secrets.ts'
import { version } from '#runtime/version.ts'
import { type AdapterTools, type CreateHandler, type Handler } from '#services/adapter.ts'
import { createAsker } from '#services/asking.ts'
import { loadRoutes } from '#services/handlers.ts'
import { type Host, type Route, runHost } from '#services/host.ts'
import { createTools } from '#services/tools.ts'
import { Asker } from '#tests/asker.ts'
import { copyOwnContracts } from '#tests/contract-files.ts'

/** Changes one file of the copied contracts folder in place, or returns what it is to hold. */
export type Edit<T> = (value: T) => unknown

export interface WorldOptions {
  /** Default: a MemoryBus of the world's own. One that is given stays the caller's to close. */
  bus?: Bus
  /** Default: MemoryCounters. The gateway closes them. */
  counters?: Counters
  /** By file, e.g. `population/citizen-record.v1.json`; a file that is not there is made. */
  contracts?: Record<string, Edit<Contract>>
  /** By client, e.g. `bank`. */
  agreements?: Record<string, Edit<Agreement>>
  /** Code of the test's own in place of a service's, by `<id>` or, for one major, `<id>.v<major>`. */
  handlers?: Record<string, Handler>
  /** The same for handlers that need their register's tools. */
  createHandlers?: Record<string, CreateHandler>
  /** Providers that get no host, so that nobody answers, or the test itself does. Default: none. */
  silent?: readonly string[]
  /** More settings, by their NDX_* name. */
  settings?: Record<string, string>
  /** Epoch ms; gateway, counters and hosts share it. Set it at or after the real time, or tokens are expired. */
  now?: () => number
  /** The hosts' clock, where it differs from the gateway's. */
  hostNow?: () => number
  /** A ledger that follows the world's bus, with its store in memory; the gateway asks it. Default: none. */
  ledger?: true | Pick<LedgerParts, 'callbackPausesMs'>
  /** Default: notes are sent at once. */
  notes?: GatewayParts['notes']
  clientLimits?: GatewayParts['clientLimits']
  /** A data directory to share with another world: the same secrets and clients. */
  dataDir?: string
}

export interface LogLine {
  level: string
  event: string
  [field: string]: unknown
}

export interface Published {
  topic: string
  record: OutgoingRecord
}

export interface World extends Asker {
  gateway: Gateway
  /** Only with the option of that name. */
  ledger: Ledger | undefined
  hosts: readonly Host[]
  registry: Registry
  secrets: Secrets
  bus: Bus
  counters: Counters
  log: Log
  dataDir: string
  url: string
  /** Every line logged so far. */
  lines(): LogLine[]
  logText(): string
  /** Every record that went onto the bus through this world's gateway or hosts (the last 10,000). */
  published: readonly Published[]
  service(id: string, major?: number): Service
  /** The operations listener. */
  operations(path: string): Promise<{ status: number; text: string }>
  stop(): Promise<void>
}

const anyPorts = { NDX_PORT: '0', NDX_OPERATIONS_PORT: '0' }
/** Test files run side by side: a gateway held up by the others does not shed. */
const busyMachine = { NDX_EVENT_LOOP_DELAY_MAX_MS: '60000' }

/** Resolves when a question would be answered. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'ndx-world-'))
  try {
    return await assemble(options, directory)
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

async function assemble(options: WorldOptions, directory: string): Promise<World> {
  const { now = Date.now, hostNow = now } = options
  const isEdited = options.contracts !== undefined || options.agreements !== undefined
  const contractsDir = isEdited ? copyContracts(join(directory, 'contracts'), options) : ownContractsDir
  const dataDir = options.dataDir ?? join(directory, 'data')
  const settings = { NDX_INSTANCE: 'world', ...anyPorts, ...busyMachine, ...options.settings }
  const config = readConfig({ ...settings, NDX_DATA_DIR: dataDir, NDX_CONTRACTS_DIR: contractsDir })
  const text: string[] = []
  const log = createLog({
    level: config.logLevel === 'info' ? 'debug' : config.logLevel,
    instance: config.instance,
    stream: { write: line => void text.push(line) },
  })
  const registry = isEdited
    ? loadRegistry({ directory: contractsDir, idScheme: config.idScheme })
    : ownRegistryOf(config.idScheme)
  makeSecrets(dataDir, registry)
  const secrets = readSecrets(dataDir)
  const published: Published[] = []
  const ownBus = options.bus === undefined ? new MemoryBus({ now }) : undefined
  const bus = recordPublished(options.bus ?? (ownBus as Bus), published)
  const counters = options.counters ?? new MemoryCounters({ now })
  const ledger = await startOwnLedger(options, { config, registry, bus, log, secrets })
  let gateway: Gateway | undefined
  const hosts = await startHosts(options, {
    gatewayUrl: () => gateway?.url,
    registry,
    bus,
    log,
    dataDir,
    now: hostNow,
    poolSize: config.poolSize,
  })
  gateway = await startGateway({
    config,
    registry,
    secrets,
    clientKeys: readClientKeys(dataDir),
    bus,
    counters,
    ...(ledger === undefined ? {} : { ledgerUrl: ledger.url }),
    log,
    version,
    now,
    notes: { lingerMs: 0, ...options.notes },
    ...(options.clientLimits === undefined ? {} : { clientLimits: options.clientLimits }),
  })
  await Promise.all([gateway.ready, ledger?.ready, ...hosts.map(host => host.ready)])
  const asker = new Asker({ url: gateway.url, issuer: config.issuer, audience: config.audience, dataDir, secrets, now })
  return Object.assign(asker, {
    gateway,
    ledger,
    hosts,
    registry,
    secrets,
    bus,
    counters,
    log,
    dataDir,
    published,
    lines: () => text.map(line => JSON.parse(line) as LogLine),
    logText: () => text.join(''),
    service: (id: string, major?: number) => {
      const service = registry.find(id, major)
      if (service === undefined) throw new Error(`the world has no service ${id}`)
      return service
    },
    operations: async (path: string) => {
      const response = await fetch(`${gateway.operationsUrl}${path}`)
      return { status: response.status, text: await response.text() }
    },
    stop: async () => {
      await gateway.stop()
      await Promise.all(hosts.map(host => host.stop()))
      await ledger?.stop()
      await ownBus?.close()
      rmSync(directory, { recursive: true, force: true })
    },
  })
}

type LedgerSurroundings = Pick<LedgerParts, 'config' | 'registry' | 'bus' | 'log'> & { secrets: Secrets }

async function startOwnLedger(
  { ledger }: WorldOptions,
  { config, secrets, ...parts }: LedgerSurroundings,
): Promise<Ledger | undefined> {
  if (ledger === undefined) return undefined
  return startLedger({
    ...parts,
    ...(ledger === true ? {} : ledger),
    config: { ...config, ledgerPort: 0, callbackNetworks: ['127.0.0.0/8'] },
    storePath: ':memory:',
    commitments: createCommitments(secrets.pseudonymKeys, Date.now),
    callbackSecretOf: client => readCallbackSecret(config.dataDir, client),
    onFatal: endProcess,
  })
}

/** A copy of the contracts that come with NDX, with the test's edits. */
function copyContracts(directory: string, { contracts = {}, agreements = {} }: WorldOptions): string {
  copyOwnContracts(directory)
  for (const [file, edit] of Object.entries(contracts)) editFile(join(directory, file), edit)
  for (const [client, edit] of Object.entries(agreements)) editFile(join(directory, `agreements/${client}.json`), edit)
  return directory
}

function editFile<T>(path: string, edit: Edit<T>): void {
  const value = (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined) as T
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify(edit(value) ?? value))
}

const publishedMax = 10_000

/** The bus itself, but for a list of what went onto it. */
function recordPublished(bus: Bus, published: Published[]): Bus {
  return {
    publish: (topic, record) => {
      if (published.length >= publishedMax) published.shift()
      published.push({ topic, record })
      return bus.publish(topic, record)
    },
    readReplies: reading => bus.readReplies(reading),
    work: working => bus.work(working),
    follow: following => bus.follow(following),
    readAt: (topic, partition, offset) => bus.readAt(topic, partition, offset),
    endOf: (topic, partition) => bus.endOf(topic, partition),
    now: () => bus.now(),
    id: () => bus.id(),
    close: () => bus.close(),
  }
}

/** Frozen, pure, and not for nothing to make: one for all worlds of a test file. */
const ownRegistries = new Map<IdScheme, Registry>()
let nation: Nation | undefined

function ownRegistryOf(idScheme: IdScheme): Registry {
  const registry = ownRegistries.get(idScheme) ?? loadRegistry({ idScheme })
  ownRegistries.set(idScheme, registry)
  return registry
}

interface HostParts {
  gatewayUrl: () => string | undefined
  registry: Registry
  bus: Bus
  log: Log
  dataDir: string
  now: () => number
  poolSize: number
}

function startHosts({ handlers, createHandlers = {}, silent = [] }: WorldOptions, parts: HostParts): Promise<Host[]> {
  const { registry, poolSize, gatewayUrl, ...shared } = parts
  nation ??= createNation({ seed: 1 })
  const common = { ...shared, nation, services: registry.services, instance: 'world' }
  const providers = registry.providers.filter(provider => !silent.includes(provider))
  return Promise.all(
    providers.map(async provider => {
      const asker = createAsker({ client: provider, url: gatewayUrl, dataDir: shared.dataDir })
      const { tools, stop } = createTools({ ...common, provider, ask: asker.ask })
      const onStopped = async (): Promise<void> => {
        asker.stop()
        await stop()
      }
      const created = Object.entries(createHandlers).filter(([service]) => service.startsWith(`${provider}/`))
      const own = Object.fromEntries(created.map(([service, create]) => [service, create(tools)]))
      const routes = await routesOf(registry, { ...handlers, ...own }, tools)
      const clock = (): number => performance.now()
      return runHost({ ...common, provider, routes, poolSize, clock, onStopped })
    }),
  )
}

/** The test's handlers, and for the services it has none for those that come with NDX. */
async function routesOf(registry: Registry, handlers: Record<string, Handler>, tools: AdapterTools): Promise<Route[]> {
  const handlerOf = ({ contract, major }: Service): Handler | undefined =>
    handlers[`${contract.id}.v${major}`] ?? handlers[contract.id]
  const services = registry.services.filter(service => service.providerId === tools.provider)
  const replaced = services.flatMap(service => {
    const handler = handlerOf(service)
    return handler === undefined ? [] : [{ service, handler }]
  })
  const rest = services.filter(service => handlerOf(service) === undefined)
  if (rest.length === 0) return replaced
  const own = await loadRoutes({ ...registry, services: rest } as Registry, tools)
  return [...replaced, ...own]
}
