// Which partitions a follower asks for and what it hands on, so that what was written together is read together and none waits for ever.
import { beforeEach, expect, it } from 'vitest'
import { type FetchedPartition } from '#bus/kafka-bus/fetch-response.ts'
import { Placed } from '#bus/kafka-bus/placed-part.ts'
import { Step } from '#bus/kafka-bus/step.ts'

const stepMs = 100
const sentMs = 1_000_000
let nowMs: number
let step: Step

beforeEach(() => {
  nowMs = 0
  step = new Step(stepMs, () => nowMs)
})

const placedAt = (readMs: number | null, leader: string | null = '1'): Placed => {
  const placed = new Placed({ topic: 'ndx.test', partition: 0, position: 5, start: 'oldest' }, () => undefined)
  return Object.assign(placed, { readMs, leader })
}

/** Of records written at these times; `nextOffset` and `highWatermark` say what else is there. */
function answer(timesMs: readonly number[], rest: Partial<FetchedPartition> = {}): FetchedPartition {
  const records = timesMs.map((timestampMs, i) => ({
    topic: 'ndx.test',
    partition: 0,
    offset: String(i),
    timestampMs,
    key: null,
    headers: {},
    value: Buffer.alloc(0),
  }))
  return {
    topic: 'ndx.test',
    topicId: 'a',
    partition: 0,
    errorCode: 0,
    highWatermark: 100,
    oldest: 0,
    diverging: null,
    records,
    unreadable: [],
    nextOffset: records.length,
    leaderEpoch: 0,
    ...rest,
  }
}

/** As if it was asked for and answered. */
const answered = (placed: Placed, fetched: FetchedPartition, isFirst = true): void =>
  step.reached(placed, fetched, { sentMs, isFirst })

const atEnd = answer([], { highWatermark: 5 })

it('asks for what is at most a step ahead of the part farthest behind, whoever leads that', () => {
  const mine = [placedAt(0), placedAt(stepMs), placedAt(stepMs + 1), placedAt(50)]
  expect(step.choose(mine, mine).map(({ readMs }) => readMs)).toEqual([0, stepMs, 50])
  expect(step.choose(mine, [...mine, placedAt(-60, '2')]).map(({ readMs }) => readMs)).toEqual([0])
  expect(step.choose(mine, [...mine, placedAt(-200, '2')])).toEqual([])
})

it('asks first for what nothing is known of yet', () => {
  const mine = [placedAt(0), placedAt(null), placedAt(null)]
  expect(step.choose(mine, mine)).toEqual(mine.slice(1))
})

it('leaves out nobody without a step', () => {
  const mine = [placedAt(null), placedAt(0), placedAt(1e15)]
  expect(new Step(Number.POSITIVE_INFINITY, () => 0).choose(mine, mine)).toEqual(mine)
})

it('waits neither for a part that cannot be read nor for a broker that does not answer', () => {
  const mine = [placedAt(10_000)]
  const other = placedAt(0, '2')
  const all = [...mine, other, placedAt(0, null)]
  step.choose([other], all)
  expect([step.choose(mine, all), step.readUpToMs(all)]).toEqual([[], 0])
  nowMs += 999
  expect(step.choose(mine, all)).toEqual([])
  nowMs += 1
  expect(step.choose(mine, all)).toEqual(mine)
  expect(step.readUpToMs(all)).toBe(10_000)
})

it.each([
  ['records and more to come', answer([10, 20]), 20],
  ['its newest records', answer([10, 20], { highWatermark: 5 }), sentMs],
  ['nothing, at its end', atEnd, sentMs],
  ['a record of a time to come', answer([10, sentMs * 2]), sentMs],
  ['a batch that nobody can read', answer([], { nextOffset: 7 }), 3],
])('is as far as an answer says: %s', (_, fetched, expected) => {
  const placed = placedAt(3)
  answered(placed, fetched)
  expect(placed.readMs).toBe(expected)
})

it('waits for room in the next answer, but holds nobody up when there was room and nothing came', () => {
  const [later, first] = [placedAt(3), placedAt(3)]
  answered(later, answer([], { nextOffset: 0 }), false)
  answered(first, answer([], { nextOffset: 0 }))
  expect([later.readMs, first.readMs]).toEqual([3, sentMs])
})

it('hands on what was written before the farthest part was read, and everything once all are read to their ends', () => {
  const all = [placedAt(null), placedAt(null), placedAt(0, null)]
  const [one, other] = step.choose(all.slice(0, 2), all) as [Placed, Placed]
  answered(one, answer([10, 20]))
  expect(step.readUpToMs(all)).toBeLessThan(0)
  answered(other, answer([5, 15]))
  expect(step.readUpToMs(all)).toBe(15)
  answered(other, atEnd)
  expect(step.readUpToMs(all)).toBe(20)
  answered(one, atEnd)
  expect(step.readUpToMs(all)).toBe(Number.POSITIVE_INFINITY)
})

it('what was at its end and is ahead may have records since', () => {
  const all = [placedAt(null), placedAt(0)]
  const [one] = step.choose(all, all) as [Placed]
  answered(one, atEnd)
  expect(step.choose(all, all)).toEqual(all.slice(1))
  expect(step.readUpToMs(all)).toBe(0)
  answered(all[1] as Placed, answer([sentMs - 1]))
  expect(step.choose(all, all)).toEqual(all)
  answered(all[1] as Placed, atEnd)
  expect(step.readUpToMs(all)).toBe(Number.POSITIVE_INFINITY)
})

it('brings all parts on, each answer that of one farthest behind', () => {
  const parts = [placedAt(0), placedAt(5_000), placedAt(9_000)]
  for (let answers = 0; answers < 30; answers++) {
    const [asked] = step.choose(parts, parts) as [Placed]
    answered(asked, answer([(asked.readMs ?? 0) + 1_000]))
  }
  expect(parts.map(({ readMs }) => readMs)).toEqual([15_000, 15_000, 14_000])
})
