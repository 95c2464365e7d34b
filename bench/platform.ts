// NDX as deployed, with everything on: a Kafka and a Redis of its own, topics, one gateway process and one population adapter
// process of a tree, or as many of each and of as many providers as a study asks for, the exchange's log line to a file. Another
// copy of the tree can be run beside this one.
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { planTopics, replyPartitions, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { type Reconciliation } from '#ledger/reconciliation.ts'
import { findFreePort } from '#tests/stack/ports.ts'
import { type Stack, startStack } from '#tests/stack/stack.ts'
import { type Child, startChild } from './child.ts'
import { type Ending } from './ending.ts'
import { openRecords } from './records.ts'
import { type Part as PartName, type Target } from './target.ts'
import { audience, issuer, type World } from './world.ts'

export const ownRoot = join(import.meta.dirname, '..')
/** The ledger may be so far behind after a measurement; then the row is void. */
const ledgerPatienceMs = 20_000
export const logFileName = 'exchanges.log'

const provider = 'population' as ProviderId

export interface PlatformOptions {
  name: string
  world: World
  ending: Ending
  /** The tree whose gateway and adapter run; default this one. */
  root?: string
  /** Default: it has one, if the tree knows ledgers. */
  hasLedger?: boolean
  /** Whose adapters run; default the population register's alone. */
  providers?: readonly ProviderId[]
  /** Gateway processes, and adapter processes of each provider; default 1. */
  gateways?: number
  adapters?: number
  /** Where gateway and adapter write a CPU profile when they end. */
  profileDir?: string
}

export interface Platform extends Target {
  stack: Stack
  /** Of each gateway; `url` is the first. */
  urls: readonly string[]
  ledgerUrl: string | undefined
  /** Every process whose CPU and memory are the platform's. */
  processes: readonly PlatformProcess[]
  /** Where local servers keep their data, and where the parts write their logs. */
  folders: { stack: string; ledger: string; logs: readonly string[] }
  /** Starts the adapter of another provider; resolves when it works. */
  startAdapter(provider: string): Promise<Child>
}

export interface PlatformProcess {
  part: PartName
  name: string
  pid: number | undefined
}

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { name, world, ending, providers = [provider], gateways = 1, adapters = 1 } = options
  const stackDir = world.folder(`${name}-stack`)
  const stack = await startStack({ dir: stackDir })
  ending.add(() => stack.stop())
  await createTopics(stack.kafkaBrokers, planTopics(world.providers))
  const hasLedger = options.hasLedger !== false && existsSync(join(options.root ?? ownRoot, 'ledger/main.ts'))
  const ledger = hasLedger ? await startLedger(options, stack) : undefined
  const gatewayParts = await startGateways(options, stack, gateways, ledger?.ledgerUrl)
  const adapterParts = await startAdapters(options, stack, providers, adapters)
  const [gateway, adapter] = [gatewayParts[0] as Part, adapterParts[0] as Part]
  const parts = [...gatewayParts, ...adapterParts, ...(ledger === undefined ? [] : [ledger])]
  await Promise.all(parts.map(part => part.isReady))
  const records = await openRecords(stack.kafkaBrokers, {
    requests: providers.map(requestTopic),
    replies: providers.map(replyTopic),
  })
  ending.add(records.close)
  const stop = async (): Promise<void> => {
    await Promise.all(parts.map(part => part.stop()))
  }
  const pids = {
    gateway: gateway.pid,
    adapter: adapter.pid,
    broker: stack.kafka.pid,
    redis: stack.redis.pid,
    ledger: ledger?.pid,
  }
  return {
    name,
    url: gateway.url,
    urls: gatewayParts.map(part => part.url),
    ledgerUrl: ledger?.ledgerUrl,
    pids,
    processes: [
      ...gatewayParts.map(part => ({ part: 'gateway' as const, ...part })),
      ...adapterParts.map(part => ({ part: 'adapter' as const, ...part })),
      ...(['broker', 'redis', 'ledger'] as const).map(part => ({ part, name: part, pid: pids[part] })),
    ].map(({ part, name: processName, pid }) => ({ part, name: processName, pid })),
    folders: {
      stack: stackDir,
      ledger: join(world.folder(`${name}-ledger-data`), 'ledger'),
      logs: parts.map(part => part.logFile),
    },
    countRecords: async () => ({
      ...(await records.count()),
      ...(ledger === undefined ? {} : { settled: await countSettled(ledger.ledgerUrl) }),
    }),
    stop,
    stack,
    startAdapter: async other => {
      const part = await startPart(options, stack, `adapter-${other}`, ['services/main.ts', other])
      await part.isReady
      return part
    },
  }
}

async function startGateways(
  options: PlatformOptions,
  stack: Stack,
  count: number,
  ledgerUrl: string | undefined,
): Promise<Part[]> {
  const start = (i: number): Promise<Part> =>
    startPart(options, stack, numbered('gateway', i), ['gateway/main.ts'], {
      ...(ledgerUrl === undefined ? {} : { NDX_LEDGER_URL: ledgerUrl }),
      ...(count === 1 ? {} : { NDX_REPLY_PARTITION: String(i % replyPartitions), NDX_INSTANCES: String(count) }),
    })
  return Promise.all(Array.from({ length: count }, (_, i) => start(i)))
}

/** The first provider's first one is `adapter`, as a profile of it is named. */
async function startAdapters(
  options: PlatformOptions,
  stack: Stack,
  providers: readonly ProviderId[],
  count: number,
): Promise<Part[]> {
  const names = providers.flatMap((id, p) =>
    Array.from({ length: count }, (_, i) => [id, numbered(p === 0 ? 'adapter' : `adapter-${id}`, i)] as const),
  )
  return Promise.all(names.map(([id, name]) => startPart(options, stack, name, ['services/main.ts', id])))
}

const numbered = (name: string, i: number): string => (i === 0 ? name : `${name}-${i + 1}`)

/** It keeps its store beside copies of the secrets, so that two platforms of one run do not share a log. */
async function startLedger(options: PlatformOptions, stack: Stack): Promise<Part & { ledgerUrl: string }> {
  const { name, world } = options
  const ledgerPort = await findFreePort()
  const dataDir = world.folder(`${name}-ledger-data`)
  for (const folder of ['secrets', 'clients'])
    cpSync(join(world.dataDir, folder), join(dataDir, folder), { recursive: true })
  const ledgerUrl = `http://127.0.0.1:${ledgerPort}`
  const part = await startPart(options, stack, 'ledger', ['ledger/main.ts'], {
    NDX_LEDGER_PORT: String(ledgerPort),
    NDX_DATA_DIR: dataDir,
  })
  return { ...part, ledgerUrl }
}

/** What the ledger has settled of the provider's exchanges that were accepted until now. */
async function countSettled(ledgerUrl: string): Promise<number> {
  const askedMs = Date.now()
  for (;;) {
    const response = await fetch(`${ledgerUrl}/v1/audit/reconciliation`)
    const { caughtUpMs, providers } = (await response.json()) as Reconciliation
    if (caughtUpMs >= askedMs || Date.now() - askedMs > ledgerPatienceMs)
      return providers
        .filter(balance => balance.provider === provider)
        .reduce((sum, { answered, failed, expired }) => sum + answered + failed + expired, 0)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function startPart(
  options: PlatformOptions,
  stack: Stack,
  part: string,
  script: string[],
  more: Record<string, string> = {},
): Promise<Part> {
  const { name, world, ending, root = ownRoot, profileDir } = options
  const [port, operationsPort] = [await findFreePort(), await findFreePort()]
  const folder = world.folder(`${name}-${part}`)
  const child = startChild({
    name: `${name} ${part}`,
    script,
    root,
    outputFile: join(folder, 'output'),
    ...(profileDir === undefined
      ? {}
      : {
          nodeFlags: [
            '--cpu-prof',
            '--cpu-prof-interval=250',
            `--cpu-prof-dir=${profileDir}`,
            `--cpu-prof-name=${name}-${part}.cpuprofile`,
          ],
        }),
    environment: {
      ...imageEnvironment(root),
      NDX_INSTANCE: `bench-${part}`,
      NDX_PORT: String(port),
      NDX_OPERATIONS_PORT: String(operationsPort),
      NDX_KAFKA_BROKERS: stack.kafkaBrokers.join(),
      NDX_REDIS_URL: stack.redisUrl,
      NDX_DATA_DIR: world.dataDir,
      NDX_CONTRACTS_DIR: world.contractsDir,
      NDX_LOG_FILE: join(folder, logFileName),
      NDX_ISSUER: issuer,
      NDX_AUDIENCE: audience,
      ...more,
    },
  })
  ending.add(child.stop)
  const readyPort = more['NDX_LEDGER_PORT'] ?? operationsPort
  const isReady = child.ready(`http://127.0.0.1:${readyPort}/health/ready`)
  isReady.catch(() => {})
  return { ...child, name: part, url: `http://127.0.0.1:${port}`, logFile: join(folder, logFileName), isReady }
}

interface Part extends Child {
  name: string
  logFile: string
  url: string
  isReady: Promise<void>
}

/** What the Dockerfile sets for every process, so that the figures are those of the image. */
function imageEnvironment(root: string): Record<string, string> {
  const pairs = readFileSync(join(root, 'Dockerfile'), 'utf8').matchAll(/(?<=^ENV .*)\b([A-Z_]+)=(?:"([^"]*)"|(\S+))/gm)
  return Object.fromEntries([...pairs].map(([, name = '', quoted, plain = '']) => [name, quoted ?? plain]))
}
