// Failures of ours, told as such: the bus or the counters away, the gateway full, stopping, or broken. Nothing was sent, and
// Retry-After says when to come back.
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type Bus, type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { type Admission, CountersUnavailable, type Verdict } from '#gateway/counters/counters.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { expectOAuthError, expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'
const record = 'population/citizen-record'
const recordEnvelope = {
  purpose: 'social-insurance-enrolment',
  procedure: '1.002759',
  request: { personalId: '026701599619' },
}

/** Counters that can be switched off, and broken. */
class SwitchableCounters extends MemoryCounters {
  fault: Error | undefined
  mismatchFault: Error | undefined

  override async countMismatch(...mismatch: Parameters<MemoryCounters['countMismatch']>) {
    if (this.mismatchFault !== undefined) throw this.mismatchFault
    return super.countMismatch(...mismatch)
  }

  override async admit(admission: Parameters<MemoryCounters['admit']>[0]) {
    if (this.fault !== undefined) throw this.fault
    return super.admit(admission)
  }

  override async useOnce(value: string, lifeMs: number) {
    if (this.fault !== undefined) throw this.fault
    return super.useOnce(value, lifeMs)
  }

  override async ping() {
    if (this.fault !== undefined) throw this.fault
  }
}

describe('counters away', () => {
  test('what must be counted is refused, what need not be is answered, and it comes back by itself', async () => {
    const counters = new SwitchableCounters()
    const world = await startWorld({
      counters,
      silent: ['business-registration'],
      settings: { NDX_INSTANCES: '2' },
      agreements: {
        'social-insurance': ({ grants }) => {
          for (const grant of grants) if (grant.id === 'si-record') delete grant.quotaPerDay
        },
      },
    })
    await world.token()
    counters.fault = new CountersUnavailable('switched off')
    const refused = await world.ask(identity)
    expectProblem(refused, 'NDX_COUNTERS_UNAVAILABLE')
    expect(refused.headers.get('retry-after')).toBe('2')
    const noToken = await world.requestToken('social-insurance')
    expectOAuthError(noToken, 'NDX_COUNTERS_UNAVAILABLE', 'The counters are away; nothing was sent')
    const answered = await world.ask(record, recordEnvelope)
    expect([answered.status, answered.headers.get('ndx-limits')]).toEqual([200, 'local'])
    expect(answered.headers.get('ratelimit-policy')).toBe('"burst";q=100;w=2')
    expect((await world.send('/health/ready')).body).toEqual({
      status: 'not ready',
      bus: 'open',
      counters: 'away',
      notes: 'kept',
      stopping: false,
    })
    expect(world.published.filter(({ topic }) => topic === 'ndx.request.population')).toHaveLength(1)
    counters.fault = undefined
    await until('the counters are asked again', async () => (await world.ask(identity)).status === 200)
    expect((await world.ask(record, recordEnvelope)).headers.get('ndx-limits')).toBeNull()
    await world.stop()
  })
})

test('counters that go away before a mismatch is counted: it is not told, and not refused either, since it was asked', async () => {
  const counters = new SwitchableCounters()
  const world = await startWorld({ counters, silent: ['business-registration'] })
  counters.mismatchFault = new CountersUnavailable('switched off')
  const request = { ...goodEnvelope.request, fullName: 'Nguyễn Thị Thư' }
  const untold = await world.ask(identity, { ...goodEnvelope, request })
  expect([untold.status, untold.body['code']]).toEqual([504, 'NDX_REPLY_TIMEOUT'])
  expect(untold.headers.get('location')).toMatch(/^\/v1\/exchanges\//)
  expect(JSON.stringify(untold.body)).not.toContain('matched')
  expect(world.published.filter(({ topic }) => topic === 'ndx.request.population')).toHaveLength(1)
  await world.stop()
})

describe('the bus away', () => {
  test('a record that was surely not written is refused, and what may have been written is waited for', async () => {
    const inner = new MemoryBus()
    let fault: Error | undefined
    const bus: Bus = {
      publish: (topic: string, outgoing: OutgoingRecord) =>
        topic === 'ndx.request.population' && fault !== undefined
          ? Promise.reject(fault)
          : inner.publish(topic, outgoing),
      readReplies: reading => inner.readReplies(reading),
      work: working => inner.work(working),
      follow: following => inner.follow(following),
      readAt: (topic, partition, offset) => inner.readAt(topic, partition, offset),
      endOf: (topic, partition) => inner.endOf(topic, partition),
      now: () => inner.now(),
      id: () => inner.id(),
      close: () => inner.close(),
    }
    const world = await startWorld({ bus, contracts: deadlineOf(300), silent: ['business-registration'] })
    fault = new PublishError('no broker', true)
    const refused = await world.ask(identity)
    expectProblem(refused, 'NDX_BUS_UNAVAILABLE')
    expect(refused.headers.get('retry-after')).toBe('5')
    fault = new PublishError('no acknowledgement', false)
    expectProblem(await world.ask(identity), 'NDX_REPLY_TIMEOUT', {
      detail: 'The question was sent; whether it was answered is not known yet.',
      outcome: 'unknown',
    })
    fault = undefined
    expect((await world.ask(identity)).status).toBe(200)
    await world.stop()
    await bus.close()
  })

  test('a closed road is refused before anything is sent, and readiness says so', async () => {
    const inner = new MemoryBus()
    let isAway = false
    const bus: Bus = {
      publish: (topic: string, outgoing: OutgoingRecord) =>
        isAway ? Promise.reject(new PublishError('no broker', true)) : inner.publish(topic, outgoing),
      readReplies: reading => inner.readReplies(reading),
      work: working => inner.work(working),
      follow: following => inner.follow(following),
      readAt: (topic, partition, offset) => inner.readAt(topic, partition, offset),
      endOf: (topic, partition) => inner.endOf(topic, partition),
      now: () => inner.now(),
      id: () => inner.id(),
      close: () => inner.close(),
    }
    const world = await startWorld({ bus, silent: ['business-registration'] })
    await world.token()
    isAway = true
    await until('readiness says closed', async () => (await world.send('/health/ready')).status === 503)
    const refused = await world.ask(identity)
    expectProblem(refused, 'NDX_BUS_UNAVAILABLE')
    expect(world.published.filter(({ topic }) => topic === 'ndx.request.population')).toEqual([])
    expect((await world.send('/health/ready')).body).toEqual({
      status: 'not ready',
      bus: 'closed',
      counters: 'answer',
      notes: 'kept',
      stopping: false,
    })
    isAway = false
    await until('it is answered again', async () => (await world.ask(identity)).status === 200)
    await world.stop()
    await bus.close()
  })
})

describe('the gateway at its limit', () => {
  test('holds as many exchanges as it may and refuses one more', async () => {
    const answers: (() => void)[] = []
    const world = await startWorld({
      silent: ['business-registration'],
      settings: { NDX_PENDING_MAX: '3' },
      handlers: { [identity]: () => new Promise(resolve => answers.push(() => resolve({ matched: true }))) },
    })
    await world.token()
    const subjects = ['026701599619', '080700512474', '026701599619', '080700512474'].map((personalId, i) => ({
      ...goodEnvelope,
      request: { ...goodEnvelope.request, personalId, dateOfBirth: i % 2 === 0 ? '2001' : '2000' },
    }))
    const held = subjects.slice(0, 3).map(envelope => world.ask(identity, envelope))
    await until('three are held', async () => /^ndx_pending 3$/m.test((await world.operations('/metrics')).text))
    const refused = await world.ask(identity, subjects[3])
    expectProblem(refused, 'NDX_GATEWAY_OVERLOADED')
    expect(refused.headers.get('retry-after')).toMatch(/^[123]$/)
    expect((await world.operations('/metrics')).text).toContain('\nndx_shed_total 1\n')
    expect((await world.send('/health/live')).status).toBe(200)
    await until('all held are answered', () => {
      for (const answer of answers.splice(0)) answer()
      return world.lines().filter(({ outcome }) => outcome === 'answered').length === 3
    })
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200])
    await world.stop()
  })
})

test('a gateway whose event loop lags sheds', async () => {
  // Every loop is late by a millisecond.
  const world = await startWorld({ settings: { NDX_EVENT_LOOP_DELAY_MAX_MS: '1' } })
  let shed = await world.ask(identity, goodEnvelope, { token: null })
  await until('it is seen', async () => {
    shed = await world.ask(identity, goodEnvelope, { token: null })
    return shed.status === 503
  })
  expectProblem(shed, 'NDX_GATEWAY_OVERLOADED')
  await until('it is told', () =>
    world.lines().some(({ event, isLagging }) => event === 'shedding' && isLagging === true),
  )
  await world.stop()
})

describe('a gateway with as much in hand as it may have', () => {
  /** Their leave is waited for until they are let go. */
  class HeldCounters extends MemoryCounters {
    readonly letGo: () => void
    readonly #held: Promise<void>
    constructor() {
      super()
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#held = promise
      this.letGo = resolve
    }
    override async admit(admission: Admission): Promise<Verdict> {
      await this.#held
      return super.admit(admission)
    }
  }

  test('sheds one more before any work, tells of it once in a while, and takes the next when there is room', async () => {
    const counters = new HeldCounters()
    const world = await startWorld({ counters, settings: { NDX_INTAKE_MAX: '2' } })
    await world.token()
    const held = [world.ask(identity), world.ask(identity)]
    await until('two are in hand', async () => /^ndx_in_hand 2$/m.test((await world.operations('/metrics')).text))
    const shed = await world.ask(identity, goodEnvelope, { token: null })
    expectProblem(shed, 'NDX_GATEWAY_OVERLOADED')
    expect(shed.headers.get('retry-after')).toMatch(/^[123]$/)
    expectProblem(await world.get('/v1/services'), 'NDX_GATEWAY_OVERLOADED')
    expect((await world.send('/health/live')).status).toBe(200)
    await until('it is told', () => world.lines().some(({ event, shed: count }) => event === 'shedding' && count === 2))
    expect((await world.operations('/metrics')).text).toContain('\nndx_shed_total 2\n')
    expect(world.lines().filter(({ code }) => code === 'NDX_GATEWAY_OVERLOADED')).toEqual([])
    counters.letGo()
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200])
    expect((await world.ask(identity)).status).toBe(200)
    expect((await world.operations('/metrics')).text).toMatch(/^ndx_in_hand 0$/m)
    await world.stop()
  })

  test('counts what the road has not taken yet', async () => {
    const bus = new MemoryBus()
    const { promise: taken, resolve: take } = Promise.withResolvers<void>()
    const publish = bus.publish.bind(bus)
    bus.publish = async (topic, record) => {
      if (topic === requestTopic('population' as ProviderId)) await taken
      return publish(topic, record)
    }
    const world = await startWorld({ bus, settings: { NDX_INTAKE_MAX: '1' } })
    await world.token()
    const held = world.ask(identity)
    await until('it is on its way', async () => /^ndx_pending 1$/m.test((await world.operations('/metrics')).text))
    expectProblem(await world.ask(identity), 'NDX_GATEWAY_OVERLOADED')
    take()
    expect((await held).status).toBe(200)
    expect((await world.ask(identity)).status).toBe(200)
    await world.stop()
    await bus.close()
  })

  test('leaves a connection usable whose question it did not read', async () => {
    const counters = new HeldCounters()
    const world = await startWorld({ counters, settings: { NDX_INTAKE_MAX: '1' } })
    const authorization = `Bearer ${await world.token()}`
    const held = world.ask(identity)
    await until('one is in hand', async () => /^ndx_in_hand 1$/m.test((await world.operations('/metrics')).text))
    const body = JSON.stringify(goodEnvelope)
    const question = `POST /v1/services/${identity} HTTP/1.1\r\nhost: ndx\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
    const socket = connect(Number(new URL(world.url).port), '127.0.0.1')
    let text = ''
    socket.on('data', bytes => (text += bytes.toString('utf8')))
    const answers = (): string[] => text.match(/HTTP\/1.1 \d{3}/g) ?? []
    // The head first: its answer does not wait for the body.
    socket.write(question)
    await until('it is shed', () => answers().length === 1)
    socket.write(body)
    counters.letGo()
    await held
    socket.write(question + body)
    await until('the next is answered', () => answers().length === 2)
    expect(answers()).toEqual(['HTTP/1.1 503', 'HTTP/1.1 200'])
    socket.destroy()
    await world.stop()
  })
})

describe('the gateway stopping', () => {
  test('refuses new exchanges on connections it still has', async () => {
    const world = await startWorld({ settings: { NDX_DRAIN_MS: '60' }, silent: ['business-registration'] })
    await world.token()
    const stopped = world.stop()
    const refused = await world.ask(identity)
    expectProblem(refused, 'NDX_GATEWAY_STOPPING')
    expect([refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual(['1', 'close'])
    await stopped
  })
})

describe('a fault of ours', () => {
  test('is a 500 that says nothing, with the whole story in the log', async () => {
    const counters = new SwitchableCounters()
    const world = await startWorld({ counters, silent: ['business-registration'] })
    await world.token()
    counters.fault = new TypeError('secret inner workings')
    const refused = await world.ask(identity)
    expectProblem(refused, 'NDX_INTERNAL_FAILURE')
    expect(refused.text).not.toContain('secret')
    const [failure] = world.lines().filter(({ event }) => event === 'failure')
    expect(failure).toEqual({
      level: 'error',
      time: expect.any(Number),
      instance: 'world',
      event: 'failure',
      exchangeId: refused.body.exchangeId,
      error: { kind: 'TypeError', message: 'secret inner workings', stack: expect.stringContaining('away.test.ts') },
    })
    await world.stop()
  })
})

const deadlineOf = (deadlineMs: number) => ({
  'population/identity-verification.v1.json': (contract: { deadlineMs: number; maxWaitMs: number }) => {
    contract.deadlineMs = deadlineMs
    contract.maxWaitMs = deadlineMs
  },
})
