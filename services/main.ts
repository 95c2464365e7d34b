// The adapter process of one provider on the real stack: `node services/main.ts <provider>`.
import { keepClock } from '#bus/clock-keeper.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { runProcess } from '#runtime/lifetime.ts'
import { logAs } from '#runtime/log.ts'
import { asJson, listenForOperations } from '#runtime/operations-listener.ts'
import { renderHostMetrics } from './host-metrics.ts'
import { startProvider } from './provider.ts'

await runProcess(async (config, log) => {
  const provider = process.argv[2] as ProviderId | undefined
  if (provider === undefined) throw new Error('which provider? e.g. `node services/main.ts population`')
  const { kafkaBrokers, contractsDir, servicesDir, gatewayUrl } = config
  if (kafkaBrokers === undefined) throw new Error('set NDX_KAFKA_BROKERS; `npm start` runs without servers')
  const registry = loadRegistry({
    idScheme: config.idScheme,
    ...(contractsDir === undefined ? {} : { directory: contractsDir }),
  })
  const bus = createKafkaBus({
    brokers: kafkaBrokers,
    clientId: config.instance,
    log: logAs(log, 'bus'),
  })
  const clock = keepClock(bus, config.instance)
  const host = await startProvider({
    provider,
    registry,
    nation: createNation({ seed: config.nationSeed }),
    dataDir: config.dataDir,
    directory: servicesDir,
    gatewayUrl: () => gatewayUrl,
    bus,
    instance: config.instance,
    poolSize: config.poolSize,
    log,
    now: () => bus.now(),
    clockKnown: clock.known,
    clock: () => performance.now(),
  })
  host.ready.then(() => log.info({ event: 'ready', provider })).catch(() => {})
  const operations = await listenForOperations({
    host: config.operationsHost,
    port: config.operationsPort,
    // Also by the name that docker compose and the broker's group give it.
    innerHosts: [`adapter-${provider}`, ...config.innerHosts],
    routes: {
      '/metrics': () => renderHostMetrics([host]),
      '/health/live': () => ({ body: asJson({ status: 'live' }) }),
      '/health/ready': () => ({ status: host.isWorking ? 200 : 503, body: asJson({ ready: host.isWorking }) }),
    },
  })
  log.info({ event: 'listening', provider, operationsPort: operations.port })
  return {
    stop: async () => {
      clock.stop()
      await host.stop()
      await operations.stop()
      await bus.close()
    },
  }
})
