// The gateway process of the real stack: Kafka and Redis. `npm start` runs the same gateway embedded (cli/start.ts).
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { type Config } from '#runtime/config.ts'
import { runProcess } from '#runtime/lifetime.ts'
import { logAs } from '#runtime/log.ts'
import { readClientKeys, readSecretFile, readSecrets } from '#runtime/secrets.ts'
import { version } from '#runtime/version.ts'
import { RedisCounters } from './counters/redis-counters.ts'
import { startGateway } from './gateway.ts'

await runProcess(async (config, log) => {
  const { kafkaBrokers, redisUrl, contractsDir } = config
  if (kafkaBrokers === undefined || redisUrl === undefined)
    throw new Error('set NDX_KAFKA_BROKERS and NDX_REDIS_URL; `npm start` runs without servers')
  const registry = loadRegistry({
    idScheme: config.idScheme,
    ...(contractsDir === undefined ? {} : { directory: contractsDir }),
  })
  const bus = createKafkaBus({
    brokers: kafkaBrokers,
    clientId: config.instance,
    log: logAs(log, 'bus'),
  })
  const counters = new RedisCounters({ url: withPassword(redisUrl, config) })
  const gateway = await startGateway({
    config,
    registry,
    secrets: readSecrets(config.dataDir),
    clientKeys: readClientKeys(config.dataDir),
    bus,
    counters,
    log,
    version,
  })
  gateway.ready.catch(() => {})
  log.info({ event: 'listening', url: gateway.url, operationsUrl: gateway.operationsUrl })
  return {
    stop: async () => {
      await gateway.stop()
      await bus.close()
    },
  }
})

function withPassword(redisUrl: string, { redisPasswordFile }: Config): string {
  if (redisPasswordFile === undefined) return redisUrl
  const url = new URL(redisUrl)
  url.password = readSecretFile(redisPasswordFile).trim()
  return url.href
}
