// The open-loop search, what holds, overload and a hung provider: the arithmetic, on made-up servers.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holdsWithin } from '../../bench/highest.ts'
import { type HungRow, renderHung, summarizeHung } from '../../bench/hung.ts'
import { readOptions } from '../../bench/options.ts'
import { renderOverload, summarizeOverload } from '../../bench/overload.ts'
import { search, type Trial } from '../../bench/search.ts'
import { findOverloadFaults, type Row } from '../../bench/window.ts'

const limits = { startRate: 1_000, maxRate: 20_000 }

/** Measures what the search asks for until it knows. */
function runSearch(holds: (rate: number, turn: number) => boolean, options = limits) {
  const trials: Trial[] = []
  for (;;) {
    const { next, highest } = search(trials, options)
    if (next === undefined) return { highest, trials }
    trials.push({ rate: next, holds: holds(next, trials.length) })
    if (trials.length > 200) throw new Error('the search does not end')
  }
}

describe('the search', () => {
  it('finds a capacity to a twentieth, or a step of fifty, and soon', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 19_000 }), capacity => {
        const { highest, trials } = runSearch(rate => rate <= capacity)
        expect(highest).toBeLessThanOrEqual(capacity)
        expect(highest).toBeGreaterThan(Math.min(capacity / 1.06, capacity - 100) - 1)
        expect(trials.length).toBeLessThan(40)
      }),
    )
  })

  it('measures a rate again, and a third time when two contradict each other', () => {
    expect(search([], limits).next).toBe(1_000)
    expect(search([{ rate: 1_000, holds: true }], limits).next).toBe(1_000)
    const twice = [true, false].map(holds => ({ rate: 1_000, holds }))
    expect(search(twice, limits).next).toBe(1_000)
    expect(search([...twice, { rate: 1_000, holds: true }], limits)).toEqual({ highest: 1_000, next: 1_500 })
  })

  it('is not led astray by one bad window', () => {
    const { highest } = runSearch((rate, turn) => rate <= 5_000 && turn !== 2)
    expect(highest).toBeGreaterThan(4_700)
  })

  it('ends when nothing holds, and at the most it may ask for', () => {
    expect(runSearch(() => false).highest).toBeUndefined()
    expect(runSearch(() => true).highest).toBe(20_000)
  })
})

const row = (more: Partial<Row> = {}): Row => ({
  target: 'NDX',
  round: 1,
  load: '1000 a second',
  statuses: { 200: 1000 },
  codes: {},
  answered: 1000,
  wrong: 0,
  perSecond: 1000,
  p50Ms: 5,
  p95Ms: 20,
  p99Ms: 80,
  maxMs: 100,
  cpuUs: {},
  gatewayMemoryMb: 100,
  records: {},
  faults: [],
  othersShare: 0,
  speed: 1000,
  fromMs: 0,
  toMs: 1000,
  ...more,
})

describe('a rate holds', () => {
  it('when all is answered in time and the books are in order', () => {
    expect(holdsWithin(row(), 80)).toBe(true)
    expect(holdsWithin(row(), 79)).toBe(false)
    expect(holdsWithin(row({ statuses: { 200: 999, 503: 1 } }), 100)).toBe(false)
    expect(holdsWithin(row({ faults: ['1000 requests but 999 settled'] }), 100)).toBe(false)
    expect(holdsWithin(row({ p99Ms: undefined }), 100)).toBe(false)
  })
})

describe('the books under overload', () => {
  const tally = row({ statuses: { 200: 90, 503: 900, 504: 5, 0: 7 }, codes: { none: 2, unsent: 5 }, answered: 90 })

  it('agree when what was refused was not written and the unknown may be either', () => {
    for (const requests of [90, 95, 97])
      expect(findOverloadFaults(tally, { requests, replies: 92, settled: requests })).toEqual([])
  })

  it('do not blame the gateway for a guess that it could not count after the answer had come', () => {
    const uncounted = row({ statuses: { 200: 90, 503: 3 }, codes: { NDX_COUNTERS_UNAVAILABLE: 3 }, answered: 90 })
    expect(findOverloadFaults(uncounted, { requests: 92, replies: 92, settled: 92 })).toEqual([])
  })

  it('disagree when something answered is missing, refused was written, or is not settled', () => {
    expect(findOverloadFaults(tally, { requests: 89, replies: 90, settled: 89 })).toEqual([
      '90 answers and 7 unknown but 89 requests',
    ])
    expect(findOverloadFaults(tally, { requests: 98, replies: 98, settled: 98 })).toHaveLength(1)
    expect(findOverloadFaults(tally, { requests: 95, replies: 89, settled: 94 })).toEqual([
      '90 answers but 89 replies',
      '95 requests but 94 settled',
    ])
    expect(findOverloadFaults({ ...tally, wrong: 1 }, { requests: 90, replies: 90 })).toEqual(['1 wrong answers'])
  })
})

describe('overload', () => {
  it('compares goodput and waits with those at saturation', () => {
    const rows = [
      row(),
      row({
        load: '2000 a second',
        statuses: { 200: 950, 503: 1000, 0: 50 },
        answered: 950,
        perSecond: 950,
        p99Ms: 120,
      }),
      row({ load: '3000 a second', perSecond: 1, faults: ['3000 requests but 1 settled'] }),
    ]
    const [once, twice, thrice] = summarizeOverload(rows, 1_000)
    expect(once).toMatchObject({ shareOfPeak: 1, p99Ratio: 1, refusedShare: 0, unknownShare: 0 })
    expect(twice).toMatchObject({ shareOfPeak: 0.95, p99Ratio: 1.5, refusedShare: 0.5, unknownShare: 0.025 })
    expect(thrice).toMatchObject({ shareOfPeak: undefined, p99Ratio: undefined, rounds: 1, valid: 0 })
    expect(renderOverload([once!, twice!, thrice!])).toContain('| 2 × saturation |')
  })
})

describe('a hung provider', () => {
  const hungRow = (
    condition: HungRow['condition'],
    round: number,
    p99Ms: number,
    more: Partial<Row> = {},
  ): HungRow => ({
    ...row({ round, p99Ms, ...more }),
    condition,
    beside: condition === 'hangs' ? { 503: 80, 504: 20 } : { 200: 100 },
  })

  it('is told by the others’ p99 with it and without it, round by round', () => {
    const rows = [
      ...[hungRow('answers', 1, 10), hungRow('hangs', 1, 12)],
      ...[hungRow('answers', 2, 20), hungRow('hangs', 2, 20)],
      ...[hungRow('answers', 3, 10, { faults: ['1 × no answer'] }), hungRow('hangs', 3, 50)],
    ]
    expect(summarizeHung(rows).ratio).toEqual({ median: 1.1, min: 1, max: 1.2 })
    expect(renderHung(rows)).toContain('240 × 503, 60 × 504')
    expect(renderHung(rows)).toContain('2 of 3')
  })
})

describe('options', () => {
  it('measure every load beside peers, longer warm, and only what is asked for otherwise', () => {
    const peers = readOptions(['--peers'])
    expect(peers?.loads).toHaveLength(4)
    expect(peers).toMatchObject({ rounds: 3, warmUpSeconds: 25, jvmWarmUpSeconds: 120, table: true, bare: true })
    expect(readOptions(['--highest'])).toMatchObject({ table: false, bare: false, highest: true, overload: false })
    expect(readOptions(['--hung', '--rate', '300'])).toMatchObject({ table: false, hung: true, ratePerSecond: 300 })
    expect(readOptions(['--overload', '--peers'])).toMatchObject({ table: true, overload: true })
    expect(readOptions([])).toMatchObject({ table: true, peers: false, warmUpSeconds: 6 })
    expect(() => readOptions(['--profile', '--peers'])).toThrow('--profile')
  })
})
