// The host that runs a provider's handlers, asked with records as a gateway writes them: one reply to each readable record, the
// deadline kept, a redelivered record executed once, a bounded pool, and nothing that stops the topic.
import { afterEach, expect, test } from 'vitest'
import { type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { type ExchangeId, type RequestMessage, writeRequest } from '#bus/message.ts'
import { replyTopic, requestTopic } from '#bus/topics.ts'
import { type ClientId, type ProviderId } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createLog } from '#runtime/log.ts'
import { AdapterFailure, type Handler, type Question } from '#services/adapter.ts'
import { type Host, runHost } from '#services/host.ts'
import { renderHostMetrics } from '#services/host-metrics.ts'
import { until } from '#tests/bus/until.ts'

const provider = 'population' as ProviderId
const registry = loadRegistry({ idScheme: 'simulated' })
const service = registry.find('population/identity-verification')!
const data = { personalId: '026701599619', fullName: 'Huỳnh Thị Phương Hương', dateOfBirth: '2001-11-27' }

let bus: MemoryBus
let host: Host
let logged: string[]
let replies: { partition: number; event: Record<string, unknown>; headers: Readonly<Record<string, string>> }[]

afterEach(async () => {
  await host.stop()
  await bus.close()
})

async function start(handler: Handler, { poolSize = 4, now = Date.now } = {}): Promise<void> {
  bus = new MemoryBus()
  logged = []
  replies = []
  const onRecord = ({ partition, value, headers }: IncomingRecord): void => {
    replies.push({ partition, headers, event: JSON.parse(value.toString()) })
  }
  for (const partition of [0, 5]) bus.readReplies({ topics: [replyTopic(provider)], partition, sinceMs: 0, onRecord })
  host = runHost({
    provider,
    routes: [{ service, handler }],
    bus,
    instance: 'test',
    poolSize,
    log: createLog({ level: 'debug', instance: 'test', stream: { write: line => void logged.push(line) } }),
    now,
    clock: () => performance.now(),
  })
  await host.ready
}

let asked = 0
const question = (changes: Partial<RequestMessage> = {}): RequestMessage => ({
  exchangeId: `0198c7a0-0000-7000-8000-${String(++asked).padStart(12, '0')}` as ExchangeId,
  type: service.requestType,
  source: '/gateway/test',
  acceptedMs: Date.now(),
  deadlineMs: Date.now() + 5_000,
  replyTopic: replyTopic(provider),
  replyPartition: 0,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  client: 'bank' as ClientId,
  purpose: 'customer-identification',
  subject: `v1.${asked}`,
  agreement: 'bank-identity@1',
  contractHash: service.hash,
  fields: ['matched'],
  data,
  ...changes,
})

const ask = (message: RequestMessage, record: Partial<OutgoingRecord> = {}): Promise<void> =>
  bus.publish(requestTopic(provider), { ...writeRequest(message), ...record })

const repliesTo = (count: number): Promise<void> => until(`${count} replies`, () => replies.length >= count)

test('a question gets one reply, on the partition it named, that says who answered and under which contract', async () => {
  const seen: Question[] = []
  await start((_, asking) => {
    seen.push(asking)
    return { matched: true }
  })
  const message = question({ replyPartition: 5, officer: 'v1.officer', fields: ['matched', 'attributes'] })
  await ask(message)
  await repliesTo(1)
  expect(replies).toEqual([
    {
      partition: 5,
      headers: {
        kafka_correlationId: message.exchangeId,
        traceparent: message.traceparent,
        'content-type': 'application/cloudevents+json',
      },
      event: {
        specversion: '1.0',
        id: message.exchangeId,
        source: '/adapter/population/test',
        type: 'ndx.reply.population.identity-verification.v1',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        datacontenttype: 'application/json',
        ndxcontract: service.hash,
        ndxoutcome: 'answered',
        ndxwaitedms: expect.stringMatching(/^[\d.]+$/),
        ndxhandledms: expect.stringMatching(/^[\d.]+$/),
        data: { matched: true },
      },
    },
  ])
  expect({ ...seen[0], signal: 0 }).toEqual({
    exchangeId: message.exchangeId,
    client: 'bank',
    purpose: 'customer-identification',
    officer: 'v1.officer',
    fields: new Set(['matched', 'attributes']),
    deadlineMs: message.deadlineMs,
    signal: 0,
  })
})

test.each<[string, Handler, Partial<RequestMessage>, string]>([
  ['a handler that throws', () => failWith(new TypeError('x')), {}, 'HANDLER_FAILED'],
  ['a handler that rejects', async () => failWith(new TypeError('x')), {}, 'HANDLER_FAILED'],
  ['a handler that throws no error', () => failWith('text'), {}, 'HANDLER_FAILED'],
  ['a code of the contract', () => failWith(new AdapterFailure('register-unavailable')), {}, 'register-unavailable'],
  ['a code of nobody’s', () => failWith(new AdapterFailure('other')), {}, 'HANDLER_FAILED'],
  ['a reply that breaks the contract', () => ({ matched: 'yes' }), {}, 'REPLY_INVALID'],
  ['no reply', () => undefined as never, {}, 'HANDLER_TIMEOUT'],
  ['another contract’s hash', () => ({ matched: true }), { contractHash: 'other' }, 'CONTRACT_UNKNOWN'],
  [
    'a service it has no handler for',
    () => ({ matched: true }),
    { type: 'ndx.request.population.other.v1' },
    'CONTRACT_UNKNOWN',
  ],
  ['a request that breaks the contract', () => ({ matched: true }), { data: { personalId: '1' } }, 'REQUEST_INVALID'],
])('%s is a typed failure', async (_, handler, changes, code) => {
  await start(handler)
  await ask(question(changes))
  await repliesTo(1)
  expect(replies[0]?.event).toMatchObject({ ndxoutcome: 'failed', ndxcode: code })
  expect(replies[0]?.event).not.toHaveProperty('data')
  expect(host.counts).toEqual({ answered: 0, failed: 1, expired: 0, redelivered: 0, unreadable: 0 })
})

test('a question read after its deadline is not executed', async () => {
  let calls = 0
  await start(() => {
    calls++
    return { matched: true }
  })
  await ask(question({ deadlineMs: Date.now() }))
  await ask(question({ deadlineMs: Date.now() - 86_400_000 }))
  await repliesTo(2)
  expect(replies.map(({ event }) => event['ndxoutcome'])).toEqual(['expired', 'expired'])
  expect([calls, host.counts.expired]).toEqual([0, 2])
})

test('a record delivered again is executed once and gets the same reply', async () => {
  let calls = 0
  await start(() => ({ matched: ++calls === 1 }))
  const message = question()
  await ask(message)
  await ask(message)
  await ask(question())
  await ask(message)
  await repliesTo(4)
  const toIt = replies.filter(({ event }) => event['id'] === message.exchangeId).map(({ event }) => event)
  expect(toIt).toHaveLength(3)
  expect(toIt).toEqual([toIt[0], toIt[0], toIt[0]])
  expect([calls, host.counts.redelivered]).toEqual([2, 2])
})

test.each<[string, Partial<OutgoingRecord>]>([
  ['no JSON', { value: '{' }],
  ['nothing', { value: '' }],
  ['no CloudEvent', { value: '{}' }],
  ['bytes of a number', { value: '7' }],
  ['no headers', { headers: {} }],
  [
    'another exchange in its header',
    { headers: { ...writeRequest(question()).headers, kafka_correlationId: 'other' } },
  ],
  ['a deadline that is no number', { headers: { ...writeRequest(question()).headers, 'ndx-deadline': 'soon' } }],
])('a record with %s is passed over and the topic goes on', async (_, broken) => {
  await start(() => ({ matched: true }))
  await ask(question({ subject: 'v1.same' }), broken)
  await ask(question({ subject: 'v1.same' }))
  await repliesTo(1)
  expect(host.counts).toEqual({ answered: 1, failed: 0, expired: 0, redelivered: 0, unreadable: 1 })
  expect(logged.filter(line => line.includes('"unreadable"'))).toHaveLength(1)
})

test.each([{ replyTopic: 'ndx.reply.other' }, { replyTopic: 'ndx.nowhere' }, { replyPartition: 8 }])(
  'a record that wants its reply at %o is passed over',
  async elsewhere => {
    await start(() => ({ matched: true }))
    await ask(question({ subject: 'v1.same', ...elsewhere }))
    await ask(question({ subject: 'v1.same' }))
    await repliesTo(1)
    expect([host.counts.answered, host.counts.unreadable]).toEqual([1, 1])
  },
)

test('a handler that hangs loses its slot at the deadline and is told so', async () => {
  const signals: AbortSignal[] = []
  let hang = true
  await start(
    (_, { signal }) => {
      if (!hang) return { matched: true }
      signals.push(signal)
      return new Promise(() => {})
    },
    { poolSize: 1 },
  )
  await ask(question({ deadlineMs: Date.now() + 60 }))
  await until('it hangs', () => signals.length === 1)
  hang = false
  await ask(question())
  await repliesTo(2)
  expect(replies.map(({ event }) => [event['ndxoutcome'], event['ndxcode']])).toEqual([
    ['failed', 'HANDLER_TIMEOUT'],
    ['answered', undefined],
  ])
  expect(signals[0]?.aborted).toBe(true)
})

test('a handler that fails after its deadline harms nobody', async () => {
  let fail = (): void => {}
  await start(
    () =>
      new Promise((_, reject) => {
        fail = () => reject(new Error('late'))
      }),
  )
  await ask(question({ deadlineMs: Date.now() + 30 }))
  await repliesTo(1)
  fail()
  await ask(question({ deadlineMs: Date.now() + 30 }))
  await repliesTo(2)
  expect(replies.map(({ event }) => event['ndxcode'])).toEqual(['HANDLER_TIMEOUT', 'HANDLER_TIMEOUT'])
})

test('a deadline a month away does not end the wait at once', async () => {
  let answer: (() => void) | undefined
  await start(
    () =>
      new Promise(resolve => {
        answer = () => resolve({ matched: true })
      }),
  )
  await ask(question({ deadlineMs: Date.now() + 2_592_000_000 }))
  await until('it is asked', () => answer !== undefined)
  const askedMs = performance.now()
  await until('more than a moment has passed', () => performance.now() > askedMs + 20)
  answer?.()
  await repliesTo(1)
  expect(replies[0]?.event['ndxoutcome']).toBe('answered')
})

test('no more questions are handled at once than the pool holds', async () => {
  let running = 0
  let most = 0
  const waiting: (() => void)[] = []
  await start(
    async () => {
      most = Math.max(most, ++running)
      await new Promise<void>(resolve => waiting.push(resolve))
      running--
      return { matched: true }
    },
    { poolSize: 3 },
  )
  await Promise.all(Array.from({ length: 20 }, () => ask(question())))
  await until('all are answered', () => {
    for (const go of waiting.splice(0)) go()
    return replies.length === 20
  })
  expect(most).toBe(3)
})

test('a stop waits for what is being handled, and its reply leaves', async () => {
  let answer: (() => void) | undefined
  await start(
    () =>
      new Promise(resolve => {
        answer = () => resolve({ matched: true })
      }),
  )
  await ask(question())
  await until('it is being handled', () => answer !== undefined)
  const stopped = host.stop()
  answer?.()
  await stopped
  await repliesTo(1)
  expect([replies[0]?.event['ndxoutcome'], host.isWorking]).toEqual(['answered', false])
})

test('its counts are figures for Prometheus', async () => {
  await start(() => ({ matched: true }))
  await ask(question())
  await repliesTo(1)
  const { type, body } = renderHostMetrics([host])
  expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(body.split('\n').filter(line => !line.startsWith('#'))).toEqual([
    'ndx_questions_total{provider="population",outcome="answered"} 1',
    'ndx_questions_total{provider="population",outcome="failed"} 0',
    'ndx_questions_total{provider="population",outcome="expired"} 0',
    'ndx_questions_total{provider="population",outcome="redelivered"} 0',
    'ndx_questions_total{provider="population",outcome="unreadable"} 0',
    'ndx_adapter_working{provider="population"} 1',
    '',
  ])
})

function failWith(what: unknown): never {
  throw what
}
