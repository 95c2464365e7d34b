// What every Counters promises, whatever stands behind it. MemoryCounters runs it with a clock of the test's, RedisCounters
// against a real Redis and its clock: there the suite waits for what must come and bounds what must not come too soon.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { type Admission, type Counters, mismatchesMax, type Verdict } from '#gateway/counters/counters.ts'
import { describeTokens } from './counted-tokens.ts'
import { type CountersWorld, newClient, newExchange, newName, passTimeUntil } from './counters-world.ts'
import { describeIdempotencyKeys } from './idempotency-keys.ts'

export function describeCounters(name: string, makeWorld: () => Promise<CountersWorld>): void {
  describe(name, () => {
    const service = 'population/identity-verification' as ServiceId
    const newDay = (): string => newName('day')
    const day = new Date().toISOString().slice(0, 10)
    let world: CountersWorld
    let counters: Counters
    let client: ClientId

    /** A burst no test refills by accident: a token in 1000 s. */
    const asking = (limits: Partial<Admission> = {}): Admission => ({
      client,
      service,
      day,
      ratePerSecond: 0.001,
      burst: 100,
      ...limits,
    })
    const admit = (limits: Partial<Admission> = {}, on: Counters = counters): Promise<Verdict> =>
      on.admit(asking(limits))
    const mismatch = (subject: string, exchangeId: string = newExchange()): Promise<number> =>
      counters.countMismatch(client, subject, day, exchangeId)
    const passUntil = (what: string, isMet: () => Promise<boolean>, deadlineMs?: number): Promise<number> =>
      passTimeUntil(world, what, isMet, deadlineMs)

    beforeAll(async () => {
      world = await makeWorld()
      counters = await world.openCounters()
    })
    beforeEach(() => {
      client = newClient()
    })
    afterAll(async () => {
      await counters?.close()
      await world?.close()
    })

    describe('the rate', () => {
      test('admits as many as the burst and refuses one past it', async () => {
        for (const remaining of [2, 1, 0]) {
          expect(await admit({ burst: 3 })).toEqual({
            admitted: true,
            rate: { remaining, resetSeconds: remaining > 0 ? 0 : expect.closeTo(1000, -1) },
            source: 'shared',
          })
        }
        expect(await admit({ burst: 3 })).toEqual({
          admitted: false,
          violated: 'rate',
          rate: { remaining: 0, resetSeconds: expect.closeTo(1000, -1) },
          source: 'shared',
        })
      })

      test('says in whole seconds, rounded up, when the next token is there', async () => {
        expect((await admit({ ratePerSecond: 0.4, burst: 1 })).rate).toEqual({ remaining: 0, resetSeconds: 3 })
      })

      test('admits again when a token is there, and not before', async () => {
        const limits = { ratePerSecond: 8, burst: 1 }
        const startMs = world.now()
        await admit(limits)
        await passUntil('a token', async () => (await admit(limits)).admitted)
        expect(world.now() - startMs).toBeGreaterThanOrEqual(120)
        // At a rate at which no time that passed meanwhile makes another.
        expect((await admit({ ...limits, ratePerSecond: 0.001 })).admitted).toBe(false)
      })

      test('keeps the fractions of a token that small waits add', async () => {
        const limits = { ratePerSecond: 30, burst: 2 }
        const startMs = world.now()
        let admitted = 0
        await passUntil('20 tokens', async () => {
          if ((await admit(limits)).admitted) admitted += 1
          return admitted === 20
        })
        expect(world.now() - startMs).toBeGreaterThanOrEqual(598)
        expect(Math.floor(2 + ((world.now() - startMs) * 30) / 1000)).toBeGreaterThanOrEqual(20)
      })

      test('never holds more than the burst', async () => {
        const limits = { ratePerSecond: 100, burst: 2 }
        const used = world.now()
        await admit(limits)
        await passUntil('time for many more tokens', async () => world.now() > used + 100)
        expect((await admit({ ...limits, ratePerSecond: 0.001 })).rate.remaining).toBeLessThanOrEqual(1)
      })

      test('follows a changed limit without forgetting what was used', async () => {
        await admit({ burst: 5 })
        expect((await admit({ burst: 2 })).rate.remaining).toBe(1)
        expect((await admit({ burst: 50 })).rate.remaining).toBe(0)
      })

      test('asked at once under changed limits goes on from what was used, and keeps it', async () => {
        const asked: Partial<Admission>[] = [{ burst: 2, quotaPerDay: 0 }, { burst: 5 }, { burst: 2 }, { burst: 50 }]
        const verdicts = await Promise.all(asked.map(limits => admit(limits)))
        expect(verdicts.map(({ violated, rate }) => [violated, rate.remaining])).toEqual([
          ['quota', 2],
          [undefined, 4],
          [undefined, 1],
          [undefined, 0],
        ])
        expect((await admit({ burst: 50 })).violated).toBe('rate')
      })

      test('admits exactly the burst of 200 at once', async () => {
        const verdicts = await Promise.all(Array.from({ length: 200 }, () => admit({ burst: 50 })))
        expect(verdicts.filter(verdict => verdict.admitted)).toHaveLength(50)
      })

      test('is one for each client and each service', async () => {
        await admit({ burst: 1 })
        expect((await admit({ burst: 1 })).admitted).toBe(false)
        expect((await admit({ burst: 1, client: newClient() })).admitted).toBe(true)
        expect((await admit({ burst: 1, service: 'population/citizen-record' as ServiceId })).admitted).toBe(true)
      })
    })

    describe('the quota', () => {
      test('admits up to the quota of the day and refuses one past it', async () => {
        const { quota } = await admit({ quotaPerDay: 2 })
        expect(quota).toEqual({ remaining: 1, resetSeconds: expect.any(Number) })
        expect((await admit({ quotaPerDay: 2 })).quota?.remaining).toBe(0)
        expect(await admit({ quotaPerDay: 2 })).toEqual({
          admitted: false,
          violated: 'quota',
          rate: { remaining: 98, resetSeconds: 0 },
          quota: { remaining: 0, resetSeconds: expect.any(Number) },
          source: 'shared',
        })
      })

      test('resets at midnight in Vietnam', async () => {
        const midnight = Date.parse('2100-01-01T00:00:00+07:00')
        const { quota } = await admit({ quotaPerDay: 2, day: '2099-12-31' })
        expect(quota?.resetSeconds).toBeCloseTo((midnight - world.now()) / 1000, -2)
        expect((await admit({ quotaPerDay: 2, day: '2020-01-01' })).quota?.resetSeconds).toBe(0)
      })

      test('keeps days apart', async () => {
        await admit({ quotaPerDay: 1 })
        expect((await admit({ quotaPerDay: 1 })).violated).toBe('quota')
        expect((await admit({ quotaPerDay: 1, day: '2026-01-01' })).admitted).toBe(true)
      })

      test('of nothing admits nothing', async () => {
        expect(await admit({ quotaPerDay: 0 })).toMatchObject({ violated: 'quota', quota: { remaining: 0 } })
      })

      test('and guesses are decided at once with what has none, each by its own', async () => {
        const other = 'population/citizen-record' as ServiceId
        const third = 'population/residence-confirmation' as ServiceId
        const guesses = { subject: newName('subject'), max: 2, holdMs: 60_000 }
        const asked: Partial<Admission>[] = [
          { quotaPerDay: 1 },
          { service: other, burst: 2 },
          { quotaPerDay: 1 },
          { service: third, guesses },
          { service: other, burst: 2, quotaPerDay: 9, guesses },
          { service: third, guesses },
          { service: other, burst: 2 },
        ]
        const verdicts = await Promise.all(asked.map(limits => admit(limits)))
        expect(verdicts.map(({ admitted, violated, quota }) => violated ?? [admitted, quota?.remaining])).toEqual([
          [true, 0],
          [true, undefined],
          'quota',
          [true, undefined],
          [true, 8],
          'guesses',
          'rate',
        ])
      })

      test('is exact when 200 ask at once', async () => {
        const verdicts = await Promise.all(Array.from({ length: 200 }, () => admit({ quotaPerDay: 30, burst: 500 })))
        expect(verdicts.filter(verdict => verdict.admitted)).toHaveLength(30)
      })
    })

    describe('guesses about a subject', () => {
      const guesses = { subject: 'pseudonym-1', max: 2 }

      test('are refused at the limit of mismatches', async () => {
        await mismatch(guesses.subject)
        expect((await admit({ guesses })).admitted).toBe(true)
        await mismatch(guesses.subject)
        expect(await admit({ guesses })).toEqual({
          admitted: false,
          violated: 'guesses',
          rate: { remaining: 99, resetSeconds: 0 },
          source: 'shared',
        })
      })

      test('are not used up by questions that matched', async () => {
        for (let i = 0; i < 5; i += 1) expect((await admit({ guesses })).admitted).toBe(true)
      })

      test('are counted by client, subject and day', async () => {
        await mismatch(guesses.subject)
        await mismatch(guesses.subject)
        expect((await admit({ guesses, client: newClient() })).admitted).toBe(true)
        expect((await admit({ guesses: { ...guesses, subject: 'pseudonym-2' } })).admitted).toBe(true)
        expect((await admit({ guesses, day: '2026-01-01' })).admitted).toBe(true)
        expect((await admit({ guesses })).admitted).toBe(false)
      })

      test('that are held bound what is asked at once', async () => {
        const held = { ...guesses, holdMs: 60_000 }
        const verdicts = await Promise.all(Array.from({ length: 20 }, () => admit({ guesses: held })))
        expect(verdicts.filter(verdict => verdict.admitted)).toHaveLength(2)
      })

      test('that were held come back after a match, and are used up by a mismatch', async () => {
        const held = { ...guesses, holdMs: 60_000 }
        await admit({ guesses: held })
        await admit({ guesses: held })
        await counters.releaseGuess(client, guesses.subject, day)
        expect((await admit({ guesses: held })).admitted).toBe(true)
        await mismatch(guesses.subject)
        await counters.releaseGuess(client, guesses.subject, day)
        expect((await admit({ guesses: held })).admitted).toBe(true)
        expect((await admit({ guesses: held })).violated).toBe('guesses')
      })

      test('that were held come back when nobody settles them', async () => {
        const held = { ...guesses, max: 1, holdMs: 100 }
        const startMs = world.now()
        await admit({ guesses: held })
        await passUntil('the end of the hold', async () => (await admit({ guesses: held })).admitted)
        expect(world.now() - startMs).toBeGreaterThanOrEqual(95)
      })

      test('given back without being held change nothing', async () => {
        await counters.releaseGuess(client, guesses.subject, day)
        await mismatch(guesses.subject)
        await mismatch(guesses.subject)
        expect((await admit({ guesses })).violated).toBe('guesses')
      })
    })

    describe('mismatches', () => {
      const held = { subject: 'pseudonym-1', max: 2, holdMs: 60_000 }

      test('are counted once for each exchange', async () => {
        const [first, second] = [newExchange(), newExchange()]
        const counted: number[] = []
        for (const exchangeId of [first, first, second, first, second]) {
          counted.push(await mismatch(held.subject, exchangeId))
        }
        expect(counted).toEqual([1, 1, 2, 2, 2])
        const other = await world.openCounters()
        expect(await other.countMismatch(client, held.subject, day, first)).toBe(2)
        expect(await other.countMismatch(client, held.subject, '2026-01-01', first)).toBe(1)
        await other.close()
      })

      test('of one exchange end one hold, however often they are counted', async () => {
        const exchangeId = newExchange()
        await admit({ guesses: { ...held, max: 3 } })
        await admit({ guesses: { ...held, max: 3 } })
        for (let i = 0; i < 3; i += 1) await mismatch(held.subject, exchangeId)
        // One mismatch and one hold: a third may be asked, a fourth may not.
        expect((await admit({ guesses: { ...held, max: 3 } })).admitted).toBe(true)
        expect((await admit({ guesses: { ...held, max: 3 } })).violated).toBe('guesses')
      })

      test('counted by 20 at once for one exchange are one', async () => {
        const exchangeId = newExchange()
        const counted = await Promise.all(Array.from({ length: 20 }, () => mismatch('s', exchangeId)))
        expect(counted).toEqual(Array(20).fill(1))
      })

      test('are told apart up to the highest limit a contract may have', async () => {
        await Promise.all(Array.from({ length: mismatchesMax - 1 }, () => mismatch('s')))
        expect(await mismatch('s')).toBe(mismatchesMax)
        expect(await mismatch('s')).toBe(mismatchesMax)
        expect((await admit({ guesses: { subject: 's', max: mismatchesMax } })).violated).toBe('guesses')
      })
    })

    describeIdempotencyKeys(makeWorld)
    describeTokens(makeWorld)

    describe('an admission', () => {
      test('names guesses before quota before rate', async () => {
        const spent = { burst: 1, quotaPerDay: 1, guesses: { subject: 's', max: 1 } }
        await admit(spent)
        expect((await admit({ ...spent, quotaPerDay: 2 })).violated).toBe('rate')
        expect((await admit(spent)).violated).toBe('quota')
        await mismatch('s')
        expect((await admit(spent)).violated).toBe('guesses')
      })

      test('that is refused uses nothing up', async () => {
        const limits = { burst: 2, quotaPerDay: 2, guesses: { subject: 's', max: 2, holdMs: 60_000 } }
        await admit(limits)
        for (let i = 0; i < 5; i += 1) {
          expect((await admit({ ...limits, guesses: { ...limits.guesses, max: 1 } })).violated).toBe('guesses')
          expect((await admit({ ...limits, quotaPerDay: 1 })).violated).toBe('quota')
          expect((await admit({ ...limits, burst: 1e-9 })).violated).toBe('rate')
        }
        expect(await admit(limits)).toMatchObject({ admitted: true, rate: { remaining: 0 }, quota: { remaining: 0 } })
      })

      test('is shared by two gateways', async () => {
        const other = await world.openCounters()
        await admit({ burst: 2, quotaPerDay: 5 })
        expect(await admit({ burst: 2, quotaPerDay: 5 }, other)).toMatchObject({
          rate: { remaining: 0 },
          quota: { remaining: 3 },
        })
        expect((await admit({ burst: 2, quotaPerDay: 5 })).violated).toBe('rate')
        await other.close()
      })
    })

    describe('the audit counters', () => {
      test('are summed by client, service and outcome, and sorted', async () => {
        const counted = newDay()
        const [a, b] = ['agency-a' as ClientId, 'agency-b' as ClientId]
        counters.count(counted, b, 'x/y', 'answered')
        for (let i = 0; i < 3; i += 1) counters.count(counted, a, 'x/y', 'answered')
        counters.count(counted, a, 'x/y', 'NDX_RATE_EXCEEDED')
        counters.count(counted, a, 'm/n', 'answered')
        counters.count(newDay(), a, 'm/n', 'answered')
        expect(await counters.readDay(counted)).toEqual([
          { client: a, service: 'm/n', outcome: 'answered', count: 1 },
          { client: a, service: 'x/y', outcome: 'NDX_RATE_EXCEEDED', count: 1 },
          { client: a, service: 'x/y', outcome: 'answered', count: 3 },
          { client: b, service: 'x/y', outcome: 'answered', count: 1 },
        ])
      })

      test('grow from day reading to day reading, each count once', async () => {
        const counted = newDay()
        for (const count of [1, 2, 3]) {
          counters.count(counted, client, 'x/y', 'answered')
          expect(await counters.readDay(counted)).toEqual([{ client, service: 'x/y', outcome: 'answered', count }])
        }
      })

      test('of a day without any are none', async () => {
        expect(await counters.readDay(newDay())).toEqual([])
      })

      test('hold any name as it is', async () => {
        const counted = newDay()
        const service = 'a|b\t"\n{}:c'
        counters.count(counted, client, service, '')
        expect(await counters.readDay(counted)).toEqual([{ client, service, outcome: '', count: 1 }])
      })

      test('reach the others in the background, and the rest on close', async () => {
        const counted = newDay()
        const other = await world.openCounters()
        other.count(counted, client, 'x/y', 'answered')
        const count = async (): Promise<number> => (await counters.readDay(counted))[0]?.count ?? 0
        await passUntil('the count of the other gateway', async () => (await count()) === 1)
        other.count(counted, client, 'x/y', 'answered')
        await other.close()
        await other.close()
        expect(await count()).toBe(2)
      })
    })

    test('answers a ping', async () => {
      await expect(counters.ping()).resolves.toBeUndefined()
    })
  })
}
