// Which parts a broker is asked for, so that what was written together is read about together and no part waits for ever.
import { expect, it } from 'vitest'
import { type FetchedPartition } from '#bus/kafka-bus/fetch-response.ts'
import { inStep, Placed } from '#bus/kafka-bus/placed-part.ts'

const stepMs = 100
const sentMs = 1_000_000

const placedAt = (readMs: number | null, position = 5): Placed => {
  const part = { topic: 'ndx.test', partition: 0, position, start: 'oldest' as const }
  const placed = new Placed(part, () => undefined)
  placed.readMs = readMs
  return placed
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

const readOf = (parts: readonly Placed[]): (number | null)[] => inStep(parts, stepMs).map(({ readMs }) => readMs)

it('reads on where it is at most a step ahead of the part farthest behind', () => {
  expect(readOf([placedAt(0), placedAt(stepMs), placedAt(stepMs + 1), placedAt(50)])).toEqual([0, stepMs, 50])
})

it('asks first for what nothing is known of yet', () => {
  expect(readOf([placedAt(0), placedAt(null), placedAt(null)])).toEqual([null, null])
})

it('leaves out nobody without a step', () => {
  expect(inStep([placedAt(0), placedAt(1e15)], Number.POSITIVE_INFINITY)).toHaveLength(2)
})

it.each([
  ['records and more to come', answer([10, 20]), 20],
  ['its newest records', answer([10, 20], { highWatermark: 5 }), sentMs],
  ['nothing, at its end', answer([], { highWatermark: 5 }), sentMs],
  ['a record of a time to come', answer([10, sentMs * 2]), sentMs],
  ['a batch that nobody can read', answer([], { nextOffset: 7 }), 3],
])('is as far as an answer says: %s', (_, fetched, expected) => {
  const placed = placedAt(3)
  placed.reached(fetched, { sentMs, isFirst: true })
  expect(placed.readMs).toBe(expected)
})

it('waits for room in the next answer, but holds nobody up when there was room and nothing came', () => {
  const empty = answer([], { nextOffset: 0 })
  const later = placedAt(3)
  later.reached(empty, { sentMs, isFirst: false })
  expect(later.readMs).toBe(3)
  const first = placedAt(3)
  first.reached(empty, { sentMs, isFirst: true })
  expect(first.readMs).toBe(sentMs)
})

it('brings all parts on, each answer that of whoever is farthest behind', () => {
  const parts = [placedAt(0), placedAt(5_000), placedAt(9_000)]
  for (let answers = 0; answers < 30; answers++) {
    const [asked] = inStep(parts, stepMs)
    asked?.reached(answer([(asked.readMs ?? 0) + 1_000]), { sentMs, isFirst: false })
  }
  expect(parts.map(({ readMs }) => readMs)).toEqual([15_000, 15_000, 14_000])
})
