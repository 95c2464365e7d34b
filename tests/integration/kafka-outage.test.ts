// Kafka killed, and Kafka hung, under load: no process dies, no request outlives its deadline, what surely was not sent is
// refused at once, ready turns false, and service returns by itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '#tests/bus/until.ts'
import { getToken } from '#tests/client.ts'
import { copyContracts, identityOf, raiseRates } from '#tests/questions.ts'
import { type KafkaServer, startKafka } from '#tests/stack/stack.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { type Asking, startLoad, tally } from './load.ts'
import { createPlatform, type GatewayProcess, isReady, type Platform } from './processes.ts'

const deadlineMs = 2_000
/** What a busy machine may add to a deadline. */
const slackMs = 1_500
const backWithinMs = 15_000
let kafka: KafkaServer
let platform: Platform
let gateway: GatewayProcess
let adapter: GatewayProcess
let token: string

beforeAll(async () => {
  const { kind, redisUrl } = await stackOfWorker()
  kafka = await startKafka({ kind })
  const contractsDir = copyContracts({
    contract: contract => Object.assign(contract, { deadlineMs, maxWaitMs: deadlineMs }),
    agreement: raiseRates,
  })
  platform = await createPlatform({ kafkaBrokers: kafka.brokers, redisUrl, redisDatabase: 3, contractsDir })
  ;[adapter, gateway] = await Promise.all([
    platform.startAdapter('population', 'population-1'),
    platform.startGateway('gateway-1'),
  ])
  token = await getToken({ url: gateway.url, dataDir: platform.dataDir, client: 'social-insurance' })
}, 180_000)

afterAll(async () => {
  await platform?.stop()
  await kafka?.stop()
})

const outages = [
  { name: 'killed', begin: () => kafka.kill(), end: () => kafka.start() },
  { name: 'hung', begin: () => kafka.pause(), end: () => kafka.resume() },
]

describe.each(outages)('Kafka $name under load', ({ begin, end }) => {
  test('is answered, refused at once, and back by itself', async () => {
    const load = startLoad({
      perSecond: 50,
      patienceMs: deadlineMs + 2 * slackMs,
      urls: [gateway.url],
      token,
      service: 'population/identity-verification',
      question: n => identityOf(2_000_000 + n),
    })
    await until('it is answered', () => answered(load.asked) >= 20, 30_000)
    await begin()
    await until('ready turns false', async () => (await statusOf(gateway, '/health/ready')) === 503, 10_000)
    const knownMs = performance.now()
    const before = load.asked.length
    await until('it goes on being asked', () => load.asked.length >= before + 25)
    await end()
    const endMs = performance.now()
    await until('ready again', () => isReady(gateway), backWithinMs)
    const backAt = load.asked.length
    await until(
      'answered again',
      () => answered(load.asked.slice(backAt)) >= 10,
      Math.max(1, backWithinMs - (performance.now() - endMs)),
    )
    const asked = await load.stop()

    const refused = asked.filter(
      ({ askedMs, answer }) => askedMs > knownMs && answer?.body['code'] === 'NDX_BUS_UNAVAILABLE',
    )
    expect(refused.length).toBeGreaterThanOrEqual(20)
    expect(median(refused.map(tookMs))).toBeLessThan(50)
    expect(
      Object.keys(tally(asked))
        .sort()
        .filter(
          ending =>
            ![
              '200',
              '503 NDX_BUS_UNAVAILABLE',
              '504 NDX_REPLY_TIMEOUT',
              '504 NDX_REQUEST_EXPIRED',
              '503 NDX_COUNTERS_UNAVAILABLE',
            ].includes(ending),
        ),
    ).toEqual([])
    expect(Math.max(...asked.map(tookMs))).toBeLessThan(deadlineMs + slackMs)
    const unknown = asked.find(({ answer }) => answer?.body['code'] === 'NDX_REPLY_TIMEOUT')
    if (unknown !== undefined)
      expect(unknown.answer?.body).toMatchObject({ status: 504, outcome: 'unknown', retryable: true })
    expect([gateway.exitCode, adapter.exitCode]).toEqual([undefined, undefined])
  }, 120_000)
})

const answered = (asked: readonly Asking[]): number => asked.filter(({ answer }) => answer?.status === 200).length

const tookMs = ({ askedMs, endedMs }: Asking): number => endedMs - askedMs

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const statusOf = async ({ url }: GatewayProcess, path: string): Promise<number> => (await fetch(`${url}${path}`)).status
