// The arithmetic behind the bench's figures.
import { describe, expect, it } from 'vitest'
import { parseCpuMs, parseMachine } from '../../bench/accounting.ts'
import { readOptions } from '../../bench/options.ts'
import { median, percentile } from '../../bench/percentile.ts'
import { costsOf } from '../../bench/profile.ts'
import { findFaults } from '../../bench/window.ts'

describe('percentiles', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)

  it('are the nearest rank', () => {
    expect([0, 0.5, 0.95, 0.99, 1].map(share => percentile(hundred, share))).toEqual([1, 50, 95, 99, 100])
    expect(percentile([7], 0.99)).toBe(7)
    expect(percentile([], 0.5)).toBeUndefined()
  })

  it('take the mean of the two middle values for a median of an even number', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([])).toBeUndefined()
  })
})

describe('CPU accounting', () => {
  it('finds user and system time behind a program name with spaces and parentheses', () => {
    expect(parseCpuMs('42 (a) b (c) S 1 42 42 0 -1 4194560 10 0 0 0 150 50 7 7 20 0 11 0 100')).toBe(2000)
  })

  it('counts a machine’s idle, waiting and stolen time as unused', () => {
    expect(parseMachine('cpu  10 1 5 100 20 2 3 4 0 0')).toEqual({ usedMs: 210, allMs: 1450 })
  })

  it('counts only samples within the windows, and idle ones not as busy', () => {
    const frame = (id: number, functionName: string, url = '') => ({
      id,
      callFrame: { functionName, url, lineNumber: 4 },
    })
    const profile = {
      nodes: [
        frame(1, '(idle)'),
        frame(2, 'decide', 'file:///tree/gateway/a.ts'),
        frame(3, 'send', 'file:///tree/node_modules/@x/y/z.js'),
      ],
      startTime: 1_000_000,
      samples: [2, 1, 2, 3, 2],
      timeDeltas: [0, 1000, 1000, 3000, 1000],
    }
    const costs = costsOf(profile, '/tree', [{ fromMs: 1001, toMs: 1005 }])
    expect(costs.busy).toBeCloseTo(0.8)
    expect(costs.functions).toEqual([
      { name: 'decide  gateway/a.ts:5', share: 0.75 },
      { name: 'send  node_modules/@x/y/z.js:5', share: 0.25 },
    ])
    expect(costs.folders.map(({ name }) => name)).toEqual(['gateway', 'package @x/y'])
  })
})

describe('a row', () => {
  const tally = {
    statuses: { 200: 5 },
    codes: {},
    answered: 5,
    wrong: 0,
    perSecond: 5,
    p50Ms: 1,
    p95Ms: 1,
    p99Ms: 1,
    maxMs: 1,
  }

  it('is valid when every answer is right and stands for one record on each topic', () => {
    expect(findFaults(tally, { requests: 5, replies: 5 })).toEqual([])
  })

  it('is void when records and answers differ, an answer is wrong, or one is missing', () => {
    expect(
      findFaults({ ...tally, codes: { none: 1, NDX_BUS_UNAVAILABLE: 2 }, wrong: 1 }, { requests: 6, replies: 5 }),
    ).toEqual(['1 wrong answers', '1 × no answer', '2 × NDX_BUS_UNAVAILABLE', '5 answers but 6 requests'])
    expect(findFaults({ ...tally, answered: 0 }, {})).toEqual(['no answers'])
  })
})

describe('options', () => {
  it('measure 64 at once and 500 a second unless told otherwise', () => {
    expect(readOptions([])?.loads).toEqual([
      { kind: 'closed', concurrent: 64 },
      { kind: 'open', perSecond: 500 },
    ])
    expect(readOptions(['--all', '--rate', '0'])?.loads.length).toBe(3)
    expect(readOptions(['--help'])).toBeUndefined()
  })

  it('refuse what they do not know', () => {
    for (const args of [['--seconds', '1'], ['--seconds', 'x'], ['--rounds', ''], ['--speed'], ['now']])
      expect(() => readOptions(args)).toThrow()
  })
})
