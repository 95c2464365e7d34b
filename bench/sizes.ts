// What a run left on disk and in memory: each topic, the ledger's store, the exchanges' log lines, Redis. Topics only where
// Kafka is a local process, whose folder can be looked into.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Platform } from './platform.ts'

export interface Sizes {
  /** Bytes of the segments, by topic; empty where the broker's folder is out of reach. */
  topics: Record<string, number>
  ledger: number
  logs: number
  /** Of Redis, used memory and keys. */
  redis: number
  redisKeys: number
}

export async function measureSizes({ folders, stack }: Platform): Promise<Sizes> {
  const logs = folders.logs.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
  return {
    topics: measureTopics(folders.stack),
    ledger: bytesIn(folders.ledger),
    logs,
    ...(await measureRedis(stack.redisUrl)),
  }
}

function measureTopics(stackDir: string): Record<string, number> {
  const topics: Record<string, number> = {}
  const kafka = readdirSync(stackDir).find(name => name.startsWith('ndx-kafka-'))
  if (kafka === undefined) return topics
  const logDir = join(stackDir, kafka, 'log')
  for (const name of readdirSync(logDir)) {
    const topic = topicOf(name)
    if (topic !== undefined) topics[topic] = (topics[topic] ?? 0) + bytesIn(join(logDir, name), '.log')
  }
  return topics
}

/** Of a partition's folder, `<topic>-<partition>`; undefined: none of ours. */
export const topicOf = (folder: string): string | undefined => /^(ndx\..+)-\d+$/.exec(folder)?.[1]

/** Of the files directly in it; 0 when it is not there. */
function bytesIn(folder: string, ending = ''): number {
  try {
    return readdirSync(folder)
      .filter(name => name.endsWith(ending))
      .reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0)
  } catch {
    return 0
  }
}

async function measureRedis(url: string): Promise<{ redis: number; redisKeys: number }> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 })
  try {
    await redis.connect()
    const used = /^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]
    return { redis: Number(used ?? 0), redisKeys: await redis.dbsize() }
  } finally {
    redis.disconnect()
  }
}
