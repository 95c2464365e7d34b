// What a run is judged by: each target beside what was measured, met or missed. What was not measured is neither. Pure.
import { bareName } from './bare-target.ts'
import { type Day } from './day-report.ts'
import { type Highest } from './highest.ts'
import { type HungSummary } from './hung.ts'
import { digits, type Figure, renderTable } from './markdown.ts'
import { type Overload } from './overload.ts'
import { nestjsPeers, springPeer } from './peer-target.ts'
import { type Ratios } from './ratios.ts'
import { type Summary } from './report.ts'

export interface Results {
  /** The target that is judged. */
  own: string
  summaries: readonly Summary[]
  ratios: readonly Ratios[]
  highest: readonly Highest[]
  overload: readonly Overload[]
  hung: HungSummary | undefined
  day: Day | undefined
}

export const nothingMeasured = (own: string): Results => ({
  own,
  summaries: [],
  ratios: [],
  highest: [],
  overload: [],
  hung: undefined,
  day: undefined,
})

export interface Verdict {
  what: string
  target: string
  measured: string
  /** Undefined: not measured, or not all of it. */
  isMet: boolean | undefined
}

type Value = number | undefined

/** One line: each value has a limit of its own and all must keep it. */
interface Line {
  what: string
  unit: string
  values: readonly Value[]
  limits: readonly number[]
  isMost: boolean
}

const loads = ['64 at once', '256 at once']
const openLoad = '500 a second'

export function judgeTargets(results: Results): Verdict[] {
  return [...peerLines(results), ...ownLines(results), ...overloadLines(results), ...dayLines(results)].map(judge)
}

function peerLines({ ratios }: Results): Line[] {
  const ratiosTo = (against: string, pick: (one: Ratios) => Figure): Value[] =>
    loads.map(load => {
      const found = ratios.find(one => one.load === load && one.against === against)
      return found === undefined ? undefined : pick(found)?.median
    })
  const faster = (against: string, limit: number): Line =>
    atLeast(
      `exchanges/s against ${against}, 64 and 256 at once`,
      '×',
      [limit, limit],
      ratiosTo(against, one => one.perSecond),
    )
  const [documented, tuned] = nestjsPeers.map(({ name }) => name)
  return [
    faster(documented ?? '', 4),
    faster(tuned ?? '', 2.3),
    faster(springPeer.name, 1.8),
    atMost(
      "gateway's CPU against the bare route's",
      '×',
      [2.2, 2.2],
      ratiosTo(bareName, one => one.gatewayCpu),
    ),
  ]
}

function ownLines({ own, summaries, highest }: Results): Line[] {
  const at = (load: string): Summary | undefined =>
    summaries.find(one => one.target === own && one.load === load && one.valid > 0)
  const open = at(openLoad)
  return [
    atMost(
      'CPU of all processes, 64 and 256 at once',
      'µs',
      [280, 230],
      loads.map(load => at(load)?.cpuSumUs?.median),
    ),
    atMost('500 a second: p50, p95, p99', 'ms', [3, 5, 9], [open?.p50Ms, open?.p95Ms, open?.p99Ms].map(medianOf)),
    atLeast(
      'highest rate with p99 ≤ 100 ms',
      '/s',
      [5000],
      [highest.find(({ limitMs }) => limitMs === 100)?.perSecond],
    ),
  ]
}

function overloadLines({ overload, hung }: Results): Line[] {
  const thrice = overload.find(({ multiple, valid }) => multiple === 3 && valid > 0)
  const added = hung?.ratio === undefined ? undefined : (hung.ratio.median - 1) * 100
  return [
    atLeast('goodput at three times saturation, of the peak', '%', [90], [asPercent(thrice?.shareOfPeak)]),
    atMost('p99 of the admitted there, over that at saturation', '×', [2], [thrice?.p99Ratio]),
    atMost("one provider hung: added to the others' p99", '%', [20], [added]),
  ]
}

function dayLines({ day }: Results): Line[] {
  const gateway = day?.processes.find(({ part }) => part === 'gateway')?.name
  const slope = day?.memory.find(({ name }) => name === gateway)?.slope
  const isWhole = day?.exchanges === 1_600_000
  return [
    atMost('a platform day of 1.6 million', 'min', [5], [isWhole ? day.tally.tookMs / 60_000 : undefined]),
    atMost('… lost or otherwise told, of all', '', [0], [day && day.differences.length + day.unexpected.length]),
    atMost("… the gateway's memory grows by", 'MB/min', [1], [slope]),
  ]
}

const atLeast = (what: string, unit: string, limits: readonly number[], values: readonly Value[]): Line => ({
  what,
  unit,
  values,
  limits,
  isMost: false,
})

const atMost = (...[what, unit, limits, values]: Parameters<typeof atLeast>): Line => ({
  ...atLeast(what, unit, limits, values),
  isMost: true,
})

const medianOf = (figure: Figure): Value => figure?.median
const asPercent = (share: Value): Value => (share === undefined ? undefined : share * 100)

function judge({ what, unit, values, limits, isMost }: Line): Verdict {
  const keeps = (value: Value, i: number): boolean | undefined => {
    const limit = limits[i]
    if (value === undefined || limit === undefined) return undefined
    return isMost ? value <= limit : value >= limit
  }
  const kept = values.map(keeps)
  return {
    what,
    target: withUnit(`${isMost ? '≤' : '≥'} ${limitsText(limits)}`, unit),
    measured: withUnit(values.map(valueText).join(' / '), unit),
    isMet: kept.includes(undefined) ? undefined : kept.every(Boolean),
  }
}

const verdictText = (isMet: boolean | undefined): string =>
  isMet === undefined ? 'not measured' : isMet ? 'met' : 'missed'

/** One limit where all values have the same. */
const limitsText = (limits: readonly number[]): string => [...new Set(limits)].map(valueText).join(' / ')

const withUnit = (text: string, unit: string): string => (unit === '' ? text : `${text} ${unit}`)

function valueText(value: Value): string {
  if (value === undefined) return '–'
  if (Number.isInteger(value)) return value.toLocaleString('en')
  return value < 0 ? `−${digits(-value)}` : digits(value)
}

export function renderTargets(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ what, target, measured, isMet }) => [what, target, measured, verdictText(isMet)])
  return `### Against the targets\n\n${renderTable([['', 'target', 'measured', 'verdict'], ...lines])}`
}
