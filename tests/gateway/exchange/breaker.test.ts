// The circuit breaker by a clock of the test's: when it opens, for how long, and how it finds a provider back.
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type ProviderId } from '#contracts/contract.ts'
import { type Breakers, type CallOutcome, createBreakers } from '#gateway/exchange/breaker.ts'

const provider = 'population' as ProviderId
const other = 'business' as ProviderId

describe('a circuit breaker', () => {
  let nowMs: number
  let luck: number
  let changes: string[]
  let breakers: Breakers

  beforeEach(() => {
    nowMs = 1_000_000
    luck = 0.5 // the middle of every jitter
    changes = []
    breakers = createBreakers({
      now: () => nowMs,
      random: () => luck,
      probeLifeMs: 10_000,
      onChange: (name, state) => void changes.push(`${name} ${state}`),
    })
  })

  const admit = (): ((outcome: CallOutcome) => void) => {
    const admission = breakers.admit(provider)
    if (!admission.ok) throw new Error(`refused for ${admission.retryAfterSeconds} s`)
    return admission.settle
  }
  const call = (outcome: CallOutcome, times = 1): void => {
    for (let i = 0; i < times; i += 1) admit()(outcome)
  }
  const isAdmitted = (): boolean => breakers.admit(provider).ok
  /** Opens it from closed. */
  const open = (): void => call('failed', 20)
  const failAProbe = (): void => admit()('failed')
  /** How long it is open now, found by looking. */
  const openForMs = (): number => {
    const startMs = nowMs
    while (breakers.state(provider) === 'open') nowMs += 1
    return nowMs - startMs
  }

  test('opens when 10 of 20 calls failed, and not when 10 of 21 did', () => {
    call('ok', 10)
    call('failed', 9)
    expect(breakers.state(provider)).toBe('closed')
    call('failed')
    expect([breakers.state(provider), isAdmitted(), changes]).toEqual(['open', false, ['population open']])
  })

  test('does not open when 10 of 21 calls failed', () => {
    call('ok', 11)
    call('failed', 10)
    expect([breakers.state(provider), changes]).toEqual(['closed', []])
  })

  test('does not open at 19 calls, though all failed', () => {
    call('failed', 19)
    expect(breakers.state(provider)).toBe('closed')
    call('failed')
    expect(breakers.state(provider)).toBe('open')
  })

  test('forgets what settled 10 s ago', () => {
    call('failed', 18)
    call('ok')
    nowMs += 10_000
    call('failed', 19)
    expect(breakers.state(provider)).toBe('closed')
    nowMs += 9000
    call('failed')
    expect(breakers.state(provider)).toBe('open')
  })

  test('opens at the fourth failure in a row where calls are rare, and not before these took 10 s', () => {
    const failEvery = (everyMs: number, times: number): string[] =>
      Array.from({ length: times }, () => {
        nowMs += everyMs
        call('failed')
        return breakers.state(provider)
      })
    expect(failEvery(5_000, 3)).toEqual(['closed', 'closed', 'closed'])
    call('unasked')
    call('ok')
    expect(failEvery(5_000, 4)).toEqual(['closed', 'closed', 'closed', 'open'])
    nowMs += 5_000
    call('ok', 5)
    expect(failEvery(3_333, 5)).toEqual(['closed', 'closed', 'closed', 'closed', 'open'])
  })

  test('counts a call when it settles, once, and not at all when it never reached the provider', () => {
    const settles = Array.from({ length: 20 }, admit)
    nowMs += 60_000
    for (const settle of settles.slice(1)) for (const outcome of ['failed', 'failed', 'ok'] as const) settle(outcome)
    call('unasked', 100)
    expect(breakers.state(provider)).toBe('closed')
    settles[0]?.('failed')
    expect(breakers.state(provider)).toBe('open')
  })

  test('is one for each provider', () => {
    open()
    expect([breakers.admit(other).ok, breakers.state(other)]).toEqual([true, 'closed'])
  })

  test('is open for 5 s, give or take a fifth, and says when to come back', () => {
    for (const [drawn, forMs] of [
      [0, 4000],
      [0.5, 5000],
      [0.999_999, 6000],
    ] as const) {
      nowMs += 1_000_000
      luck = drawn
      open()
      luck = 0
      expect(breakers.admit(provider)).toEqual({ ok: false, retryAfterSeconds: forMs / 1000 })
      luck = 0.999
      expect(breakers.admit(provider)).toEqual({ ok: false, retryAfterSeconds: forMs / 1000 + 2 })
      luck = 0.5
      expect(openForMs()).toBe(forMs)
      call('ok', 5)
    }
  })

  test('is open twice as long after every failed probe, 60 s at most, and 5 s again once it was closed', () => {
    open()
    const lasted = [openForMs()]
    for (let i = 0; i < 5; i += 1) {
      failAProbe()
      lasted.push(openForMs())
    }
    expect(lasted).toEqual([5000, 10_000, 20_000, 40_000, 50_000, 50_000])
    luck = 0.999_999
    failAProbe()
    expect(openForMs()).toBe(60_000)
    call('ok', 5)
    luck = 0.5
    open()
    expect(openForMs()).toBe(5000)
  })

  test('lets 5 probes at once, and the next when one has settled', () => {
    open()
    nowMs += 5000
    expect(breakers.state(provider)).toBe('half-open')
    const probes = Array.from({ length: 5 }, admit)
    expect(breakers.admit(provider)).toEqual({ ok: false, retryAfterSeconds: 1 })
    probes[0]?.('ok')
    expect([isAdmitted(), isAdmitted()]).toEqual([true, false])
  })

  test('closes after 5 good probes, and not after 4', () => {
    open()
    nowMs += 5000
    call('ok', 4)
    call('unasked')
    expect(breakers.state(provider)).toBe('half-open')
    call('ok')
    expect(breakers.state(provider)).toBe('closed')
    expect(changes).toEqual(['population open', 'population half-open', 'population closed'])
    call('failed', 19)
    expect(breakers.state(provider)).toBe('closed')
  })

  test('opens again on one bad probe, whatever the others say', () => {
    open()
    nowMs += 5000
    const probes = Array.from({ length: 5 }, admit)
    for (const probe of probes.slice(0, 4)) probe('ok')
    probes[4]?.('failed')
    expect(breakers.state(provider)).toBe('open')
  })

  test('does not wait for ever for probes that never settle', () => {
    open()
    nowMs += 5000
    const probes = Array.from({ length: 5 }, admit)
    nowMs += 9999
    expect(isAdmitted()).toBe(false)
    nowMs += 1
    call('ok', 4)
    expect(breakers.state(provider)).toBe('half-open')
    probes[0]?.('ok') // late, and still true
    expect(breakers.state(provider)).toBe('closed')
  })

  test('takes no word of a call that began before its state changed', () => {
    const before = Array.from({ length: 50 }, admit)
    open()
    for (const settle of before.slice(0, 25)) settle('ok')
    nowMs += 5000
    for (const settle of before.slice(25, 40)) settle('ok')
    expect(breakers.state(provider)).toBe('half-open')
    before[40]?.('failed')
    expect(breakers.state(provider)).toBe('half-open')
    call('ok', 5)
    for (const settle of before.slice(41)) settle('failed')
    call('failed', 15)
    expect(breakers.state(provider)).toBe('closed')
  })

  test('whatever happens: never more than 5 probes, and a provider that is well again is found well', () => {
    const step = fc.record({
      waitMs: fc.nat(3000),
      what: fc.constantFrom('ok', 'failed', 'failed', 'unasked', 'lost', 'lost'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), steps => {
        const under = new Set<{ sinceMs: number; settle(outcome: CallOutcome): void }>()
        const own = createBreakers({
          now: () => nowMs,
          random: Math.random,
          probeLifeMs: 10_000,
          onChange: () => under.clear(),
        })
        for (const { waitMs, what } of steps) {
          nowMs += waitMs
          const admission = own.admit(provider)
          if (admission.ok) under.add({ sinceMs: nowMs, settle: admission.settle })
          else expect(Math.min(62, Math.max(1, admission.retryAfterSeconds))).toBe(admission.retryAfterSeconds)
          const alive = [...under].filter(call => call.sinceMs > nowMs - 10_000)
          if (own.state(provider) === 'half-open') expect(alive.length).toBeLessThanOrEqual(5)
          const [first] = alive
          if (what === 'lost' || first === undefined) continue
          under.delete(first)
          first.settle(what)
        }
        for (let waited = 0; waited < 80 && own.state(provider) !== 'closed'; waited += 1) {
          nowMs += 1000
          for (const probe of Array.from({ length: 5 }, () => own.admit(provider))) if (probe.ok) probe.settle('ok')
        }
        expect(own.state(provider)).toBe('closed')
      }),
      { numRuns: 200 },
    )
  })
})
