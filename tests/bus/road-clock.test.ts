// The road's clock on clocks of the test's own making.
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { RoadClock } from '#bus/road-clock.ts'

/** What the broker's clock shows when ours shows 0. */
const roadMs = 1_700_000_000_000
let monotonicMs: number
let clock: RoadClock

beforeEach(() => {
  monotonicMs = 1_000
  clock = new RoadClock({ monotonicMs: () => monotonicMs, localMs: () => 42 })
})

/** A record that went out now, was written after `thereMs` and acknowledged `backMs` later. */
function acknowledge(thereMs: number, backMs: number, aheadMs = roadMs): void {
  const sentMs = monotonicMs
  monotonicMs += thereMs + backMs
  clock.add({ sentMs, ackedMs: monotonicMs, appendedMs: Math.floor(sentMs + thereMs + aheadMs) })
}

test("shows this process's own clock until something was acknowledged", () => {
  expect(clock.now()).toBe(42)
})

test('shows the time of the road, in whole ms, and goes on with the monotonic clock', () => {
  acknowledge(3, 3)
  expect(Math.abs(clock.now() - (roadMs + monotonicMs))).toBeLessThanOrEqual(1)
  monotonicMs += 12_345.678
  expect(Math.abs(clock.now() - (roadMs + monotonicMs))).toBeLessThanOrEqual(1)
  expect(Number.isInteger(clock.now())).toBe(true)
})

test('trusts the shortest round trip of the last minute', () => {
  acknowledge(1, 1)
  for (let i = 0; i < 50; i++) acknowledge(0, 190)
  expect(Math.abs(clock.now() - (roadMs + monotonicMs))).toBeLessThanOrEqual(1)
})

test('forgets what is older than a minute', () => {
  acknowledge(1, 1)
  // Slowly: our clock loses 40 ms a minute.
  monotonicMs += 59_000
  acknowledge(5, 5, roadMs + 40)
  expect(Math.abs(clock.now() - (roadMs + monotonicMs))).toBeLessThanOrEqual(1)
  monotonicMs += 5_000
  acknowledge(5, 5, roadMs + 40)
  expect(Math.abs(clock.now() - (roadMs + 40 + monotonicMs))).toBeLessThanOrEqual(1)
})

test('is never wrong by more than half the shortest round trip', () => {
  const trip = fc.record({ there: fc.double({ min: 0, max: 90, noNaN: true }), back: fc.nat(90), gap: fc.nat(2_000) })
  fc.assert(
    fc.property(fc.array(trip, { minLength: 1, maxLength: 20 }), trips => {
      monotonicMs = 1_000
      clock = new RoadClock({ monotonicMs: () => monotonicMs, localMs: () => 42 })
      for (const { there, back, gap } of trips) {
        monotonicMs += gap
        acknowledge(there, back)
      }
      const shortest = Math.min(...trips.map(({ there, back }) => there + back))
      expect(Math.abs(clock.now() - (roadMs + monotonicMs))).toBeLessThanOrEqual(shortest / 2 + 1.01)
    }),
    { numRuns: 300 },
  )
})

test('follows at once when a clock was set or the machine slept', () => {
  acknowledge(1, 1)
  const hourMs = 3_600_000
  acknowledge(10, 10, roadMs + hourMs)
  expect(Math.abs(clock.now() - (roadMs + hourMs + monotonicMs))).toBeLessThanOrEqual(1)
  acknowledge(10, 10, roadMs)
  expect(Math.abs(clock.now() - (roadMs + monotonicMs))).toBeLessThanOrEqual(1)
})

test('waits out a small correction instead of running backwards', () => {
  acknowledge(1, 30)
  const beforeMs = clock.now()
  acknowledge(0.5, 0.5)
  let lastMs = beforeMs
  for (let i = 0; i < 40; i++) {
    const nowMs = clock.now()
    expect(nowMs).toBeGreaterThanOrEqual(lastMs)
    lastMs = nowMs
    monotonicMs += 1
  }
  expect(Math.abs(clock.now() - (roadMs + monotonicMs))).toBeLessThanOrEqual(1)
})

test('ignores what cannot be', () => {
  acknowledge(1, 1)
  clock.add({ sentMs: 10, ackedMs: 5, appendedMs: 1 })
  clock.add({ sentMs: 10, ackedMs: 20, appendedMs: Number.NaN })
  expect(Math.abs(clock.now() - (roadMs + monotonicMs))).toBeLessThanOrEqual(1)
})
