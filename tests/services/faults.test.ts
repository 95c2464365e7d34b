// What the host does with faults: a handler that throws is called again while there is time, then given up on; a record that
// cannot be read is given up on at once. Both leave a dead letter and a failed reply, and hold nobody else up.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Bus, type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { writeRequest } from '#bus/message.ts'
import { deadLetterTopic, replyTopic } from '#bus/topics.ts'
import { AdapterFailure, type Handler } from '#services/adapter.ts'
import { until } from '#tests/bus/until.ts'
import { pseudonymOf } from '#tests/pseudonym.ts'
import { counted, HostHarness, question, service, standingAt } from './host-harness.ts'

let harness: HostHarness

afterEach(() => {
  vi.restoreAllMocks()
  return harness.stop()
})

describe('a handler that throws', () => {
  test.each<[string, Handler]>([
    ['an error', () => failWith(new TypeError('x'))],
    ['later', async () => failWith(new TypeError('x'))],
    ['no error', () => failWith('text')],
  ])('%s is called three times, then given up on', async (_, handler) => {
    let calls = 0
    harness = await HostHarness.start((...given) => {
      calls++
      return handler(...given)
    })
    const message = question()
    const askedMs = Date.now()
    await harness.ask(message)
    await harness.repliesTo(1)
    expect(harness.replies[0]?.event).toMatchObject({ ndxoutcome: 'failed', ndxcode: 'HANDLER_FAILED' })
    expect([calls, harness.host.counts]).toEqual([3, counted({ failed: 1, retried: 2, 'dead-lettered': 1 })])
    expect(harness.letters).toEqual([
      {
        id: expect.stringMatching(/^population-\d-0$/),
        exchangeId: message.exchangeId,
        provider: 'population',
        topic: 'ndx.request.population',
        partition: expect.any(Number),
        offset: '0',
        attempts: 3,
        code: 'HANDLER_FAILED',
        firstMs: expect.any(Number),
        lastMs: expect.any(Number),
      },
    ])
    const [{ firstMs, lastMs } = { firstMs: 0, lastMs: 0 }] = harness.letters
    expect(firstMs).toBeGreaterThanOrEqual(askedMs)
    expect(lastMs - firstMs).toBeGreaterThanOrEqual(99)
  })

  test('once is called again and its answer is the reply', async () => {
    let calls = 0
    harness = await HostHarness.start(() => (++calls === 1 ? failWith(new Error('x')) : { matched: true }))
    await harness.ask(question())
    await harness.repliesTo(1)
    expect(harness.replies[0]?.event).toMatchObject({ ndxoutcome: 'answered', data: { matched: true } })
    expect(harness.host.counts).toEqual(counted({ answered: 1, retried: 1 }))
    expect(harness.letters).toEqual([])
  })

  test('is not called again when the deadline comes before the pause ends', async () => {
    let calls = 0
    const handler: Handler = () => {
      calls++
      return failWith(new Error('x'))
    }
    harness = await HostHarness.start(handler, { random: () => 1, now: () => 1_000_000, busNow: () => 1_000_000 })
    await harness.ask(question({ deadlineMs: 1_000_250 }))
    await harness.repliesTo(1)
    expect([calls, harness.letters[0]?.attempts]).toEqual([1, 1])
  })

  test('keeps nobody waiting whose key is another’s, and its own key until it is given up on', async () => {
    harness = await HostHarness.start((_, { client }) =>
      client === 'bank' ? failWith(new Error('x')) : { matched: true },
    )
    const other = { client: 'other' as never }
    await harness.ask(question({ subject: pseudonymOf('same') }))
    await harness.ask(question({ subject: pseudonymOf('same'), ...other }))
    await harness.ask(question({ subject: pseudonymOf('other'), ...other }))
    await harness.repliesTo(3)
    expect(harness.replies.map(({ event }) => event['ndxoutcome'])).toEqual(['answered', 'failed', 'answered'])
  })

  test('is called again after 250 ms at most, so that its key waits less than a second', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    harness = await HostHarness.start(() => failWith(new Error('x')), { random: () => 1 })
    await harness.ask(question())
    await harness.repliesTo(1)
    // Shorter ones are the test's own.
    expect(timers.mock.calls.flatMap(([, ms = 0]) => (ms < 50 ? [] : ms))).toEqual([250, 250])
  })

  test('says nothing of the data in its letter or in the log', async () => {
    harness = await HostHarness.start(({ personalId }) => failWith(new Error(`no ${String(personalId)}`)))
    await harness.ask(question())
    await harness.repliesTo(1)
    expect(JSON.stringify([harness.letters, harness.logged])).not.toMatch(/026701599619|Huỳnh/)
  })
})

test.each<[string, Handler, string, number]>([
  ['a code of the contract', () => failWith(new AdapterFailure('register-unavailable')), 'register-unavailable', 0],
  ['a code of nobody’s', () => failWith(new AdapterFailure('other')), 'HANDLER_FAILED', 1],
])('%s is told at once: it was no fault that passes', async (_, handler, code, letters) => {
  let calls = 0
  harness = await HostHarness.start((...given) => {
    calls++
    return handler(...given)
  })
  await harness.ask(question())
  await harness.repliesTo(1)
  expect(harness.replies[0]?.event).toMatchObject({ ndxoutcome: 'failed', ndxcode: code })
  expect([calls, harness.letters.length]).toEqual([1, letters])
})

test('a handler that hangs is not called again', async () => {
  let calls = 0
  const nowMs = Date.now()
  harness = await HostHarness.start(() => {
    calls++
    return new Promise(() => {})
  }, standingAt(nowMs))
  await harness.ask(question({ deadlineMs: nowMs + 60 }))
  await harness.repliesTo(1)
  expect([calls, harness.replies[0]?.event['ndxcode'], harness.letters]).toEqual([1, 'HANDLER_TIMEOUT', []])
})

describe('a record that cannot be read', () => {
  const headers = writeRequest(question()).headers

  test.each<[string, Partial<OutgoingRecord>]>([
    ['no JSON', { value: '{' }],
    ['nothing', { value: '' }],
    ['no CloudEvent', { value: '{}' }],
    ['bytes of a number', { value: '7' }],
    ['a deadline that is no number', { headers: { ...headers, 'ndx-deadline': 'soon' } }],
    ['another exchange in its header', { headers }],
  ])('for it has %s becomes a dead letter, fails its exchange, and the topic goes on', async (_, broken) => {
    harness = await HostHarness.start(() => ({ matched: true }))
    const message = question({ subject: pseudonymOf('same') })
    const named = { ...writeRequest(message).headers }
    await harness.ask(message, { headers: named, ...broken })
    await harness.ask(question({ subject: pseudonymOf('same') }))
    await harness.repliesTo(2)
    const exchangeId = broken.headers?.['kafka_correlationId'] ?? message.exchangeId
    expect(harness.replies.map(({ event }) => [event['id'], event['ndxoutcome'], event['ndxcode']])).toContainEqual([
      exchangeId,
      'failed',
      'REQUEST_UNREADABLE',
    ])
    expect(harness.letters).toMatchObject([{ exchangeId, attempts: 0, code: 'REQUEST_UNREADABLE', offset: '0' }])
    expect(harness.host.counts).toEqual(counted({ answered: 1, unreadable: 1, 'dead-lettered': 1 }))
    expect(harness.logged.filter(line => line.includes('"unreadable"'))).toHaveLength(1)
  })

  test.each<[string, Record<string, string>]>([
    ['no headers', {}],
    ['an exchange that cannot be one', { ...headers, kafka_correlationId: '026701599619' }],
    ['its reply wanted from another provider', { ...headers, kafka_replyTopic: 'ndx.reply.other' }],
    ['its reply wanted nowhere', { ...headers, kafka_replyTopic: 'ndx.nowhere' }],
    ['a partition that there is not', { ...headers, kafka_replyPartition: '8' }],
    ['a partition that is no number', { ...headers, kafka_replyPartition: '-1' }],
  ])('and has %s becomes a dead letter without a reply', async (_, wrong) => {
    harness = await HostHarness.start(() => ({ matched: true }))
    await harness.ask(question({ subject: pseudonymOf('same') }), { headers: wrong })
    await harness.ask(question({ subject: pseudonymOf('same') }))
    await harness.repliesTo(1)
    expect(harness.letters).toHaveLength(1)
    expect(JSON.stringify(harness.letters)).not.toContain('026701599619')
    expect(harness.host.counts).toEqual(counted({ answered: 1, unreadable: 1, 'dead-lettered': 1 }))
  })

  test('is answered in the name of the type and contract it mentions, so that the gateway knows the failure for its own', async () => {
    harness = await HostHarness.start(() => ({ matched: true }))
    const message = question()
    const value = JSON.stringify({ ...JSON.parse(writeRequest(message).value), data: 'none' })
    await harness.ask(message, { value })
    await harness.repliesTo(1)
    expect(harness.replies[0]?.event).toMatchObject({ type: service.replyType, ndxcontract: service.hash })
  })
})

describe('while the road does not take', () => {
  test.each([deadLetterTopic, replyTopic('population' as never)])(
    '%s, a record given up on stays uncommitted, and is not handled again to be told again',
    async closed => {
      let refusals = 0
      let calls = 0
      const refuseTwice = (bus: Bus): Bus => {
        const publish: Bus['publish'] = (topic, record) =>
          topic === closed && ++refusals <= 2
            ? Promise.reject(new PublishError('away', true))
            : bus.publish(topic, record)
        return new Proxy(bus, {
          get: (target, name) => {
            if (name === 'publish') return publish
            const value: unknown = Reflect.get(target, name, target)
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      }
      const handler: Handler = () => {
        calls++
        return failWith(new Error('x'))
      }
      harness = await HostHarness.start(handler, { road: refuseTwice })
      await harness.ask(question())
      await harness.repliesTo(1)
      expect([calls, harness.letters.length, harness.replies.length]).toEqual([3, 1, 1])
      await until('two were refused', () => refusals > 2)
    },
  )
})

function failWith(what: unknown): never {
  throw what
}
