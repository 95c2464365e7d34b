// The peers as targets: gateway and adapter of peers/nestjs or peers/spring on NDX's own Kafka and Redis, with a request and a
// reply topic each. They can be stopped after their turn and started for the next one.
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { findFreePort } from '#tests/stack/ports.ts'
import { type Stack } from '#tests/stack/stack.ts'
import { type Child, startChild } from './child.ts'
import { type Ending } from './ending.ts'
import { nestjsDir, springDir, springJar } from './peer-build.ts'
import { type PeerInputs } from './peer-inputs.ts'
import { client, exampleEnvelope, path } from './questions.ts'
import { openRecords } from './records.ts'
import { type Target } from './target.ts'
import { audience, issuer, type World } from './world.ts'

export interface Peer {
  name: string
  /** How its two processes are started. */
  program?: string
  root: string
  scripts: { gateway: readonly string[]; adapter: readonly string[] }
  environment: Readonly<Record<string, string>>
  /** A JVM compiles while it runs: until then its figures are not its own. */
  isJvm: boolean
}

const nestjs = {
  root: nestjsDir,
  scripts: { gateway: ['dist/gateway.js'], adapter: ['dist/adapter.js'] },
  isJvm: false,
}
const runSpring = (profile: string): string[] => [
  ...['-Xms512m', '-Xmx512m', '-XX:+UseParallelGC'],
  ...['-jar', springJar, `--spring.profiles.active=${profile}`],
]

export const nestjsPeers: readonly Peer[] = [
  { ...nestjs, name: 'nestjs', environment: { NODE_ENV: 'production', VARIANT: 'documented' } },
  { ...nestjs, name: 'nestjs-tuned', environment: { NODE_ENV: 'production', VARIANT: 'tuned' } },
]
export const springPeer: Peer = {
  name: 'spring-tuned',
  program: 'java',
  root: springDir,
  scripts: { gateway: runSpring('gateway'), adapter: runSpring('adapter') },
  environment: {},
  isJvm: true,
}

export interface PeerOptions {
  world: World
  ending: Ending
  stack: Stack
  inputs: PeerInputs
  newToken(): Promise<string>
}

/** One topic partition each, as both frameworks' pages begin; kept for a day. */
const topicShape = { partitions: 1, retentionMs: 86_400_000 }
const goodAnswersWanted = 5
/** Two JVMs that start at once on a busy machine take their time. */
const readyMaxMs = 180_000

export async function startPeer(peer: Peer, options: PeerOptions): Promise<Target> {
  const { ending, stack } = options
  const port = await findFreePort()
  const topics = { request: `peer.${peer.name}`, reply: `peer.${peer.name}.reply` }
  await createTopics(
    stack.kafkaBrokers,
    Object.values(topics).map(name => ({ name, ...topicShape })),
  )
  const records = await openRecords(stack.kafkaBrokers, { requests: [topics.request], replies: [topics.reply] })
  const redis = new Redis(stack.redisUrl)
  redis.on('error', () => {})
  ending.add(() => redis.disconnect())
  ending.add(records.close)
  const url = `http://127.0.0.1:${port}`
  let running = await startProcesses(peer, options, url, topics)
  return {
    name: peer.name,
    url,
    get pids() {
      return {
        gateway: running.gateway.pid,
        adapter: running.adapter.pid,
        broker: stack.kafka.pid,
        redis: stack.redis.pid,
      }
    },
    isJvm: peer.isJvm,
    countRecords: async () => ({
      ...(await records.count()),
      audited: Number(await redis.get(`audit:${topics.request}:${client}`)),
    }),
    stop: () => running.stop(),
    restart: async () => {
      running = await startProcesses(peer, options, url, topics)
    },
  }
}

interface Processes {
  gateway: Child
  adapter: Child
  stop(): Promise<void>
}

async function startProcesses(
  peer: Peer,
  { world, ending, stack, inputs, newToken }: PeerOptions,
  url: string,
  topics: { request: string; reply: string },
): Promise<Processes> {
  const folder = world.folder(peer.name)
  const environment = {
    PORT: new URL(url).port,
    KAFKA_BROKER: stack.kafkaBrokers[0] ?? '',
    REDIS_URL: stack.redisUrl,
    REQUEST_TOPIC: topics.request,
    REPLY_TOPIC: topics.reply,
    EXCHANGE_PATH: path,
    PEOPLE_FILE: inputs.peopleFile,
    PUBLIC_KEY_FILE: inputs.publicKeyFile,
    KEY_SET_FILE: inputs.keySetFile,
    TOKEN_ISSUER: issuer,
    TOKEN_AUDIENCE: audience,
    ...peer.environment,
  }
  const start = (part: 'gateway' | 'adapter'): Child =>
    startChild({
      name: `${peer.name} ${part}`,
      ...(peer.program === undefined ? {} : { program: peer.program }),
      script: peer.scripts[part],
      root: peer.root,
      outputFile: join(folder, `${part}-output`),
      environment,
    })
  const [gateway, adapter] = [start('gateway'), start('adapter')]
  const stop = async (): Promise<void> => {
    await Promise.all([gateway.stop(), adapter.stop()])
  }
  ending.add(stop)
  const token = await newToken()
  let good = 0
  let last: string | undefined
  const answersWell = async (): Promise<boolean> => {
    last = await askOnce(url, token)
    good = last === undefined ? good + 1 : 0
    return good >= goodAnswersWanted
  }
  const hasAnsweredWell = async (): Promise<boolean> => good >= goodAnswersWanted
  const ready = Promise.all([gateway.ready(answersWell, readyMaxMs), adapter.ready(hasAnsweredWell, readyMaxMs)])
  await ready.catch(error => {
    throw new Error(`${error.message}\nlast answer: ${last}`, { cause: error })
  })
  return { gateway, adapter, stop }
}

/** What is wrong with the answer; undefined: nothing. An open port is not enough: the adapter may not have joined its group. */
async function askOnce(url: string, token: string): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(exampleEnvelope()),
      signal: AbortSignal.timeout(6_000),
    })
    const text = await response.text()
    return response.status === 200 && text.includes('"matched":true') ? undefined : `${response.status} ${text}`
  } catch (error) {
    return String(error)
  }
}
