// Redis killed, and Redis hung: limits by rate go on within this gateway and say so; quotas, guesses and one-time values fail
// closed, fast; service returns by itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '#tests/bus/until.ts'
import { ask, getToken, requestToken } from '#tests/client.ts'
import { enterpriseOf, identityOf } from '#tests/questions.ts'
import { type RedisServer, startRedis } from '#tests/stack/stack.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { createPlatform, type GatewayProcess, isReady, type Platform } from './processes.ts'

const identity = 'population/identity-verification'
const enterprise = 'business-registration/enterprise-record'
const refusedWithinMs = 300
/** HTTP and a busy machine, on top. */
const slackMs = 300
let redis: RedisServer
let platform: Platform
let gateway: GatewayProcess
const tokens: Record<string, string> = {}

beforeAll(async () => {
  const { kind, kafkaBrokers } = await stackOfWorker()
  redis = await startRedis({ kind })
  platform = await createPlatform({ kafkaBrokers, redisUrl: redis.url })
  ;[gateway] = await Promise.all([
    platform.startGateway('gateway-1', { NDX_INSTANCES: '4' }),
    platform.startAdapter('population', 'population-1'),
    platform.startAdapter('business-registration', 'business-1'),
  ])
  for (const client of ['social-insurance', 'public-service-portal'])
    tokens[client] = await getToken({ url: gateway.url, dataDir: platform.dataDir, client })
}, 120_000)

afterAll(async () => {
  await platform?.stop()
  await redis?.stop()
})

const outages = [
  { name: 'killed', begin: () => redis.kill(), end: () => redis.start() },
  { name: 'hung', begin: () => redis.pause(), end: () => redis.resume() },
]

describe.each(outages)('while Redis is $name', ({ begin, end }) => {
  test('rates are kept here, quotas and one-time values fail closed, and all returns by itself', async () => {
    const askEnterprise = (n: number) =>
      ask(gateway.url, tokens['public-service-portal'] as string, enterprise, enterpriseOf(n))
    const askIdentity = (n: number) =>
      ask(gateway.url, tokens['social-insurance'] as string, identity, identityOf(3_000_000 + n))
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
    expect(quota.tookMs).toBeLessThan(refusedWithinMs + slackMs)

    const rate = await askEnterprise(2)
    expect(rate.status).toBe(200)
    expect(rate.headers.get('ndx-limits')).toBe('local')
    const burst = await Promise.all(Array.from({ length: 80 }, (_, n) => askEnterprise(10 + n)))
    expect(burst.filter(({ status }) => status === 200).length).toBeLessThan(80) // 200 ÷ 4 gateways
    expect(burst.some(({ status }) => status === 429)).toBe(true)

    expect(await requestToken({ url: gateway.url, dataDir: platform.dataDir, client: 'bank' })).toMatchObject({
      status: 503,
      body: { error: 'temporarily_unavailable', code: 'NDX_COUNTERS_UNAVAILABLE' },
    })
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(503)
    expect(await (await fetch(`${gateway.operationsUrl}/metrics`)).text()).toContain('ndx_counters_shared 0')
    expect((await fetch(`${gateway.operationsUrl}/counters`)).status).toBe(503)

    await end()
    await until('ready again', () => isReady(gateway), 10_000)
    await until('the quota is counted again', async () => (await askIdentity(3)).status === 200, 10_000)
    await until(
      'the rate is shared again',
      async () => (await askEnterprise(3)).headers.get('ndx-limits') === null,
      10_000,
    )
  }, 60_000)
})
