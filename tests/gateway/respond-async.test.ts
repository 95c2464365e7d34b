// Asking without waiting: 202 once the question is on its topic and never before; Prefer: wait=n; what a client is told when the
// outcome stays open, and that an exchange it does not wait for is remembered as its own.
import { afterEach, expect, test } from 'vitest'
import { type Bus, type IncomingRecord, PublishError } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { type RequestMessage, readRequest } from '#bus/message.ts'
import { type ClientId } from '#contracts/contract.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { notesOf } from '#tests/notes.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld, type World, type WorldOptions } from '#tests/world.ts'

const identity = 'population/identity-verification'
const requests = 'ndx.request.population'
const client = 'social-insurance' as ClientId

let world: World
afterEach(() => world.stop())

const start = async (options: WorldOptions = {}): Promise<void> => {
  world = await startWorld({ silent: ['business-registration'], ...options })
  await world.token()
}
const ask = (prefer: string) => world.ask(identity, goodEnvelope, { headers: { prefer } })
const requestsSent = (): RequestMessage[] =>
  world.published
    .filter(({ topic }) => topic === requests)
    .map(({ topic, record }) =>
      readRequest({ ...record, topic, value: Buffer.from(record.value) } as unknown as IncomingRecord),
    )

/** Holds what goes to the request topic until it is told what becomes of it. */
function holdRequests() {
  const inner = new MemoryBus()
  const held: ((error?: Error) => void)[] = []
  const bus: Bus = {
    publish: async (topic, record) => {
      if (topic !== requests) return inner.publish(topic, record)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      held.push(error => (error === undefined ? resolve(inner.publish(topic, record)) : reject(error)))
      return promise
    },
    readReplies: reading => inner.readReplies(reading),
    work: working => inner.work(working),
    follow: following => inner.follow(following),
    readAt: (topic, partition, offset) => inner.readAt(topic, partition, offset),
    endOf: (topic, partition) => inner.endOf(topic, partition),
    now: () => inner.now(),
    id: () => inner.id(),
    close: () => inner.close(),
  }
  return { bus, held }
}

test('is answered 202 with where to learn how it stands, and only once the record is acknowledged', async () => {
  const counters = new MemoryCounters()
  const { bus, held } = holdRequests()
  await start({ bus, counters })
  let isAnswered = false
  const asked = ask('respond-async').finally(() => {
    isAnswered = true
  })
  await until('it is published', () => held.length === 1)
  await new Promise(resolve => setImmediate(resolve))
  expect(isAnswered).toBe(false)
  held[0]?.()
  const accepted = await asked
  const exchangeId = accepted.headers.get('exchange-id') as string
  expect([accepted.status, accepted.body]).toEqual([202, { exchangeId, service: identity, outcome: 'accepted' }])
  expect(accepted.headers.get('location')).toBe(`/v1/exchanges/${exchangeId}`)
  expect(accepted.headers.get('preference-applied')).toBe('respond-async')
  expect(accepted.headers.get('cache-control')).toBe('no-store')
  expect(await counters.clientOf(exchangeId)).toBe(client)
  expect(world.lines().filter(({ event }) => event === 'exchange')).toEqual([
    expect.objectContaining({ exchangeId, outcome: 'accepted', status: 202 }),
  ])
  expect(await notesOf(world)).toEqual([])
  await bus.close()
})

test('is refused, not accepted, when the record surely was not written', async () => {
  const { bus, held } = holdRequests()
  await start({ bus })
  const asked = ask('respond-async')
  await until('it is published', () => held.length === 1)
  held[0]?.(new PublishError('no broker', true))
  const refused = await asked
  expectProblem(refused, 'NDX_BUS_UNAVAILABLE')
  expect(refused.headers.get('location')).toBeNull()
  await bus.close()
})

test.each(['respond-async', 'wait=0', 'respond-async, wait=1'])(
  'with %s is unknown, with its location, when the record may have been written',
  async prefer => {
    const { bus, held } = holdRequests()
    await start({ bus })
    const asked = ask(prefer)
    await until('it is published', () => held.length === 1)
    held[0]?.(new PublishError('no acknowledgement', false))
    const unknown = await asked
    expect([unknown.status, unknown.body.code, unknown.body.outcome]).toEqual([504, 'NDX_REPLY_TIMEOUT', 'unknown'])
    expect(unknown.headers.get('location')).toBe(`/v1/exchanges/${unknown.body.exchangeId}`)
    expect(unknown.headers.get('preference-applied')).toBeNull()
    await bus.close()
  },
)

test('with wait=n is answered at once when the reply comes in time', async () => {
  await start()
  for (const prefer of ['wait=4', 'respond-async, wait=4']) {
    const answered = await ask(prefer)
    expect([answered.status, answered.body.reply]).toEqual([200, { matched: true }])
    expect(answered.headers.get('preference-applied')).toBe('wait=4')
    expect(answered.headers.get('location')).toBeNull()
  }
})

test.each([
  ['wait=1', 'wait=1', 1_000],
  ['respond-async, wait=1', 'respond-async, wait=1', 1_000],
  ['wait=0', 'wait=0', 0],
  ['wait=60', 'wait=1', 300],
])('with %s and no reply is accepted after the wait, which the contract bounds', async (prefer, applied, waitMs) => {
  await start({
    silent: ['population', 'business-registration'],
    contracts: {
      'population/identity-verification.v1.json': contract => {
        if (prefer === 'wait=60') Object.assign(contract, { deadlineMs: 300, maxWaitMs: 300 })
      },
    },
  })
  const startedMs = performance.now()
  const accepted = await ask(prefer)
  // Not before the wait is over, and before the deadline: then it would be 504.
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(waitMs - 1)
  expect([accepted.status, accepted.body.outcome]).toEqual([202, 'accepted'])
  expect(accepted.headers.get('preference-applied')).toBe(applied)
})

test('an outcome that stays unknown has a location, and is remembered as its client’s', async () => {
  const counters = new MemoryCounters()
  await start({
    counters,
    silent: ['population', 'business-registration'],
    contracts: {
      'population/identity-verification.v1.json': contract =>
        Object.assign(contract, { deadlineMs: 300, maxWaitMs: 300 }),
    },
  })
  const unknown = await world.ask(identity)
  const exchangeId = unknown.headers.get('exchange-id') as string
  expect([unknown.status, unknown.headers.get('location')]).toEqual([504, `/v1/exchanges/${exchangeId}`])
  await until('it is remembered', async () => (await counters.clientOf(exchangeId)) === client)
})

test('asks for a callback only when the client has an address and does not wait', async () => {
  await start({
    agreements: {
      'social-insurance': agreement => {
        agreement.callback = { url: 'http://127.0.0.1:9/settled' }
      },
    },
  })
  const bank = { ...goodEnvelope, purpose: 'customer-identification' }
  await ask('respond-async')
  await ask('wait=0')
  await world.ask(identity)
  await world.ask(identity, bank, { client: 'bank', headers: { prefer: 'respond-async' } })
  await until('all are sent', () => requestsSent().length === 4)
  expect(requestsSent().map(({ callback }) => callback)).toEqual([true, undefined, undefined, undefined])
})

test('holds no guess once it is accepted', async () => {
  await start({ silent: ['population', 'business-registration'] })
  const statuses = []
  for (let i = 0; i < 8; i++) statuses.push((await ask('respond-async')).status)
  expect(statuses).toEqual(Array(8).fill(202))
})

test('a gateway that stops first sees its questions acknowledged', async () => {
  const { bus, held } = holdRequests()
  await start({ bus })
  const asked = ask('respond-async')
  await until('it is published', () => held.length === 1)
  const stopped = world.gateway.stop()
  await until('it is stopping', () => world.lines().some(({ event }) => event === 'stopping'))
  held[0]?.()
  expect((await asked).status).toBe(202)
  await stopped
  await bus.close()
})
