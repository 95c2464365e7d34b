// NDX against each of the others: its figure divided by theirs, round by round, since what was measured within minutes of each
// other shares the machine's mood. Only valid rows are compared, and only calm ones where there are any. Pure.
import { type Figure, figureOf, renderTable, withRange } from './markdown.ts'
import { isCalm, isValid, sumOfCpu } from './report.ts'
import { type Row } from './window.ts'

export interface Ratios {
  load: string
  against: string
  /** Rounds that are compared. */
  rounds: number
  perSecond: Figure
  cpuSum: Figure
  gatewayCpu: Figure
  p50: Figure
  p95: Figure
  p99: Figure
}

/** By load and other target, in the order of the rows. @param own the target that the others are compared with */
export function compare(rows: readonly Row[], own: string): Ratios[] {
  const others = rows.filter(({ target }) => target !== own)
  const byLoad = [...Map.groupBy(others, ({ load }) => load).values()]
  return byLoad.flatMap(ofLoad =>
    Array.from(Map.groupBy(ofLoad, ({ target }) => target).values(), theirs => compareOne(rows, own, theirs)),
  )
}

function compareOne(rows: readonly Row[], own: string, theirs: readonly Row[]): Ratios {
  const { load = '', target: against = '' } = theirs[0] ?? {}
  const valid = theirs.flatMap(their => {
    const mine = rows.find(row => row.target === own && row.load === load && row.round === their.round)
    return mine !== undefined && isValid(mine) && isValid(their) ? [[mine, their] as const] : []
  })
  const calm = valid.filter(pair => pair.every(isCalm))
  const pairs = calm.length > 0 ? calm : valid
  const ratio = (pick: (row: Row) => number | undefined): Figure =>
    figureOf(pairs.map(([mine, their]) => divide(pick(mine), pick(their))))
  return {
    load,
    against,
    rounds: pairs.length,
    perSecond: ratio(row => row.perSecond),
    cpuSum: ratio(sumOfCpu),
    gatewayCpu: ratio(row => row.cpuUs.gateway),
    p50: ratio(row => row.p50Ms),
    p95: ratio(row => row.p95Ms),
    p99: ratio(row => row.p99Ms),
  }
}

const divide = (mine: number | undefined, their: number | undefined): number | undefined =>
  mine === undefined || their === undefined || their === 0 ? undefined : mine / their

export function renderRatios(ratios: readonly Ratios[], own: string): string {
  const headings = [
    'load',
    'against',
    'exchanges/s ×',
    'CPU sum ×',
    'gateway CPU ×',
    'p50 ×',
    'p95 ×',
    'p99 ×',
    'rounds',
  ]
  const lines = ratios.map(one => [
    one.load,
    one.against,
    ...[one.perSecond, one.cpuSum, one.gatewayCpu, one.p50, one.p95, one.p99].map(withRange),
    String(one.rounds),
  ])
  return `### ${own} divided by each\n\n${renderTable([headings, ...lines])}`
}
