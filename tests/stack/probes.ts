// Asks a real client's question, since an open port proves nothing: a frozen server takes connections too.
import { setTimeout as pass } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import { withDeadline } from './progress.ts'

export const kafkaDeadlineMs = 120_000
export const redisDeadlineMs = 60_000

const attemptMs = 5_000
const intervalMs = 50

/** Whether a broker is there, registered with its controller and so able to lead partitions. */
export async function isKafkaAnswering(brokers: string[]): Promise<boolean> {
  const admin = new Kafka({
    brokers,
    clientId: 'ndx-stack-probe',
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  }).admin()
  const ask = async () => {
    await admin.connect()
    const { brokers: registered } = await admin.describeCluster()
    return registered.length > 0
  }
  return withDeadline('kafka probe', attemptMs, ask())
    .catch(() => false)
    .finally(() => admin.disconnect().catch(() => {}))
}

export async function isRedisAnswering(url: string): Promise<boolean> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  redis.on('error', () => {})
  const ask = async () => {
    await redis.connect()
    return (await redis.ping()) === 'PONG'
  }
  return withDeadline('redis probe', attemptMs, ask())
    .catch(() => false)
    .finally(() => redis.disconnect())
}

/**
 * Asks until the answer is yes. `assertAlive` is called between the questions and throws when there is no point in
 * asking on.
 */
export async function waitUntil(
  what: string,
  deadlineMs: number,
  ask: () => Promise<boolean>,
  assertAlive: () => Promise<void> = async () => {},
): Promise<void> {
  const end = Date.now() + deadlineMs
  while (!(await ask())) {
    await assertAlive()
    if (Date.now() > end) throw new Error(`${what} does not answer within ${deadlineMs / 1_000} s`)
    await pass(intervalMs)
  }
}
