// MemoryCounters against the suite of every Counters, and what is its own: an exact clock, and bounds that refuse.
import { describe, expect, test } from 'vitest'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { CountersUnavailable } from '#gateway/counters/counters.ts'
import { ExpiringMap } from '#gateway/counters/expiring-map.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { describeCounters } from '#tests/suites/counters.ts'

describeCounters('MemoryCounters', async () => {
  let nowMs = Date.now()
  let counters = new MemoryCounters({ now: () => nowMs })
  return {
    openCounters: async () => counters,
    now: () => nowMs,
    passTime: async () => {
      nowMs += 1
    },
    loseAll: async () => {
      counters = new MemoryCounters({ now: () => nowMs })
    },
    close: async () => {},
  }
})

describe('MemoryCounters by its clock', () => {
  const start = Date.parse('2026-07-14T10:00:00+07:00')
  const asking = {
    client: 'bank' as ClientId,
    service: 'population/identity-verification' as ServiceId,
    day: '2026-07-14',
    ratePerSecond: 3,
    burst: 2,
  }

  test('has a third of a second’s token after 334 ms and not after 333, and loses no fraction', async () => {
    let nowMs = start
    const counters = new MemoryCounters({ now: () => nowMs })
    await counters.admit(asking)
    await counters.admit(asking)
    nowMs = start + 333
    expect((await counters.admit(asking)).admitted).toBe(false)
    nowMs = start + 334
    expect((await counters.admit(asking)).admitted).toBe(true)
    nowMs = start + 667
    expect((await counters.admit(asking)).admitted).toBe(true)
    nowMs = start + 1000
    expect((await counters.admit(asking)).admitted).toBe(true)
  })

  test('adds nothing when the clock goes back', async () => {
    let nowMs = start
    const counters = new MemoryCounters({ now: () => nowMs })
    await counters.admit(asking)
    await counters.admit(asking)
    nowMs = start - 60_000
    expect((await counters.admit(asking)).admitted).toBe(false)
  })

  test('counts the seconds to midnight in Vietnam', async () => {
    const counters = new MemoryCounters({ now: () => start })
    const { quota } = await counters.admit({ ...asking, quotaPerDay: 10 })
    expect(quota).toEqual({ remaining: 9, resetSeconds: 14 * 3600 })
  })

  test('keeps the audit counters of 40 days', async () => {
    const counters = new MemoryCounters()
    const days = Array.from({ length: 41 }, (_, i) => new Date(start + i * 86_400_000).toISOString().slice(0, 10))
    for (const day of days) counters.count(day, asking.client, 'x/y', 'answered')
    expect(await counters.readDay(days[0]!)).toEqual([])
    expect(await counters.readDay(days[1]!)).toHaveLength(1)
    expect(await counters.readDay(days[40]!)).toHaveLength(1)
  })
})

describe('an expiring map', () => {
  test('refuses one past its bound, and forgets nothing that lives', () => {
    const map = new ExpiringMap<number>(3)
    for (const key of ['a', 'b', 'c']) map.set(key, 1, 100, 0)
    map.set('a', 2, 100, 0)
    expect(() => map.set('d', 1, 100, 0)).toThrow(CountersUnavailable)
    expect(['a', 'b', 'c', 'd'].map(key => map.get(key, 99))).toEqual([2, 1, 1, undefined])
  })

  test('makes room from what has ended', () => {
    const map = new ExpiringMap<number>(3)
    for (const key of ['a', 'b', 'c']) map.set(key, 1, 1000, 0)
    map.set('d', 1, 9000, 1000)
    expect(map.keys(1000)).toEqual(['d'])
  })

  test('stays within twice what lives', () => {
    const map = new ExpiringMap<number>(1_000_000)
    for (let nowMs = 0; nowMs < 100_000; nowMs += 1) map.set(`key ${nowMs}`, 1, nowMs + 2000, nowMs)
    expect(map.size).toBeLessThanOrEqual(4001)
  })
})
