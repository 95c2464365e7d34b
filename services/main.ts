// The adapter process of one provider on the real stack: `node services/main.ts <provider>`.
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { keepRoundTrip } from '#bus/round-trip.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { runProcess } from '#runtime/lifetime.ts'
import { describeError, logAs } from '#runtime/log.ts'
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
  const roundTrip = keepRoundTrip(bus, config.instance, (isOpen, cause) =>
    log.warn({ event: 'road', state: isOpen ? 'open' : 'closed', ...(isOpen ? {} : { error: describeError(cause) }) }),
  )
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
    busOpen: roundTrip.firstOpen,
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
      /** It would answer: the bus takes and gives back, the topic is read, and what is in hand moves. */
      '/health/ready': () => {
        const { isWorking, held, stillMs } = host
        const ready = roundTrip.isOpen && host.isReady
        const bus = roundTrip.isOpen ? 'open' : 'closed'
        return { status: ready ? 200 : 503, body: asJson({ ready, bus, reading: isWorking, held, stillMs }) }
      },
    },
  })
  log.info({ event: 'listening', provider, operationsPort: operations.port })
  return {
    stop: async () => {
      await host.stop()
      await roundTrip.stop()
      await operations.stop()
      await bus.close()
    },
  }
})
