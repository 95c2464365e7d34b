// The whole exchange in one process, on the embedded bus and counters: the same gateway, adapters and contracts as the real
// stack; only bus and counters are the in-memory ones. `ndx start` and the tests run it.

import { type Bus } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { loadRegistry, type Registry } from '#contracts/registry.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { type Gateway, startGateway } from '#gateway/gateway.ts'
import { createNation } from '#nation/nation.ts'
import { type Config } from '#runtime/config.ts'
import { type Log } from '#runtime/log.ts'
import { makeSecrets, readClientKeys, readSecrets } from '#runtime/secrets.ts'
import { version } from '#runtime/version.ts'
import { listProviders, loadRoutes } from '#services/handlers.ts'
import { type Host, runHost } from '#services/host.ts'

export interface EmbeddedExchange {
  gateway: Gateway
  hosts: readonly Host[]
  registry: Registry
  stop(): Promise<void>
}

/** Resolves when a question would be answered. Every provider that has a folder of handlers and a contract gets a host. */
export async function startEmbedded(config: Config, log: Log): Promise<EmbeddedExchange> {
  const registry = loadRegistry({
    idScheme: config.idScheme,
    ...(config.contractsDir === undefined ? {} : { directory: config.contractsDir }),
  })
  makeSecrets(config.dataDir, registry.simulatedClients)
  const bus = new MemoryBus()
  const hosts = await startHosts(config, log, registry, bus)
  const gateway = await startGateway({
    config,
    registry,
    secrets: readSecrets(config.dataDir),
    clientKeys: readClientKeys(config.dataDir),
    bus,
    counters: new MemoryCounters(),
    log,
    version,
  })
  await Promise.all([gateway.ready, ...hosts.map(host => host.ready)])
  return {
    gateway,
    hosts,
    registry,
    stop: async () => {
      await gateway.stop()
      await Promise.all(hosts.map(host => host.stop()))
      await bus.close()
    },
  }
}

function startHosts(
  { nationSeed, servicesDir, instance, poolSize }: Config,
  log: Log,
  registry: Registry,
  bus: Bus,
): Promise<Host[]> {
  const nation = createNation({ seed: nationSeed })
  const withHandlers = listProviders(servicesDir)
  const providers = registry.providers.filter(provider => withHandlers.includes(provider))
  return Promise.all(
    providers.map(async provider => {
      const routes = await loadRoutes(registry, { provider, nation }, servicesDir)
      return runHost({ provider, routes, bus, instance, poolSize, log, now: Date.now, clock: () => performance.now() })
    }),
  )
}
