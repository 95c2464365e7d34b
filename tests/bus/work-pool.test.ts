// The pool alone: bounds, order of a key, retry, and what stops.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { OffsetTracker } from '#bus/offset-tracker.ts'
import { pauseAfter, WorkPool } from '#bus/work-pool.ts'
import { until } from '#tests/bus/until.ts'

function incoming(offset: number, key: string | null = null): IncomingRecord {
  return {
    topic: 'ndx.request.x',
    partition: 0,
    offset: String(offset),
    timestampMs: 0,
    key,
    headers: {},
    value: Buffer.alloc(0),
  }
}

/** A pool whose handlers end when told to. */
function gatedPool(size: number) {
  const begun: { offset: number; end(): void; fail(): void }[] = []
  const handle = ({ offset }: IncomingRecord): Promise<void> =>
    new Promise((resolve, reject) => {
      begun.push({ offset: Number(offset), end: resolve, fail: () => reject(new Error('register away')) })
    })
  return { pool: new WorkPool({ size, handle, random: () => 0.5 }), begun }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('handles as many at once as its size, and one more when one has ended', async () => {
  const { pool, begun } = gatedPool(2)
  const tracker = new OffsetTracker(0)
  for (const offset of [0, 1, 2]) pool.add(incoming(offset), tracker)
  expect([begun.map(one => one.offset), pool.held]).toEqual([[0, 1], 3])
  begun[1]?.end()
  await turn()
  expect([begun.map(one => one.offset), pool.held, tracker.next]).toEqual([[0, 1, 2], 2, 0])
  pool.abandon()
})

test('keeps the records of a key in order while others overtake', async () => {
  const { pool, begun } = gatedPool(10)
  const tracker = new OffsetTracker(0)
  for (const [offset, key] of ['a', 'a', 'b', null, 'a', null].entries()) pool.add(incoming(offset, key), tracker)
  expect(begun.map(one => one.offset)).toEqual([0, 2, 3, 5])
  begun[0]?.end()
  await turn()
  expect(begun.map(one => one.offset)).toEqual([0, 2, 3, 5, 1])
  begun[4]?.end()
  await turn()
  expect(begun.map(one => one.offset)).toEqual([0, 2, 3, 5, 1, 4])
})

test('frees the slot of a rejected record, and handles it again before the next of its key', async () => {
  const { pool, begun } = gatedPool(1)
  const tracker = new OffsetTracker(0)
  pool.add(incoming(0, 'bad'), tracker)
  pool.add(incoming(1, 'bad'), tracker)
  pool.add(incoming(2, 'good'), tracker)
  begun[0]?.fail()
  await turn()
  expect(begun.map(one => one.offset)).toEqual([0, 2])
  begun[1]?.end()
  await until('the rejected one is handled again', () => begun.length === 3)
  expect([begun[2]?.offset, tracker.next, pool.held]).toEqual([0, 0, 2])
  begun[2]?.end()
  await turn()
  expect([begun[3]?.offset, tracker.next]).toEqual([1, 1])
  begun[3]?.end()
  await turn()
  expect([tracker.next, pool.held]).toEqual([3, 0])
})

test('takes a handler that throws at once for one that rejects', async () => {
  const rejections: unknown[] = []
  const handle = (): never => {
    throw new Error('a bug')
  }
  const pool = new WorkPool({ size: 1, handle, onRejection: error => void rejections.push(error) })
  pool.add(incoming(0), new OffsetTracker(0))
  await turn()
  expect(rejections).toMatchObject([{ message: 'a bug' }])
  await pool.stop()
})

test('does not begin what waits in a partition that was lost, and lets its key go', async () => {
  const { pool, begun } = gatedPool(1)
  const [lost, kept] = [new OffsetTracker(0), new OffsetTracker(0)]
  for (const offset of [0, 1, 2]) pool.add(incoming(offset, 'k'), lost)
  pool.add(incoming(0, 'k'), kept)
  lost.close()
  begun[0]?.end()
  await turn()
  expect(begun.length).toBe(2)
  expect(pool.held).toBe(1)
  begun[1]?.end()
  await turn()
  expect([pool.held, kept.next]).toEqual([0, 1])
})

test('begins nothing while quiet, resolves when nothing is handled, and goes on when resumed', async () => {
  const { pool, begun } = gatedPool(1)
  const tracker = new OffsetTracker(0)
  pool.add(incoming(0), tracker)
  pool.add(incoming(1), tracker)
  let isQuiet = false
  const quiet = pool.quiesce(10_000).then(() => {
    isQuiet = true
  })
  await turn()
  expect(isQuiet).toBe(false)
  begun[0]?.end()
  await quiet
  pool.add(incoming(2), tracker)
  expect(begun.length).toBe(1)
  pool.resume()
  expect(begun.length).toBe(2)
  await pool.quiesce(5)
  expect(begun.length).toBe(2)
})

test('stops when what is being handled has ended, and begins nothing more', async () => {
  const { pool, begun } = gatedPool(1)
  const tracker = new OffsetTracker(0)
  for (const offset of [0, 1]) pool.add(incoming(offset), tracker)
  const stopped = pool.stop()
  begun[0]?.end()
  await stopped
  await pool.stop()
  expect([begun.length, tracker.next]).toEqual([1, 1])
})

test('stops without waiting for a pause after a rejection', async () => {
  const { pool, begun } = gatedPool(1)
  pool.add(incoming(0), new OffsetTracker(0))
  begun[0]?.fail()
  await turn()
  await pool.stop()
  expect(begun.length).toBe(1)
})

test('handles each record once and in the order of its key, whatever the keys and the size', async () => {
  const keys = fc.array(fc.option(fc.constantFrom('a', 'b', 'c')), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(keys, fc.integer({ min: 1, max: 5 }), async (order, size) => {
      const ended: number[] = []
      let running = 0
      const handle = async ({ offset }: IncomingRecord): Promise<void> => {
        expect(++running).toBeLessThanOrEqual(size)
        for (let i = Number(offset) % 3; i > 0; i--) await Promise.resolve()
        running--
        ended.push(Number(offset))
      }
      const pool = new WorkPool({ size, handle })
      const tracker = new OffsetTracker(0)
      for (const [offset, key] of order.entries()) pool.add(incoming(offset, key), tracker)
      await until('all ended', () => ended.length === order.length)
      await turn()
      for (const key of 'abc') {
        const ofKey = ended.filter(offset => order[offset] === key)
        expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b))
      }
      expect([new Set(ended).size, tracker.next, pool.held]).toEqual([order.length, order.length, 0])
    }),
    { numRuns: 40 },
  )
})

test('pauses 100 ms at first, longer every time, and 2 s at most', () => {
  expect([1, 2, 3, 4, 5, 6, 50].map(rejections => pauseAfter(rejections, () => 0.5))).toEqual([
    100, 200, 400, 800, 1600, 2000, 2000,
  ])
  expect([pauseAfter(1, () => 0), pauseAfter(3, () => 0), pauseAfter(3, () => 1), pauseAfter(9, () => 1)]).toEqual([
    100, 300, 500, 2000,
  ])
})
