// Redis killed, and Redis hung: limits by rate go on within this gateway and say so; quotas, guesses and one-time values fail
// closed; service returns by itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '#tests/bus/until.ts'
import { ask, getToken, requestToken } from '#tests/client.ts'
import { copyContracts, enterpriseOf, identityOf } from '#tests/questions.ts'
import { type RedisServer, startRedis } from '#tests/stack/stack.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { createPlatform, isReady, type Platform } from './processes.ts'

const identity = 'population/identity-verification'
const enterprise = 'business-registration/enterprise-record'
let redis: RedisServer
let platform: Platform

beforeAll(async () => {
  const { kind, kafkaBrokers } = await stackOfWorker()
  redis = await startRedis({ kind })
  const contractsDir = copyContracts({
    agreement: ({ client, grants }) => {
      // No token comes back while the test asks, however long that takes.
      if (client === 'public-service-portal')
        for (const grant of grants) Object.assign(grant, { ratePerSecond: 0.01, burst: 200 })
    },
  })
  platform = await createPlatform({ kafkaBrokers, redisUrl: redis.url, contractsDir })
  await Promise.all([
    platform.startAdapter('population', 'population-1'),
    platform.startAdapter('business-registration', 'business-1'),
  ])
}, 120_000)

afterAll(async () => {
  await platform?.stop()
  await redis?.stop()
})

const outages = [
  { name: 'killed', begin: () => redis.kill(), end: () => redis.start() },
  { name: 'hung', begin: () => redis.pause(), end: () => redis.resume() },
]

describe.each(outages)('while Redis is $name', ({ name, begin, end }) => {
  test('rates are kept here, quotas and one-time values fail closed, and all returns by itself', async () => {
    const gateway = await platform.startGateway(`gateway-${name}`, { NDX_INSTANCES: '4' })
    const [portal, insurance] = await Promise.all(
      ['public-service-portal', 'social-insurance'].map(client =>
        getToken({ url: gateway.url, dataDir: platform.dataDir, client }),
      ),
    )
    const askEnterprise = (n: number) => ask(gateway.url, String(portal), enterprise, enterpriseOf(n))
    const askIdentity = (n: number) => ask(gateway.url, String(insurance), identity, identityOf(3_000_000 + n))
    await until(
      'both are answered',
      async () => (await askEnterprise(1)).status === 200 && (await askIdentity(1)).status === 200,
    )
    await begin()

    const quota = await askIdentity(2)
    expect(quota.body).toMatchObject({
      status: 503,
      code: 'NDX_COUNTERS_UNAVAILABLE',
      fault: 'gateway',
      retryable: true,
    })
    expect(Number(quota.headers.get('retry-after'))).toBeGreaterThan(0)

    const rate = await askEnterprise(2)
    expect(rate.status).toBe(200)
    expect(rate.headers.get('ndx-limits')).toBe('local')
    const burst = await Promise.all(Array.from({ length: 80 }, (_, n) => askEnterprise(10 + n)))
    // 200 ÷ 4 gateways, less the one before.
    const admitted = burst.filter(({ status }) => status === 200).length
    expect([admitted, burst.filter(({ status }) => status === 429).length]).toEqual([49, 31])

    expect(await requestToken({ url: gateway.url, dataDir: platform.dataDir, client: 'bank' })).toMatchObject({
      status: 503,
      body: { error: 'temporarily_unavailable', code: 'NDX_COUNTERS_UNAVAILABLE' },
    })
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(503)
    expect(await (await fetch(`${gateway.operationsUrl}/metrics`)).text()).toContain('ndx_counters_shared 0')
    expect((await fetch(`${gateway.operationsUrl}/counters`)).status).toBe(503)

    await end()
    await until('ready again', () => isReady(gateway))
    await until('the quota is counted again', async () => (await askIdentity(3)).status === 200)
    await until('the rate is shared again', async () => (await askEnterprise(3)).headers.get('ndx-limits') === null)
  }, 240_000)
})
