// Targets beside what was measured: met, missed, and neither where it was not measured.
import { describe, expect, it } from 'vitest'
import { type Day } from '../../bench/day-report.ts'
import { readOptions } from '../../bench/options.ts'
import { judgeTargets, nothingMeasured, type Results, renderTargets } from '../../bench/targets.ts'

const nothing = nothingMeasured('NDX')
const figure = (median: number) => ({ median, min: median, max: median })
const ratio = (load: string, against: string, perSecond: number) => ({
  load,
  against,
  rounds: 3,
  perSecond: figure(perSecond),
  cpuSum: undefined,
  gatewayCpu: figure(2.2),
  p50: undefined,
  p95: undefined,
  p99: undefined,
})
const verdictOn = (results: Partial<Results>, what: string) => {
  const [found, ...more] = judgeTargets({ ...nothing, ...results }).filter(one => one.what.includes(what))
  if (found === undefined || more.length > 0) throw new Error(`not one verdict about ${what}`)
  return found
}

describe('targets', () => {
  it('are not measured where there is no figure, and that is neither met nor missed', () => {
    const verdicts = judgeTargets(nothing)
    expect(verdicts.length).toBeGreaterThan(10)
    expect(verdicts.every(({ isMet }) => isMet === undefined)).toBe(true)
    expect(renderTargets(verdicts)).not.toMatch(/met \||missed/)
  })

  it('are met at the limit and missed one past it', () => {
    const at = (...values: [number, number]) =>
      verdictOn(
        { ratios: [ratio('64 at once', 'nestjs', values[0]), ratio('256 at once', 'nestjs', values[1])] },
        'against nestjs,',
      )
    expect(at(4, 4)).toMatchObject({ target: '≥ 4 ×', measured: '4 / 4 ×', isMet: true })
    expect(at(4, 3.99).isMet).toBe(false)
    expect(verdictOn({ ratios: [ratio('64 at once', 'nestjs', 9)] }, 'against nestjs,'), 'half of it').toMatchObject({
      measured: '9 / – ×',
      isMet: undefined,
    })
  })

  it('take what a hung provider adds, not the ratio', () => {
    const added = (times: number) =>
      verdictOn({ hung: { answers: undefined, hangs: undefined, ratio: figure(times) } }, 'hung')
    expect(added(1.2)).toMatchObject({ isMet: true })
    expect(added(1.21).isMet).toBe(false)
    expect(added(0.86)).toMatchObject({ measured: '−14.0 %', isMet: true })
  })

  it('judge a day only when it was a whole one, and by every difference in its books', () => {
    const day = (exchanges: number, differences: string[], slope: number) =>
      ({
        exchanges,
        differences,
        unexpected: [],
        tally: { tookMs: 300_000 },
        processes: [{ name: 'gateway', part: 'gateway' }],
        memory: [{ name: 'gateway', slope }],
      }) as unknown as Day
    const lines = (one: Day) => ['1.6 million', 'lost', 'memory'].map(what => verdictOn({ day: one }, what).isMet)
    expect(lines(day(1_600_000, [], 1))).toEqual([true, true, true])
    expect(lines(day(1_000, ['one is missing'], 1.01))).toEqual([undefined, false, false])
  })

  it('are what --targets measures', () => {
    const all = { targets: true, table: true, peers: true, highest: true, overload: true, hung: true, bare: true }
    expect(readOptions(['--targets'])).toMatchObject(all)
    expect(readOptions([])?.targets).toBe(false)
    expect(() => readOptions(['--targets', '--profile'])).toThrow('--targets')
  })
})
