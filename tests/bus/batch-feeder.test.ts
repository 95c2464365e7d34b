// The feeder by itself: its bounds, its pauses, its end.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BatchFeeder } from '#bus/batch-feeder.ts'
import { type IncomingRecord } from '#bus/bus.ts'
import { silent } from '#bus/log.ts'

const record = (offset: number, bytes = 1): IncomingRecord => ({
  topic: 't',
  partition: 0,
  offset: String(offset),
  timestampMs: 0,
  key: null,
  headers: {},
  value: Buffer.alloc(bytes),
})
const records = (count: number): IncomingRecord[] => Array.from({ length: count }, (_, i) => record(i))

let calls: string[][]
let taken: number
let answers: PromiseWithResolvers<void>[]
let feeder: BatchFeeder

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  calls = []
  taken = 0
  answers = []
  feeder = new BatchFeeder({
    recordsMax: 4,
    onRecords: batch => {
      calls.push(batch.map(({ offset }) => offset))
      const answer = Promise.withResolvers<void>()
      answers.push(answer)
      return answer.promise
    },
    onTaken: batch => {
      taken += batch.length
    },
    log: silent,
    random: () => 0.5,
  })
})
afterEach(() => {
  feeder.abandon()
  vi.useRealTimers()
})

/** Turns of the event loop, not of the faked clock. */
async function soon(isMet: () => boolean): Promise<void> {
  for (let turns = 0; !isMet(); turns++) {
    if (turns > 1_000) throw new Error('not within 1,000 turns')
    await new Promise(resolve => setImmediate(resolve))
  }
}

const called = (count: number): Promise<void> => soon(() => calls.length === count)
const pausing = (): Promise<void> => soon(() => vi.getTimerCount() === 1)

test('hands on together what one turn brought, and no more than it may', async () => {
  feeder.add(records(1))
  feeder.add([record(1), record(2)])
  expect(calls).toEqual([])
  await called(1)
  expect(calls).toEqual([['0', '1', '2']])
  feeder.add([3, 4, 5, 6, 7].map(offset => record(offset)))
  answers[0]?.resolve()
  await called(2)
  expect(calls[1]).toEqual(['3', '4', '5', '6'])
})

test('has room while less than a batch waits', async () => {
  feeder.add(records(3))
  expect(feeder.hasRoom).toBe(true)
  feeder.add([record(3)])
  expect(feeder.hasRoom).toBe(false)
  let isRoom = false
  void feeder.room().then(() => {
    isRoom = true
  })
  await called(1)
  expect(feeder.hasRoom).toBe(true)
  answers[0]?.resolve()
  await soon(() => isRoom)
})

test('has no room when the values that wait are long', () => {
  feeder.add([record(0, 8_388_607)])
  expect(feeder.hasRoom).toBe(true)
  feeder.add([record(1)])
  expect(feeder.hasRoom).toBe(false)
})

test('hands on the same after a pause that grows, when it was refused', async () => {
  feeder.add(records(2))
  for (const [i, pauseMs] of [100, 200, 400].entries()) {
    await called(i + 1)
    answers[i]?.reject(new Error('not now'))
    await pausing()
    await vi.advanceTimersByTimeAsync(pauseMs - 1)
    expect(calls.length).toBe(i + 1)
    await vi.advanceTimersByTimeAsync(1)
  }
  await called(4)
  expect(calls[3]).toEqual(['0', '1'])
  expect(taken).toBe(0)
  answers[3]?.resolve()
  await soon(() => taken === 2)
})

test('is stopped when what is being taken is settled, and ends a pause', async () => {
  feeder.add(records(6))
  await called(1)
  const stopped = feeder.stop()
  answers[0]?.resolve()
  await stopped
  await Promise.all([feeder.room(), feeder.stop()])
  feeder.add(records(1))
  expect([calls.length, taken]).toEqual([1, 4])
})

test('leaves no timer when stopped in a pause', async () => {
  feeder.add(records(1))
  await called(1)
  answers[0]?.reject(new Error('not now'))
  await pausing()
  await feeder.stop()
  expect(vi.getTimerCount()).toBe(0)
  expect(calls.length).toBe(1)
})

test('does what is between two records when those before are taken, before those after, again until it succeeds', async () => {
  const done: number[] = []
  feeder.add(records(2))
  feeder.addAct(() => void done.push(taken))
  feeder.addAct(async () => {
    done.push(taken)
    if (done.length < 3) throw new Error('not now')
  })
  feeder.add([record(2)])
  await called(1)
  expect([calls, done]).toEqual([[['0', '1']], []])
  answers[0]?.resolve()
  await pausing()
  expect([calls.length, done]).toEqual([1, [2, 2]])
  await vi.advanceTimersByTimeAsync(100)
  await called(2)
  expect([calls[1], done]).toEqual([['2'], [2, 2, 2]])
})

test('has no room while many things to do wait', () => {
  for (let i = 0; i < 4; i++) feeder.addAct(() => {})
  expect(feeder.hasRoom).toBe(false)
})
