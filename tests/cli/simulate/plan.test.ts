// The plan: decided by the seed alone, everybody asks, nobody more than agreed, and all that is to go wrong is in it.
import { describe, expect, test } from 'vitest'
import { peakQuarter } from '#cli/simulate/day-profile.ts'
import { apportion, createLanes } from '#cli/simulate/lanes.ts'
import { countByHour, createPlan, type Errand, type Plan, type PlanOptions } from '#cli/simulate/plan.ts'
import { type Asked, questionsOf } from '#cli/simulate/questions.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const nation = createNation({ seed: 1 })
const options: PlanOptions = { registry, seed: 1, nationSeed: 1, total: 16_000, scale: 0.01, today: '2026-11-23' }
const plan = createPlan(options)
const errandsOf = ({ waves }: Plan): Errand[] => waves.flatMap(({ errands }) => errands)
const askedIn = (of: Plan, { tag = '', peopleSeed = 1 } = {}): Asked[] =>
  errandsOf(of).flatMap(errand => questionsOf(errand, { plan: of, nation, tag, peopleSeed }))

/** What the table is made of. */
const outline = (asked: readonly Asked[]): string[] =>
  asked.map(({ client, counted, wanted }) => `${client} ${counted} ${wanted}`).sort()

const small: PlanOptions = { ...options, total: 800, scale: 0.0005 }

describe('a day', () => {
  test('is the same for the same seed, to the letter', () => {
    expect(askedIn(createPlan(small))).toEqual(askedIn(createPlan(small)))
    expect(outline(askedIn(createPlan({ ...small, seed: 2 })))).not.toEqual(outline(askedIn(createPlan(small))))
  })

  test('asks about other people under other keys in another run, and has the same table', () => {
    const again = { tag: 'R7', peopleSeed: 99 }
    const [first, second] = [askedIn(createPlan(small)), askedIn(createPlan(small), again)]
    expect(outline(second)).toEqual(outline(first))
    const keys = new Set(first.map(({ headers }) => headers['idempotency-key']).filter(Boolean))
    expect(second.filter(({ headers }) => keys.has(headers['idempotency-key']))).toEqual([])
    expect(second.map(({ envelope }) => envelope)).not.toEqual(first.map(({ envelope }) => envelope))
  })

  test('has about as many questions as wanted, most in office hours, fewest at night', () => {
    const hours = countByHour(plan)
    const total = hours.reduce((sum, questions) => sum + questions, 0)
    expect(total).toBe(askedIn(plan).length)
    expect(Math.abs(total / options.total - 1)).toBeLessThan(0.05)
    expect(hours.indexOf(Math.max(...hours))).toBe(Math.floor(peakQuarter / 4))
  })

  test('lets every client ask every service that it may, and none more than its grant lets through', () => {
    const lanes = createLanes(registry, options)
    const pairs = [...registry.agreements.values()].flatMap(({ client, grants }) =>
      [...new Set(grants.map(({ service }) => service))].map(service => `${client} ${service}`),
    )
    expect(lanes.map(({ agreement, service }) => `${agreement.client} ${service.contract.id}`)).toEqual(pairs)
    for (const scale of [0.0005, 0.01, 1]) {
      const counts = apportion(lanes, 1_600_000 * scale, scale)
      for (const [at, { grant }] of lanes.entries()) {
        expect(counts[at]).toBeGreaterThanOrEqual(1)
        if (scale === 1) expect(counts[at]).toBeLessThanOrEqual(grant.quotaPerDay ?? Number.POSITIVE_INFINITY)
      }
    }
  })

  test('has all kinds of mistakes, and each of them is refused for one reason', () => {
    const wanted = new Set(askedIn(plan).map(one => one.wanted))
    expect([...wanted].sort()).toEqual([
      'NDX_FIELD_NOT_GRANTED',
      'NDX_GRANT_EXPIRED',
      'NDX_GUESSES_EXCEEDED',
      'NDX_IDEMPOTENCY_KEY_REUSED',
      'NDX_PURPOSE_NOT_GRANTED',
      'NDX_REQUEST_INVALID',
      'NDX_SERVICE_NOT_GRANTED',
      'NDX_SERVICE_UNKNOWN',
      'answered',
      'repeated',
    ])
  })

  test('is of valid questions, but for those that are invalid on purpose', () => {
    for (const { counted, wanted, envelope } of askedIn(plan)) {
      const faults = registry.find(counted)?.checkRequest(envelope['request'])
      expect([counted, wanted, faults === undefined]).toEqual([counted, wanted, wanted !== 'NDX_REQUEST_INVALID'])
    }
  })

  test('has no key twice for one client and service, but where that is meant', () => {
    const seen = new Map<string, Asked>()
    for (const asked of askedIn(plan)) {
      const key = asked.headers['idempotency-key']
      if (key === undefined) continue
      const name = `${asked.client} ${asked.service} ${key}`
      const isMeant = asked.wanted === 'repeated' || asked.wanted === 'NDX_IDEMPOTENCY_KEY_REUSED'
      expect([name, seen.has(name)]).toEqual([name, isMeant])
      seen.set(name, asked)
    }
  })

  test('has an officer who asks about too many people, and one who guesses about one', () => {
    const prying = errandsOf(plan).filter(({ kind }) => kind === 'prying')
    expect(prying.length).toBeGreaterThanOrEqual(60)
    const asked = prying.flatMap(errand => questionsOf(errand, { plan, nation, tag: '', peopleSeed: 1 }))
    expect(new Set(asked.map(({ envelope }) => envelope['officer'])).size).toBe(1)
    const [guessing] = errandsOf(plan).filter(({ kind }) => kind === 'guessing')
    const guesses = questionsOf(guessing!, { plan, nation, tag: '', peopleSeed: 1 })
    const subjects = guesses.map(({ envelope }) => (envelope['request'] as Record<string, unknown>)['personalId'])
    expect(new Set(subjects).size).toBe(1)
    expect(guesses.map(({ wanted }) => wanted)).toEqual([
      ...Array.from({ length: 5 }, () => 'answered'),
      ...Array.from({ length: 3 }, () => 'NDX_GUESSES_EXCEEDED'),
    ])
  })
})

describe('one client’s day', () => {
  test('is its part of everybody’s', () => {
    const bank = createPlan({ ...small, client: 'bank' })
    const whole = askedIn(createPlan(small)).filter(({ client }) => client === 'bank')
    expect(outline(askedIn(bank))).toEqual(outline(whole))
    expect(whole.length).toBeGreaterThan(10)
  })
})

test('a rate is so many questions a second, at the busiest quarter hour', () => {
  const { waves } = createPlan({ ...options, total: 3000, scale: 3000 / 1_600_000, seconds: 10 })
  expect(waves.map(({ startsMs }) => startsMs)).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000])
  const sizes = waves.map(({ errands }) => errands.length)
  expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(1.6)
})
