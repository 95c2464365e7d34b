// Kafka killed, and Kafka hung, under load: no process dies, no request is left without an answer, what surely was not sent is
// refused, ready turns false, and service returns by itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '#tests/bus/until.ts'
import { getToken } from '#tests/client.ts'
import { copyContracts, identityOf, raiseRates } from '#tests/questions.ts'
import { type KafkaServer, startKafka } from '#tests/stack/stack.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { type Asking, startLoad, tally } from './load.ts'
import { createPlatform, type GatewayProcess, isReady, type Platform } from './processes.ts'

const deadlineMs = 2_000
/** Longer than any deadline on a busy machine: who waits so long was forgotten. */
const patienceMs = 60_000
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
  test('is answered, refused, and back by itself', async () => {
    const load = startLoad({
      perSecond: 50,
      patienceMs,
      urls: [gateway.url],
      token,
      service: 'population/identity-verification',
      question: n => identityOf(2_000_000 + n),
    })
    await until('it is answered', () => answered(load.asked) >= 20)
    await begin()
    await until('ready turns false', async () => (await statusOf(gateway, '/health/ready')) === 503)
    const knownAt = load.asked.length
    await until('20 are refused', () => refused(load.asked.slice(knownAt)) >= 20)
    await end()
    await until('ready again', () => isReady(gateway))
    const backAt = load.asked.length
    await until('answered again', () => answered(load.asked.slice(backAt)) >= 10)
    const asked = await load.stop()

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
    const unknown = asked.find(({ answer }) => answer?.body['code'] === 'NDX_REPLY_TIMEOUT')
    if (unknown !== undefined)
      expect(unknown.answer?.body).toMatchObject({ status: 504, outcome: 'unknown', retryable: true })
    expect([gateway.exitCode, adapter.exitCode]).toEqual([undefined, undefined])
  }, 240_000)
})

const answered = (asked: readonly Asking[]): number => asked.filter(({ answer }) => answer?.status === 200).length

const refused = (asked: readonly Asking[]): number =>
  asked.filter(({ answer }) => answer?.body['code'] === 'NDX_BUS_UNAVAILABLE').length

const statusOf = async ({ url }: GatewayProcess, path: string): Promise<number> => (await fetch(`${url}${path}`)).status
