// The platform under fault: two gateways, two adapters of population and one of business-registration, one ledger, a broker, a
// Redis, all real processes of this machine; a proxy between the broker and one gateway and one adapter each.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { planTopics } from '#bus/topics.ts'
import { loadRegistry, type Registry } from '#contracts/registry.ts'
import { makeSecrets } from '#runtime/secrets.ts'
import { hasKafkaJars } from '#tests/stack/kafka-jars.ts'
import { startLocalKafka } from '#tests/stack/local-kafka.ts'
import { startLocalRedis } from '#tests/stack/local-redis.ts'
import { findFreePort } from '#tests/stack/ports.ts'
import { ensurePresent, java, maven, redisServer } from '#tests/stack/prerequisites.ts'
import { type KafkaServer, type RedisServer } from '#tests/stack/server.ts'
import { writeContracts } from './contracts.ts'
import { createMember, type Member, type MemberOptions } from './member.ts'
import { type RoadProxy, startProxy } from './proxy.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'

export interface Platform {
  /** Secrets, the ledger, the registers' stores, the execution ledger. */
  dataDir: string
  registry: Registry
  gateways: readonly [Member, Member]
  adapters: readonly [Member, Member, Member]
  ledger: Member
  kafka: KafkaServer
  redis: RedisServer
  /** Between the broker and gateway-1, and population-1. */
  proxies: { gateway: RoadProxy; adapter: RoadProxy }
  /** Under the ledger's store, or why there is none. */
  disk: SmallDisk | { missing: string }
  stop(): Promise<void>
}

export interface PlatformOptions {
  /** Of every service that answers at once; undefined: what the contracts say. */
  deadlineMs?: number
}

export async function startPlatform({ deadlineMs }: PlatformOptions = {}): Promise<Platform> {
  await ensurePresent([java, redisServer, ...((await hasKafkaJars()) ? [] : [maven])])
  const directory = mkdtempSync(join(tmpdir(), 'ndx-faults-'))
  const ends: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 })]
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    return await start(directory, { ...(deadlineMs === undefined ? {} : { deadlineMs }) }, ends, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(
  directory: string,
  { deadlineMs }: PlatformOptions,
  ends: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<Platform> {
  const dataDir = join(directory, 'data')
  const contractsDir = join(directory, 'contracts')
  mkdirSync(dataDir)
  writeContracts(contractsDir, deadlineMs)
  const registry = loadRegistry({ directory: contractsDir, idScheme: 'simulated' })
  makeSecrets(dataDir, registry)
  const disk = await mountSmallDisk(join(dataDir, 'ledger'))
  if ('stop' in disk) ends.push(disk.stop)
  const proxies = { gateway: await startProxy(await findFreePort()), adapter: await startProxy(await findFreePort()) }
  ends.push(proxies.gateway.stop, proxies.adapter.stop)
  const redis = await startLocalRedis(directory)
  ends.push(() => redis.stop())
  const kafka = await startLocalKafka(directory, { proxies: [proxies.gateway.address, proxies.adapter.address] })
  ends.push(() => kafka.stop())
  for (const [index, proxy] of [proxies.gateway, proxies.adapter].entries())
    proxy.target = kafka.behindProxies[index] as string
  await createTopics([...kafka.brokers], planTopics(registry.providers))

  const shared = {
    NDX_DATA_DIR: dataDir,
    NDX_CONTRACTS_DIR: contractsDir,
    NDX_SERVICES_DIR: join(import.meta.dirname, 'services'),
    NDX_KAFKA_BROKERS: kafka.brokers.join(),
    NDX_REDIS_URL: redis.url,
    NDX_INSTANCES: '2',
  }
  const create = async (
    options: Pick<MemberOptions, 'name' | 'kind' | 'script'>,
    own: Record<string, string> = {},
  ): Promise<Member> => {
    const member = await createMember({ ...options, directory, environment: { ...shared, ...own } })
    ends.push(member.stop)
    return member
  }
  const gateway = (name: string, own: Record<string, string>) =>
    create({ name, kind: 'gateway', script: ['gateway/main.ts'] }, { ...own, NDX_LEDGER_URL: ledger.url })
  const adapter = (provider: string, name: string, own: Record<string, string> = {}) =>
    create({ name, kind: 'adapter', script: ['services/main.ts', provider] }, own)
  const ledger = await create({ name: 'ledger', kind: 'ledger', script: ['ledger/main.ts'] })
  const gateways: [Member, Member] = [
    await gateway('gateway-1', { NDX_KAFKA_BROKERS: proxies.gateway.address, NDX_REPLY_PARTITION: '1' }),
    await gateway('gateway-2', { NDX_REPLY_PARTITION: '2' }),
  ]
  const adapters: [Member, Member, Member] = [
    await adapter('population', 'population-1', { NDX_KAFKA_BROKERS: proxies.adapter.address }),
    await adapter('population', 'population-2'),
    await adapter('business-registration', 'business-1'),
  ]
  await Promise.all([ledger, ...gateways, ...adapters].map(member => member.start()))
  return { dataDir, registry, gateways, adapters, ledger, kafka, redis, proxies, disk, stop }
}
