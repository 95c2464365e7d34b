// The real Kafka and Redis of integration tests and the bench: containers where a Docker engine answers, else local
// processes. Everything started here is gone when it is stopped or when this process ends, however it ends.
import { projectComposeFile, startComposeStack } from './compose.ts'
import { startKafkaContainer, startRedisContainer } from './container.ts'
import { findEngine, firstLine } from './docker.ts'
import { hasKafkaJars } from './kafka-jars.ts'
import { kafkaVersion } from './kafka-settings.ts'
import { startLocalKafka } from './local-kafka.ts'
import { startLocalRedis } from './local-redis.ts'
import { ensurePresent, findRedisVersion, java, maven, redisServer } from './prerequisites.ts'
import { say } from './progress.ts'
import { type KafkaServer, type RedisServer, type Stack, type StackKind } from './server.ts'

export type { KafkaServer, Outage, RedisServer, Stack, StackKind } from './server.ts'

export interface ServerOptions {
  /** Which kind, and no other; default NDX_TEST_STACK, else what the machine can do. */
  kind?: StackKind
  /** Where local processes keep their data while they run; default the system's folder for temporary files. */
  dir?: string
}

export interface StackOptions extends ServerOptions {
  /** Default docker-compose.yml of the project. */
  composeFile?: string
}

/** @throws Error that says what is missing, when neither kind (or not the wanted one) can be started */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const file = options.composeFile ?? projectComposeFile
  return startEither(
    options,
    version => startComposeStack(version, file),
    () => startLocalStack(options.dir),
  )
}

/** A Kafka of the test's own, to be broken without disturbing others: about 4 s. */
export async function startKafka(options: ServerOptions = {}): Promise<KafkaServer> {
  return startEither(options, startKafkaContainer, () => startLocalKafka(options.dir))
}

/** A Redis of the test's own, to be broken without disturbing others: under 1 s. */
export async function startRedis(options: ServerOptions = {}): Promise<RedisServer> {
  return startEither(options, startRedisContainer, () => startLocalRedis(options.dir))
}

/** Containers where an engine answers, else, or when they cannot be started, local processes; what was asked for only. */
async function startEither<T>(
  { kind }: ServerOptions,
  startContainers: (engineVersion: string) => Promise<T>,
  startLocal: () => Promise<T>,
): Promise<T> {
  const wanted = kind ?? readWantedKind()
  if (wanted === 'local') return startLocal()
  const engine = await findEngine()
  if ('version' in engine) {
    const started = startContainers(engine.version)
    if (wanted === 'compose') return started
    return started.catch(error => {
      say(`stack: Docker ${engine.version} answers but cannot start it (${firstLine(error)}): using local processes`)
      return startLocal()
    })
  }
  if (wanted === 'compose') throw new Error(`the compose test stack needs Docker with Compose: ${engine.missing}`)
  say(`stack: no Docker engine to use (${engine.missing}): using local processes`)
  return startLocal()
}

function readWantedKind(): StackKind | undefined {
  const wanted = process.env['NDX_TEST_STACK']
  if (!wanted) return undefined
  if (wanted === 'compose' || wanted === 'local') return wanted
  throw new Error(`NDX_TEST_STACK is '${wanted}', and can be 'compose' or 'local'`)
}

async function startLocalStack(dir?: string): Promise<Stack> {
  // All at once, before two of them could call apt-get at the same time.
  await ensurePresent([java, redisServer, ...((await hasKafkaJars()) ? [] : [maven])])
  const [kafkaStart, redisStart] = await Promise.allSettled([startLocalKafka(dir), startLocalRedis(dir)])
  if (kafkaStart.status === 'rejected' || redisStart.status === 'rejected') {
    await Promise.all([kafkaStart, redisStart].map(one => (one.status === 'fulfilled' ? one.value.stop() : undefined)))
    throw kafkaStart.status === 'rejected' ? kafkaStart.reason : (redisStart as PromiseRejectedResult).reason
  }
  const [kafka, redis] = [kafkaStart.value, redisStart.value]
  const description = `local (Kafka ${kafkaVersion}, Redis ${await findRedisVersion()}): kafka ${kafka.brokers}, redis ${new URL(redis.url).host}`
  return {
    kind: 'local',
    kafkaBrokers: kafka.brokers,
    redisUrl: redis.url,
    kafka,
    redis,
    describe: () => description,
    stop: async () => {
      await Promise.all([kafka.stop(), redis.stop()])
    },
  }
}
