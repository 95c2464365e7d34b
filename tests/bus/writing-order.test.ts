// Records of several partitions, put in the order in which they were written.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { inWritingOrder } from '#bus/writing-order.ts'

const runOf = (partition: number, timesMs: readonly number[]): IncomingRecord[] =>
  timesMs.map((timestampMs, offset) => ({
    topic: 'ndx.test',
    partition,
    offset: String(offset),
    timestampMs,
    key: null,
    headers: {},
    value: Buffer.alloc(0),
  }))

const places = (records: readonly IncomingRecord[]): string[] =>
  records.map(({ partition, timestampMs }) => `${partition}@${timestampMs}`)

it.each([
  ['nothing', [], []],
  ['one partition', [[3, 1, 2]], ['0@3', '0@1', '0@2']],
  [
    'two that take turns',
    [
      [1, 4],
      [2, 3, 5],
    ],
    ['0@1', '1@2', '1@3', '0@4', '1@5'],
  ],
  ['empty ones between', [[], [2], [], [1]], ['3@1', '1@2']],
  [
    'a time that never was, which holds up only its own partition',
    [
      [9, 1],
      [2, 3],
    ],
    ['1@2', '1@3', '0@9', '0@1'],
  ],
  ['a time without end', [[Number.POSITIVE_INFINITY, 1], [2]], ['1@2', `0@${Number.POSITIVE_INFINITY}`, '0@1']],
])('%s', (_, timesMs, expected) => {
  expect(places(inWritingOrder(timesMs.map((run, partition) => runOf(partition, run))))).toEqual(expected)
})

it('loses none, keeps each partition’s order, and is sorted when each of them is', () => {
  const times = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 12 })
  fc.assert(
    fc.property(fc.array(times, { maxLength: 6 }), fc.boolean(), (timesMs, areSorted) => {
      const runs = timesMs.map((run, i) => runOf(i, areSorted ? run.toSorted((a, b) => a - b) : run))
      const ordered = inWritingOrder(runs)
      for (const [i, run] of runs.entries()) expect(ordered.filter(({ partition }) => partition === i)).toEqual(run)
      expect(ordered).toHaveLength(runs.flat().length)
      if (!areSorted) return
      const orderedMs = ordered.map(({ timestampMs }) => timestampMs)
      expect(orderedMs).toEqual(orderedMs.toSorted((a, b) => a - b))
    }),
  )
})
