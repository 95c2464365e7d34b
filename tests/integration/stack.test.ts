// The ground the integration tests stand on: the shared Kafka and Redis are real, and the servers a fault test starts for
// itself can be frozen (nothing is answered) and killed (refused at once), and come back with their data.
import { randomUUID } from 'node:crypto'
import { createConnection } from 'node:net'
import { Redis } from 'ioredis'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '#tests/bus/until.ts'
import { type KafkaServer, type RedisServer, startKafka, startRedis } from '#tests/stack/stack.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'

const startMs = 180_000
const testMs = 120_000
const shortMs = 3_000

const connectKafka = (brokers: string[], requestTimeout = 30_000) =>
  new Kafka({
    brokers,
    requestTimeout,
    retry: { retries: requestTimeout > shortMs ? 8 : 0 },
    logLevel: logLevel.NOTHING,
  })

const connectRedis = (url: string) => {
  const redis = new Redis(url, { commandTimeout: shortMs, maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.on('error', () => {})
  return redis
}

/** What a client that connects anew meets: `taken`, though perhaps by a server that never answers, or the error's code. */
const connectTo = (address: string) =>
  new Promise<string>(resolve => {
    const [host = '', port = ''] = address.split(':')
    const socket = createConnection({ host, port: Number(port), timeout: 5_000 })
    const settle = (outcome: string) => {
      socket.destroy()
      resolve(outcome)
    }
    socket.once('connect', () => settle('taken'))
    socket.once('timeout', () => settle('ETIMEDOUT'))
    socket.once('error', error => settle((error as NodeJS.ErrnoException).code ?? error.message))
  })

const createTopic = async (admin: Admin) => {
  const topic = `stack-${randomUUID()}`
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: false })
  // kafkajs gives up waiting when the broker does not know it yet.
  const isServed = () =>
    admin.fetchTopicOffsets(topic).then(
      () => true,
      () => false,
    )
  await until('the topic is served', isServed)
  return topic
}

const produce = async (kafka: Kafka, topic: string, value: string) => {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  try {
    await producer.connect()
    await producer.send({ topic, acks: -1, messages: [{ value }] })
  } finally {
    await producer.disconnect()
  }
}

/** The values of the first `count` records of the topic. */
const consume = async (kafka: Kafka, topic: string, count: number) => {
  const consumer = kafka.consumer({ groupId: `stack-${randomUUID()}`, allowAutoTopicCreation: false })
  const values: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(String(message.value))
        if (values.length >= count) resolve()
      },
    })
    await promise
  } finally {
    await consumer.disconnect()
  }
  return values
}

const shared = await stackOfWorker()

describe('the shared stack', () => {
  const { kafkaBrokers, redisUrl } = shared

  test('carries a record through Kafka', { timeout: testMs }, async () => {
    const kafka = connectKafka(kafkaBrokers)
    const admin = kafka.admin()
    await admin.connect()
    const topic = await createTopic(admin)
    await produce(kafka, topic, 'xin chào')
    expect(await consume(kafka, topic, 1)).toEqual(['xin chào'])
    await admin.deleteTopics({ topics: [topic] })
    await admin.disconnect()
  })

  test('creates no topic that nobody asked for', { timeout: testMs }, async () => {
    const unknown = `stack-${randomUUID()}`
    const admin = connectKafka(kafkaBrokers, shortMs).admin()
    await admin.connect()
    await expect(admin.fetchTopicMetadata({ topics: [unknown] })).rejects.toThrow('does not host this topic-partition')
    expect(await admin.listTopics()).not.toContain(unknown)
    await admin.disconnect()
  })

  test('keeps a value in Redis, evicts nothing and asks for its password', async () => {
    const redis = connectRedis(redisUrl)
    const key = `stack:${randomUUID()}`
    expect(await redis.set(key, '1', 'EX', 60)).toBe('OK')
    expect(await redis.incr(key)).toBe(2)
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes'])
    await redis.del(key)
    redis.disconnect()

    const stranger = connectRedis(`redis://${new URL(redisUrl).host}`)
    await expect(stranger.ping()).rejects.toThrow('NOAUTH')
    stranger.disconnect()
  })
})

describe('a Redis of a test’s own', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({ kind: shared.kind })
  }, startMs)
  afterAll(() => server?.stop(), startMs)

  test('answers nothing while it is paused, and goes on after', { timeout: testMs }, async () => {
    const redis = connectRedis(server.url)
    await redis.set('paused', 'no')
    await server.pause()
    expect(await connectTo(new URL(server.url).host)).toBe('taken')
    await expect(redis.get('paused')).rejects.toThrow('Command timed out')
    await server.resume()
    expect(await redis.get('paused')).toBe('no')
    redis.disconnect()
  })

  test('refuses connections when killed, and comes back with its data', { timeout: testMs }, async () => {
    const before = connectRedis(server.url)
    await before.set('kept', 'yes')
    await server.kill()
    expect(server.pid).toBeUndefined()
    expect(await connectTo(new URL(server.url).host)).toBe('ECONNREFUSED')
    await expect(before.get('kept')).rejects.toThrow()
    await server.start()
    const after = connectRedis(server.url)
    expect(await after.get('kept')).toBe('yes')
    before.disconnect()
    after.disconnect()
  })
})

describe('a Kafka of a test’s own', () => {
  let server: KafkaServer
  beforeAll(async () => {
    server = await startKafka({ kind: shared.kind })
  }, startMs)
  afterAll(() => server?.stop(), startMs)

  test('answers nothing while it is paused, and goes on after', { timeout: testMs }, async () => {
    const admin = connectKafka(server.brokers, shortMs).admin()
    await admin.connect()
    const topic = await createTopic(admin)
    await server.pause()
    expect(await connectTo(server.brokers[0] ?? '')).toBe('taken')
    await expect(admin.fetchTopicOffsets(topic)).rejects.toThrow('timed out')
    await server.resume()
    await admin.disconnect()
    const kafka = connectKafka(server.brokers)
    await produce(kafka, topic, 'after the pause')
    expect(await consume(kafka, topic, 1)).toEqual(['after the pause'])
  })

  test('refuses connections when killed, and comes back with its records', { timeout: testMs }, async () => {
    const kafka = connectKafka(server.brokers)
    const admin = kafka.admin()
    await admin.connect()
    const topic = await createTopic(admin)
    await admin.disconnect()
    await produce(kafka, topic, 'before the kill')
    await server.kill()
    expect(await connectTo(server.brokers[0] ?? '')).toBe('ECONNREFUSED')
    await expect(connectKafka(server.brokers, shortMs).admin().connect()).rejects.toThrow('ECONNREFUSED')
    await server.start()
    await produce(kafka, topic, 'after the kill')
    expect(await consume(kafka, topic, 2)).toEqual(['before the kill', 'after the kill'])
  })
})
