// The shape of a simulated Monday: when it peaks, and that draws follow it.
import { describe, expect, test } from 'vitest'
import { clockOf, drawQuarter, loadAt, peakQuarter, quartersADay, timeOfDay } from '#cli/simulate/day-profile.ts'
import { createChance } from '#nation/chance.ts'

const quarters = Array.from({ length: quartersADay }, (_, quarter) => quarter)

describe('a working Monday', () => {
  test.each(['office', 'public'] as const)('has its peak at 08:30 for %s', profile => {
    const loads = quarters.map(quarter => loadAt(profile, quarter))
    expect(clockOf(loads.indexOf(Math.max(...loads)))).toBe('08:30')
    expect(clockOf(peakQuarter)).toBe('08:30')
  })

  test('has a lunch break in offices, and reconciliations at night', () => {
    expect(loadAt('office', 4 * 12)).toBeLessThan(loadAt('office', 4 * 10) / 4)
    expect(loadAt('office', 4 * 3)).toBeLessThan(1)
    expect(loadAt('nightly', 4 * 3)).toBeGreaterThan(3 * loadAt('nightly', 4 * 12))
  })

  test('is what draws follow', () => {
    const chance = createChance(1)
    const counts = quarters.map(() => 0)
    const draws = 50_000
    for (let i = 0; i < draws; i++) {
      const quarter = drawQuarter('commerce', chance.draw(i, 0))
      counts[quarter] = (counts[quarter] ?? 0) + 1
    }
    const total = quarters.reduce((sum, quarter) => sum + loadAt('commerce', quarter), 0)
    for (const quarter of quarters)
      expect(Math.abs((counts[quarter] ?? 0) / draws - loadAt('commerce', quarter) / total)).toBeLessThan(0.003)
    expect([drawQuarter('office', 0), drawQuarter('office', 0xffff_ffff)]).toEqual([0, 95])
  })
})

test('a time of day is written HHmmssfff', () => {
  expect(timeOfDay(34, 0)).toBe('083000000')
  expect(timeOfDay(34, 899_999)).toBe('084459999')
  expect(timeOfDay(95, 61_007)).toBe('234601007')
})
