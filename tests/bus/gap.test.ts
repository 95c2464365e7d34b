// Where reading goes on, for every way in which a log may not be the one that was read.
import { expect, it } from 'vitest'
import { findJump, type LogState } from '#bus/gap.ts'

const log: LogState = { topicId: 'a', oldest: 10, end: 100 }
const at = { next: 50, topicId: 'a', leaderEpoch: 3 }

it.each([
  ['is there', at, log, null],
  ['is the end', { next: 100 }, log, null],
  ['is of another topic', { ...at, topicId: 'b' }, log, { reason: 'remade', from: 50, to: 10 }],
  ['is of another topic, and past its end', { next: 900, topicId: 'b' }, log, { reason: 'remade', from: 900, to: 10 }],
  ['is of a topic whose id nobody stored', { next: 50 }, log, null],
  ['was taken by retention', { ...at, next: 9 }, log, { reason: 'removed', from: 9, to: 10 }],
  ['is past the end', { next: 101, topicId: 'a' }, log, { reason: 'truncated', from: 101, to: 10 }],
  ['is none, and nothing is missing', undefined, { ...log, oldest: 0 }, null],
  ['is none, and the oldest records are gone', undefined, log, { reason: 'removed', from: 0, to: 10 }],
  [
    'is past the end of its epoch',
    at,
    { ...log, epochEnd: { leaderEpoch: 3, offset: 40 } },
    { reason: 'truncated', from: 50, to: 40, leaderEpoch: 3 },
  ],
  ['is the end of its epoch', at, { ...log, epochEnd: { leaderEpoch: 3, offset: 50 } }, null],
  [
    'is of an epoch that the log does not have',
    at,
    { ...log, epochEnd: { leaderEpoch: 2, offset: 70 } },
    { reason: 'truncated', from: 50, to: 50, leaderEpoch: 2 },
  ],
  [
    'is of an epoch that ended before the oldest record',
    at,
    { ...log, epochEnd: { leaderEpoch: 3, offset: 5 } },
    { reason: 'truncated', from: 50, to: 10 },
  ],
  [
    'was taken by retention, and its history with it',
    { ...at, next: 9 },
    { ...log, epochEnd: { leaderEpoch: 3, offset: 5 } },
    { reason: 'removed', from: 9, to: 10 },
  ],
] as const)('finds where reading goes on when the position %s', (_what, position, state, jump) => {
  expect(findJump(position, state)).toEqual(jump)
})
