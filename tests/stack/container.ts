// One Kafka or one Redis as a container of its own, for a test that breaks it: the images that docker-compose.yml names,
// published on a fixed port of 127.0.0.1, so that it is found there again after it was killed.
import { randomBytes, randomUUID } from 'node:crypto'
import { type ContainerOptions, ContainerOutage, guardLabel, sweep } from './docker.ts'
import { kafkaHeapOptions, kafkaProperties, kafkaVersion, toEnvironment } from './kafka-settings.ts'
import { findFreePort } from './ports.ts'
import { isKafkaAnswering, isRedisAnswering, kafkaDeadlineMs, redisDeadlineMs } from './probes.ts'
import { announce } from './progress.ts'
import { type KafkaServer, type RedisServer } from './server.ts'

interface ContainerSpec extends Omit<ContainerOptions, 'id'> {
  image: string
  port: { container: number; host: number }
  environment: Record<string, string>
  command: string[]
  readyLine: RegExp
}

class Container extends ContainerOutage {
  readonly kind = 'compose' as const
  readonly #stop: () => Promise<void>

  constructor(options: ContainerOptions, stop: () => Promise<void>) {
    super(options)
    this.#stop = stop
  }

  stop(): Promise<void> {
    return this.#stop()
  }
}

export async function startRedisContainer(): Promise<RedisServer> {
  const port = await findFreePort()
  const password = randomBytes(16).toString('hex')
  const url = `redis://:${password}@127.0.0.1:${port}`
  const settings = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction', '--requirepass', password]
  const container = await startContainer({
    name: 'redis',
    image: 'redis:8-alpine',
    port: { container: 6379, host: port },
    environment: {},
    command: ['redis-server', ...settings],
    readyLine: /Ready to accept connections/,
    answerMs: redisDeadlineMs,
    isAnswering: () => isRedisAnswering(url),
  })
  return Object.assign(container, { url })
}

export async function startKafkaContainer(): Promise<KafkaServer> {
  const port = await findFreePort()
  const broker = `127.0.0.1:${port}`
  const properties = kafkaProperties({
    listener: ':9092',
    advertised: broker,
    controller: 'localhost:29093',
    logDir: '/var/lib/kafka/data',
  })
  const container = await startContainer({
    name: 'kafka',
    image: `apache/kafka:${kafkaVersion}`,
    port: { container: 9092, host: port },
    environment: { ...toEnvironment(properties), KAFKA_HEAP_OPTS: kafkaHeapOptions },
    command: [],
    readyLine: /Kafka Server started/,
    answerMs: kafkaDeadlineMs,
    isAnswering: () => isKafkaAnswering([broker]),
  })
  return Object.assign(container, { brokers: [broker] })
}

async function startContainer(spec: ContainerSpec): Promise<Container> {
  const label = `ndx.stack=${randomUUID()}`
  const guard = guardLabel(label)
  try {
    const started = createContainer(spec, label)
    const container = new Container(
      { ...spec, id: await announce(`${spec.name}: starting a container`, started) },
      stop,
    )
    await container.untilItAnswers()
    return container
  } catch (error) {
    await stop()
    throw error
  }

  async function stop(): Promise<void> {
    await sweep(label)
    guard.dismiss()
  }
}

async function createContainer(spec: ContainerSpec, label: string): Promise<string> {
  const { GenericContainer, Wait } = await import('testcontainers')
  /** testcontainers publishes on every interface; a test's broker is nobody else's business. */
  class LoopbackContainer extends GenericContainer {
    protected override async beforeContainerCreated(): Promise<void> {
      for (const bindings of Object.values(this.hostConfig.PortBindings ?? {})) {
        for (const binding of bindings as { HostIp?: string }[]) binding.HostIp = '127.0.0.1'
      }
    }
  }
  const [name, value] = label.split('=') as [string, string]
  const container = new LoopbackContainer(spec.image)
    .withExposedPorts(spec.port)
    .withEnvironment(spec.environment)
    .withLabels({ [name]: value })
    .withWaitStrategy(Wait.forLogMessage(spec.readyLine))
    .withStartupTimeout(kafkaDeadlineMs)
  if (spec.command.length > 0) container.withCommand(spec.command)
  return (await container.start()).getId()
}
