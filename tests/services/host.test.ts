// The host that runs a provider's handlers, asked with records as a gateway writes them: one reply to each readable record, the
// deadline kept, a redelivered record executed once, a bounded pool, and nothing that stops the topic. Faults, dead letters and
// deferral have tests of their own beside this one; host-harness.ts starts the host for all.
import { afterEach, expect, test } from 'vitest'
import { type OutgoingRecord } from '#bus/bus.ts'
import { type RequestMessage } from '#bus/message.ts'
import { AdapterFailure, type Handler, type Question } from '#services/adapter.ts'
import { renderHostMetrics } from '#services/host-metrics.ts'
import { until } from '#tests/bus/until.ts'
import { pseudonymOf } from '#tests/pseudonym.ts'
import { counted, type HarnessOptions, HostHarness, question, service, standingAt } from './host-harness.ts'

let harness: HostHarness

afterEach(() => harness.stop())

async function start(handler: Handler, options: HarnessOptions = {}): Promise<void> {
  harness = await HostHarness.start(handler, options)
}

const ask = (message: RequestMessage, record: Partial<OutgoingRecord> = {}): Promise<void> =>
  harness.ask(message, record)
const repliesTo = (count: number): Promise<void> => harness.repliesTo(count)

test('a question gets one reply, on the partition it named, that says who answered and under which contract', async () => {
  const seen: Question[] = []
  await start((_, asking) => {
    seen.push(asking)
    return { matched: true }
  })
  const message = question({ replyPartition: 5, officer: pseudonymOf('officer'), fields: ['matched', 'attributes'] })
  await ask(message)
  await repliesTo(1)
  expect(harness.replies).toEqual([
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
  expect({ ...seen[0], signal: 0, ticket: 0 }).toEqual({
    exchangeId: message.exchangeId,
    client: 'bank',
    purpose: 'customer-identification',
    officer: pseudonymOf('officer'),
    fields: new Set(['matched', 'attributes']),
    deadlineMs: message.deadlineMs,
    signal: 0,
    ticket: 0,
  })
})

test.each<[string, Handler, Partial<RequestMessage>, string]>([
  ['a code of the contract', () => failWith(new AdapterFailure('register-unavailable')), {}, 'register-unavailable'],
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
  expect(harness.replies[0]?.event).toMatchObject({ ndxoutcome: 'failed', ndxcode: code })
  expect(harness.replies[0]?.event).not.toHaveProperty('data')
  expect(harness.host.counts).toEqual(counted({ failed: 1 }))
  expect(harness.letters).toEqual([])
})

test('a question read after its deadline is not executed, by the road’s clock whatever the own one says', async () => {
  let calls = 0
  const roadMs = Date.now() + 3_600_000
  await start(
    () => {
      calls++
      return { matched: true }
    },
    { now: () => roadMs },
  )
  await ask(question({ deadlineMs: roadMs }))
  await ask(question({ deadlineMs: roadMs - 86_400_000 }))
  await ask(question({ deadlineMs: roadMs + 60_000 }))
  await repliesTo(3)
  expect(harness.replies.map(({ event }) => event['ndxoutcome']).sort()).toEqual(['answered', 'expired', 'expired'])
  expect([calls, harness.host.counts.expired]).toEqual([1, 2])
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
  const toIt = harness.replies.filter(({ event }) => event['id'] === message.exchangeId).map(({ event }) => event)
  expect(toIt).toHaveLength(3)
  expect(toIt).toEqual([toIt[0], toIt[0], toIt[0]])
  expect([calls, harness.host.counts.redelivered]).toEqual([2, 2])
})

test('a record delivered again gets its reply where that record wants it, though the first named another place', async () => {
  await start(() => ({ matched: true }))
  const message = question()
  await ask(message)
  await repliesTo(1)
  await ask({ ...message, replyPartition: 5 })
  await repliesTo(2)
  expect(harness.replies.map(({ partition }) => partition)).toEqual([0, 5])
  expect(harness.replies[1]?.event).toEqual(harness.replies[0]?.event)
})

test('an answer holds for a record with another deadline, a failure is tried anew', async () => {
  let calls = 0
  await start(() => (++calls === 1 ? failWith(new AdapterFailure('register-unavailable')) : { matched: true }))
  const message = question()
  await ask(message)
  await ask(message)
  await repliesTo(2)
  await ask({ ...message, deadlineMs: message.deadlineMs + 1 })
  await ask({ ...message, deadlineMs: message.deadlineMs + 2 })
  await repliesTo(4)
  expect(harness.replies.map(({ event }) => event['ndxoutcome'])).toEqual(['failed', 'failed', 'answered', 'answered'])
  expect(calls).toBe(2)
})

test('a handler that hangs loses its slot at the deadline and is told so', async () => {
  const nowMs = Date.now()
  const signals: AbortSignal[] = []
  let hang = true
  await start(
    (_, { signal }) => {
      if (!hang) return { matched: true }
      signals.push(signal)
      return new Promise(() => {})
    },
    { poolSize: 1, ...standingAt(nowMs) },
  )
  await ask(question({ deadlineMs: nowMs + 60 }))
  await until('it hangs', () => signals.length === 1)
  hang = false
  await ask(question())
  await repliesTo(2)
  expect(harness.replies.map(({ event }) => [event['ndxoutcome'], event['ndxcode']])).toEqual([
    ['failed', 'HANDLER_TIMEOUT'],
    ['answered', undefined],
  ])
  expect(signals[0]?.aborted).toBe(true)
})

test('a handler that looks at its signal only after its deadline sees that it is over', async () => {
  const nowMs = Date.now()
  const questions: Question[] = []
  await start((_, question) => {
    questions.push(question)
    return new Promise(() => {})
  }, standingAt(nowMs))
  await ask(question({ deadlineMs: nowMs + 60 }))
  await repliesTo(1)
  expect(questions[0]?.signal.aborted).toBe(true)
})

test('a handler that fails after its deadline harms nobody', async () => {
  const nowMs = Date.now()
  let fail = (): void => {}
  await start(
    () =>
      new Promise((_, reject) => {
        fail = () => reject(new Error('late'))
      }),
    standingAt(nowMs),
  )
  await ask(question({ deadlineMs: nowMs + 30 }))
  await repliesTo(1)
  fail()
  await ask(question({ deadlineMs: nowMs + 30 }))
  await repliesTo(2)
  expect(harness.replies.map(({ event }) => event['ndxcode'])).toEqual(['HANDLER_TIMEOUT', 'HANDLER_TIMEOUT'])
})

test('a deadline a month away does not end the wait at once', async () => {
  const nowMs = Date.now()
  const answers: (() => void)[] = []
  await start(() => new Promise(resolve => answers.push(() => resolve({ matched: true }))), standingAt(nowMs))
  await ask(question({ deadlineMs: nowMs + 2_592_000_000 }))
  await until('it is asked', () => answers.length === 1)
  // A timer for more days than fit runs out at once: long before this one.
  await ask(question({ deadlineMs: nowMs + 20 }))
  await repliesTo(1)
  answers[0]?.()
  await repliesTo(2)
  expect(harness.replies.map(({ event }) => event['ndxcode'] ?? event['ndxoutcome'])).toEqual([
    'HANDLER_TIMEOUT',
    'answered',
  ])
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
    return harness.replies.length === 20
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
  const stopped = harness.host.stop()
  answer?.()
  await stopped
  await repliesTo(1)
  expect([harness.replies[0]?.event['ndxoutcome'], harness.host.isWorking]).toEqual(['answered', false])
})

test('its counts are figures for Prometheus', async () => {
  await start(() => ({ matched: true }))
  await ask(question())
  await repliesTo(1)
  await until('nothing in hand', () => harness.host.held === 0)
  const { type, body } = renderHostMetrics([harness.host])
  expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(body.split('\n').filter(line => !line.startsWith('#'))).toEqual([
    'ndx_questions_total{provider="population",outcome="answered"} 1',
    'ndx_questions_total{provider="population",outcome="failed"} 0',
    'ndx_questions_total{provider="population",outcome="expired"} 0',
    'ndx_questions_total{provider="population",outcome="deferred"} 0',
    'ndx_questions_total{provider="population",outcome="redelivered"} 0',
    'ndx_questions_total{provider="population",outcome="retried"} 0',
    'ndx_questions_total{provider="population",outcome="unreadable"} 0',
    'ndx_questions_total{provider="population",outcome="dead-lettered"} 0',
    'ndx_adapter_working{provider="population"} 1',
    'ndx_adapter_held{provider="population"} 0',
    'ndx_adapter_still_seconds{provider="population"} 0.000',
    '',
  ])
})

function failWith(what: unknown): never {
  throw what
}
