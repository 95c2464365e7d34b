// What may be committed, whatever order records finish in.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Held, OffsetTracker } from '#bus/offset-tracker.ts'

function hold(tracker: OffsetTracker, offset: number): Held {
  const held = { offset, isFinished: false }
  tracker.add(held)
  return held
}

test('commits the start before anything is finished', () => {
  const tracker = new OffsetTracker(7)
  hold(tracker, 7)
  expect([tracker.next, tracker.highest]).toEqual([7, 7])
})

test('does not commit past a record that is not finished', () => {
  const tracker = new OffsetTracker(0)
  const [a, b, c] = [0, 1, 2].map(offset => hold(tracker, offset)) as [Held, Held, Held]
  tracker.finish(c)
  expect(tracker.next).toBe(0)
  tracker.finish(a)
  expect(tracker.next).toBe(1)
  tracker.finish(b)
  expect(tracker.next).toBe(3)
})

test('passes over gaps in the log', () => {
  const tracker = new OffsetTracker(0)
  const held = [3, 9].map(offset => hold(tracker, offset))
  tracker.finish(held[0]!)
  expect(tracker.next).toBe(9)
  tracker.finish(held[1]!)
  expect(tracker.next).toBe(10)
})

test('refuses an offset it has had', () => {
  const tracker = new OffsetTracker(5)
  hold(tracker, 5)
  expect(() => hold(tracker, 5)).toThrow(RangeError)
  expect(() => hold(tracker, 4)).toThrow(RangeError)
})

test('always commits the lowest unfinished offset', () => {
  const finishing = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 41 })
  fc.assert(
    fc.property(finishing, order => {
      const tracker = new OffsetTracker(0)
      const held = Array.from({ length: 41 }, (_, offset) => hold(tracker, offset))
      for (const offset of order) {
        tracker.finish(held[offset]!)
        expect(tracker.next).toBe(held.find(one => !one.isFinished)?.offset ?? 41)
      }
    }),
  )
})
