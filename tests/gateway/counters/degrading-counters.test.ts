// What is still decided, and what is refused, while the shared counters are away; and how they are found back.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { type Admission, type Beginning, CountersUnavailable } from '#gateway/counters/counters.ts'
import { DegradingCounters } from '#gateway/counters/degrading-counters.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { until } from '#tests/bus/until.ts'

class FlakyCounters extends MemoryCounters {
  away: Error | undefined
  asked = 0

  override async admit(admission: Admission) {
    this.asked += 1
    if (this.away) throw this.away
    return super.admit(admission)
  }
  override async useOnce(value: string, lifeMs: number) {
    if (this.away) throw this.away
    return super.useOnce(value, lifeMs)
  }
  override async ping() {
    if (this.away) throw this.away
  }
}

const asking: Admission = {
  client: 'bank' as ClientId,
  service: 'population/identity-verification' as ServiceId,
  day: '2026-07-14',
  ratePerSecond: 0.001,
  burst: 9,
}
const beginning: Beginning = {
  client: asking.client,
  service: asking.service,
  key: 'key',
  body: 'body',
  exchangeId: 'exchange-1',
  beganMs: 0,
  deadlineMs: 1000,
  windowMs: 1000,
}
const unavailable = expect.objectContaining({ code: 'NDX_COUNTERS_UNAVAILABLE', facts: { retryAfterSeconds: 2 } })

describe('DegradingCounters', () => {
  let shared: FlakyCounters
  let counters: DegradingCounters
  let states: string[]
  const lose = (): void => {
    shared.away = new CountersUnavailable('gone')
  }

  beforeEach(() => {
    shared = new FlakyCounters()
    states = []
    const onState = (state: string): void => void states.push(state)
    counters = new DegradingCounters({ shared, instances: 4, onState, probeEveryMs: 5 })
  })
  afterEach(() => counters.close())

  test('asks the shared counters while they answer', async () => {
    expect(await counters.admit({ ...asking, quotaPerDay: 3 })).toMatchObject({
      source: 'shared',
      quota: { remaining: 2 },
    })
    expect(states).toEqual([])
  })

  test('grants its part of the burst by itself, and no more', async () => {
    lose()
    const verdicts = [await counters.admit(asking), await counters.admit(asking), await counters.admit(asking)]
    expect(verdicts).toEqual(
      [
        { admitted: true, rate: { remaining: 1, resetSeconds: 0 }, source: 'local' },
        { admitted: true, rate: { remaining: 0, resetSeconds: 1 }, source: 'local' },
        { admitted: false, violated: 'rate', rate: { remaining: 0, resetSeconds: 1 }, source: 'local' },
      ].map(verdict => ({ ...verdict, rate: { ...verdict.rate, resetSeconds: expect.any(Number) } })),
    )
  })

  test('grants at least one, and never more than was agreed', async () => {
    lose()
    const admit = (burst: number): Promise<unknown> =>
      counters.admit({ ...asking, burst, service: `x/${burst}` as ServiceId })
    expect(await admit(1)).toMatchObject({ admitted: true, rate: { remaining: 0 } })
    expect(await admit(1)).toMatchObject({ admitted: false, rate: { resetSeconds: 1000 } })
    expect(await admit(0)).toMatchObject({ admitted: false })
  })

  test('refuses what has a quota or guesses', async () => {
    lose()
    await expect(counters.admit({ ...asking, quotaPerDay: 100 })).rejects.toEqual(unavailable)
    await expect(counters.admit({ ...asking, guesses: { subject: 's', max: 5 } })).rejects.toEqual(unavailable)
  })

  test('fails closed for one-time values, revocations, mismatches and keys', async () => {
    lose()
    await expect(counters.useOnce('jti', 1000)).rejects.toMatchObject({
      code: unavailable.sample.code,
      cause: shared.away,
    })
    for (const question of [
      counters.useOnce('jti', 1000),
      counters.revoke('token', Date.now() + 1000),
      counters.revoked(),
      counters.countMismatch(asking.client, 's', asking.day, 'exchange-1'),
      counters.begin(beginning),
      counters.takeOver(beginning, 'exchange-0'),
      counters.forget(asking.client, asking.service, 'key', 'exchange-1'),
      counters.rememberExchange('exchange-1', asking.client, 1000),
      counters.clientOf('exchange-1'),
      counters.readDay(asking.day),
    ]) {
      await expect(question).rejects.toEqual(unavailable)
    }
  })

  test('asks nobody again until a probe has answered, and says once that the state changed', async () => {
    lose()
    for (let i = 0; i < 20; i += 1) await counters.admit(asking)
    expect([shared.asked, states]).toEqual([1, ['local']])
    shared.away = undefined
    await until('the shared counters are found back', () => counters.state === 'shared')
    expect(states).toEqual(['local', 'shared'])
    expect((await counters.admit(asking)).source).toBe('shared')
  })

  test('does not hide a fault that is no absence', async () => {
    shared.away = new TypeError('a bug')
    await expect(counters.admit(asking)).rejects.toThrow(TypeError)
    await expect(counters.useOnce('x', 1)).rejects.toThrow(TypeError)
    expect(states).toEqual([])
  })

  test('hands audit counts over in every state', async () => {
    lose()
    await counters.admit(asking)
    counters.count(asking.day, asking.client, 'x/y', 'answered')
    expect(await shared.readDay(asking.day)).toHaveLength(1)
  })

  test('begins, and knows what was begun, while the shared counters answer', async () => {
    expect(await counters.begin(beginning)).toMatchObject({ state: 'new' })
    expect(await counters.takeOver({ ...beginning, exchangeId: 'exchange-2' }, 'exchange-1')).toBe(true)
    expect(await shared.begin(beginning)).toMatchObject({ state: 'same', exchangeId: 'exchange-2' })
    await counters.forget(asking.client, asking.service, 'key', 'exchange-2')
    expect(await shared.begin(beginning)).toMatchObject({ state: 'new' })
    await counters.rememberExchange('exchange-1', asking.client, 1000)
    expect(await counters.clientOf('exchange-1')).toBe(asking.client)
    await expect(counters.begin({ ...beginning, key: '' })).rejects.toThrow(RangeError)
    expect(states).toEqual([])
  })

  test('asks the backend itself when pinged', async () => {
    await expect(counters.ping()).resolves.toBeUndefined()
    lose()
    await expect(counters.ping()).rejects.toThrow('gone')
  })
})
