// Prefer as RFC 7240 says it: a list of preferences with parameters and quoted strings, the first of a kind counts, and nothing
// in it is ever an error.
import { expect, test } from 'vitest'
import { describeApplied, fieldOf, parsePrefer } from '#gateway/prefer.ts'

const async = { respondAsync: true }
const neither = { respondAsync: false }

test.each([
  [undefined, neither],
  ['', neither],
  ['respond-async', async],
  ['Respond-Async', async],
  ['respond-async=""', async],
  ['respond-async; foo=bar', async],
  ['respond-async, wait=10', { ...async, waitSeconds: 10 }],
  ['wait=10,respond-async', { ...async, waitSeconds: 10 }],
  ['wait=0', { ...neither, waitSeconds: 0 }],
  ['WAIT = 7', { ...neither, waitSeconds: 7 }],
  ['wait="7"', { ...neither, waitSeconds: 7 }],
  ['wait="\\7"', { ...neither, waitSeconds: 7 }],
  ['wait=7; x="a,wait=9;b"', { ...neither, waitSeconds: 7 }],
  [', ,wait=7,,', { ...neither, waitSeconds: 7 }],
  ['handling=lenient, return=minimal, wait=7', { ...neither, waitSeconds: 7 }],
  ['x="a,respond-async", wait=7', { ...neither, waitSeconds: 7 }],
  ['wait=999999999', { ...neither, waitSeconds: 999_999_999 }],
])('%s says %j', (value, expected) => {
  expect(parsePrefer(value)).toEqual(expected)
})

test.each([
  'wait',
  'wait=',
  'wait=-1',
  'wait=1.5',
  'wait=x',
  'wait=1 2',
  'wait=1000000000',
  'respond-async=1',
  'respond async',
  'x="respond-async, wait=7',
  'x="\\',
  '=;,"',
])('%s is passed over', value => {
  expect(parsePrefer(value)).toEqual(neither)
})

test('the first of a repeated preference counts, even where it says nothing', () => {
  expect(parsePrefer('wait=3, wait=9')).toEqual({ ...neither, waitSeconds: 3 })
  expect(parsePrefer('wait=x, wait=9')).toEqual(neither)
  expect(parsePrefer('wait=3, WAIT=9')).toEqual({ ...neither, waitSeconds: 3 })
})

test('several fields are one list', () => {
  expect(parsePrefer(fieldOf(['wait=3', 'respond-async, wait=9']))).toEqual({ ...async, waitSeconds: 3 })
})

test.each([
  ['wait=3,', { ...neither, waitSeconds: 3 }],
  ['"', neither],
  ['\\"', neither],
  ['a=b;', neither],
])('a field of many %s is read in steps that grow with its length, not with its square', (part, expected) => {
  // A hundred times what a header may be: with a square the test would not end.
  const value = part.repeat(1_600_000 / part.length)
  expect(parsePrefer(value)).toEqual(expected)
  expect(parsePrefer(`x="${value}`)).toEqual(neither)
})

test.each([
  [neither, true, undefined],
  [async, true, 'respond-async'],
  [async, false, undefined],
  [{ ...async, waitSeconds: 3 }, true, 'respond-async, wait=3'],
  [{ ...async, waitSeconds: 3 }, false, 'wait=3'],
  [{ ...neither, waitSeconds: 60 }, true, 'wait=5'],
  [{ ...neither, waitSeconds: 0 }, true, 'wait=0'],
])('of %j, accepted: %s, was applied: %s', (preference, isAccepted, applied) => {
  expect(describeApplied(preference, { isAccepted, waitSecondsMax: 5 })).toBe(applied)
})
