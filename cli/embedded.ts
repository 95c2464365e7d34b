// The whole exchange in one process, on the embedded bus and counters: the same gateway, ledger, witness, adapters and contracts
// as the real stack; only bus and counters are the in-memory ones. `ndx start` and the tests run it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Bus } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { loadRegistry, type Registry } from '#contracts/registry.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { type Gateway, startGateway } from '#gateway/gateway.ts'
import { type Ledger, startLedger } from '#ledger/ledger.ts'
import { introduce } from '#ledger/witness/introduction.ts'
import { type RunningWitness, startWitness } from '#ledger/witness/server.ts'
import { createNation } from '#nation/nation.ts'
import { type Config } from '#runtime/config.ts'
import { endProcess } from '#runtime/lifetime.ts'
import { type Log } from '#runtime/log.ts'
import { createCommitments } from '#runtime/pseudonyms.ts'
import { makeSecrets, readCallbackSecret, readClientKeys, readSecrets, type Secrets } from '#runtime/secrets.ts'
import { version } from '#runtime/version.ts'
import { listProviders } from '#services/handlers.ts'
import { type Host } from '#services/host.ts'
import { startProvider } from '#services/provider.ts'
import { addressOf } from './surroundings.ts'

export interface EmbeddedExchange {
  gateway: Gateway
  ledger: Ledger
  hosts: readonly Host[]
  registry: Registry
  stop(): Promise<void>
}

/** Callbacks of this mode go to programs on the same machine. */
const loopback = ['127.0.0.0/8', '::1/128']

/** Resolves when a question would be answered. Every provider that has a folder of handlers and a contract gets a host. */
export async function startEmbedded(config: Config, log: Log): Promise<EmbeddedExchange> {
  const registry = loadRegistry({
    idScheme: config.idScheme,
    ...(config.contractsDir === undefined ? {} : { directory: config.contractsDir }),
  })
  makeSecrets(config.dataDir, registry)
  const secrets = readSecrets(config.dataDir)
  const bus = new MemoryBus()
  const { ledger, witness } = await startEvidence({ config, log, registry, bus, secrets })
  let gatewayUrl = config.gatewayUrl
  const hosts = await startHosts({ config, log, registry, bus }, () => gatewayUrl)
  const gateway = await startGateway({
    config,
    registry,
    secrets,
    clientKeys: readClientKeys(config.dataDir),
    bus,
    counters: new MemoryCounters(),
    ledgerUrl: ledger.url,
    log,
    version,
  })
  gatewayUrl ??= addressOf(config.host, Number(new URL(gateway.url).port))
  await Promise.all([gateway.ready, ledger.ready, ...hosts.map(host => host.ready)])
  return {
    gateway,
    ledger,
    hosts,
    registry,
    stop: async () => {
      await gateway.stop()
      await Promise.all(hosts.map(host => host.stop()))
      await ledger.stop()
      await witness.stop()
      await bus.close()
    },
  }
}

interface SharedParts {
  config: Config
  log: Log
  registry: Registry
  bus: Bus
}

interface EvidenceParts extends SharedParts {
  secrets: Secrets
}

/** The ledger, and a witness with a key and a folder of its own. In one process it proves the protocol, not independence. */
async function startEvidence({ config, log, registry, bus, secrets }: EvidenceParts) {
  const witnessDir = join(config.dataDir, 'witness')
  mkdirSync(witnessDir, { recursive: true, mode: 0o700 })
  const witnessName = `${config.logOrigin}-witness`
  introduce({ ledgerDir: config.dataDir, witnessDir, origin: config.logOrigin, witnessName })
  const witness: RunningWitness = await startWitness({
    dataDir: witnessDir,
    name: witnessName,
    host: '127.0.0.1',
    port: 0,
    log,
  })
  const ledger = await startLedger({
    config: {
      ...config,
      witnessUrls: [witness.url, ...config.witnessUrls],
      callbackNetworks: [...loopback, ...config.callbackNetworks],
    },
    registry,
    bus,
    commitments: createCommitments(secrets.pseudonymKeys, Date.now),
    callbackSecretOf: client => readCallbackSecret(config.dataDir, client),
    log,
    onFatal: endProcess,
  }).catch(async (error: unknown) => {
    await witness.stop()
    throw error
  })
  return { ledger, witness }
}

/** Registers ask others like any client: over HTTP, once the gateway listens. */
function startHosts(
  { config, log, registry, bus }: SharedParts,
  gatewayUrl: () => string | undefined,
): Promise<Host[]> {
  const { nationSeed, servicesDir, instance, poolSize, dataDir } = config
  const nation = createNation({ seed: nationSeed })
  const withHandlers = listProviders(servicesDir)
  const providers = registry.providers.filter(provider => withHandlers.includes(provider))
  return Promise.all(
    providers.map(provider =>
      startProvider({
        provider,
        registry,
        nation,
        dataDir,
        directory: servicesDir,
        gatewayUrl,
        bus,
        instance,
        poolSize,
        log,
        now: () => bus.now(),
        clock: () => performance.now(),
      }),
    ),
  )
}
