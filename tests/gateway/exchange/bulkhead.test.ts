// The bulkhead: its bounds at the limit and one past it, what each priority leaves free, and that no count leaks.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ProviderId } from '#contracts/contract.ts'
import { type Bulkhead, createBulkhead, type Priority } from '#gateway/exchange/bulkhead.ts'

const population = 'population' as ProviderId
const business = 'business' as ProviderId
const priorities: Priority[] = ['health', 'verification', 'disclosure', 'bulk']

/** Enters until refused; a bound that is missing ends the test, not the process. */
function fill(bulkhead: Bulkhead, provider: ProviderId, priority: Priority): number {
  for (let entered = 0; entered < 1000; entered += 1) if (!bulkhead.enter(provider, priority).ok) return entered
  throw new Error('no bound')
}

describe('a bulkhead', () => {
  test.each([
    ['health', 10],
    ['verification', 10],
    ['disclosure', 8],
    ['bulk', 5],
  ] as const)('lets %s use %i of 10 places of one provider, and not one more', (priority, places) => {
    const bulkhead = createBulkhead({ totalMax: 100, providerMax: 10, random: Math.random })
    expect(fill(bulkhead, population, priority)).toBe(places)
    expect(bulkhead.enter(population, priority)).toMatchObject({ ok: false, full: 'provider' })
    expect([bulkhead.inFlight(population), bulkhead.inFlight(business), bulkhead.inFlight()]).toEqual([
      places,
      0,
      places,
    ])
    expect(bulkhead.enter(business, priority).ok).toBe(true)
  })

  test.each([
    ['health', 10],
    ['verification', 10],
    ['disclosure', 8],
    ['bulk', 5],
  ] as const)('lets %s use %i of 10 places in all, and not one more', (priority, places) => {
    const bulkhead = createBulkhead({ totalMax: 10, providerMax: 100, random: Math.random })
    expect(fill(bulkhead, population, priority)).toBe(places)
    expect(bulkhead.enter(business, priority)).toMatchObject({ ok: false, full: 'total' })
  })

  test('leaves room for what is urgent when the rest has taken its own', () => {
    const bulkhead = createBulkhead({ totalMax: 100, providerMax: 10, random: Math.random })
    expect(
      ['bulk', 'disclosure', 'verification'].map(priority => fill(bulkhead, population, priority as Priority)),
    ).toEqual([5, 3, 2])
  })

  test('lets each priority in once, however small it is', () => {
    const bulkhead = createBulkhead({ totalMax: 1, providerMax: 1, random: Math.random })
    for (const priority of priorities) {
      const entry = bulkhead.enter(population, priority)
      expect(bulkhead.enter(business, priority)).toMatchObject({ full: 'total' })
      if (entry.ok) entry.leave()
    }
    expect(bulkhead.inFlight()).toBe(0)
  })

  test('spreads those it refuses over 1 to 3 s', () => {
    let luck = 0
    const bulkhead = createBulkhead({ totalMax: 1, providerMax: 1, random: () => luck })
    bulkhead.enter(population, 'verification')
    const drawn = [0, 0.34, 0.67, 0.999].map(drawn => {
      luck = drawn
      return bulkhead.enter(population, 'verification')
    })
    expect(drawn).toEqual([1, 2, 3, 3].map(retryAfterSeconds => ({ ok: false, full: 'total', retryAfterSeconds })))
  })

  test('leaves once, however often it is said', () => {
    const bulkhead = createBulkhead({ totalMax: 10, providerMax: 10, random: Math.random })
    const [first] = [bulkhead.enter(population, 'bulk'), bulkhead.enter(population, 'bulk')]
    for (let i = 0; i < 5; i += 1) if (first?.ok) first.leave()
    expect([bulkhead.inFlight(population), bulkhead.inFlight()]).toEqual([1, 1])
  })

  test('whatever comes and goes: the counts are those inside, and the bounds hold', () => {
    const step = fc.oneof(
      fc.record({
        what: fc.constant('enter' as const),
        provider: fc.constantFrom(population, business, 'land' as ProviderId),
        priority: fc.constantFrom(...priorities),
      }),
      fc.record({ what: fc.constant('leave' as const), which: fc.nat(50) }),
    )
    const bounds = fc.record({
      totalMax: fc.integer({ min: 1, max: 20 }),
      providerMax: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(bounds, fc.array(step, { maxLength: 200 }), ({ totalMax, providerMax }, steps) => {
        const bulkhead = createBulkhead({ totalMax, providerMax, random: Math.random })
        const percents = { health: 100, verification: 100, disclosure: 80, bulk: 50 }
        const entries: { provider: ProviderId; isInside: boolean; leave(): void }[] = []
        const inside = (provider?: ProviderId): number =>
          entries.filter(entry => entry.isInside && (provider === undefined || entry.provider === provider)).length
        for (const step of steps) {
          if (step.what === 'leave') {
            const entry = entries[step.which]
            entry?.leave()
            if (entry) entry.isInside = false
          } else {
            const room = (max: number): number => Math.max(1, Math.floor((max * percents[step.priority]) / 100))
            const isFull = inside() >= room(totalMax) || inside(step.provider) >= room(providerMax)
            const entry = bulkhead.enter(step.provider, step.priority)
            expect(entry.ok).toBe(!isFull)
            if (entry.ok) entries.push({ provider: step.provider, isInside: true, leave: entry.leave })
          }
          expect(bulkhead.inFlight()).toBe(inside())
          expect(bulkhead.inFlight(population)).toBe(inside(population))
        }
        for (const entry of entries) entry.leave()
        expect([bulkhead.inFlight(), bulkhead.inFlight(population), bulkhead.inFlight(business)]).toEqual([0, 0, 0])
      }),
      { numRuns: 200 },
    )
  })
})
