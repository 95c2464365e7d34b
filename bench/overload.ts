// What is left of the goodput when twice and three times as many ask as can be answered, and how long the admitted wait.
import { settleMaxMs } from './highest.ts'
import { digits, type Figure, figureOf, percent, renderTable, withRange } from './markdown.ts'
import { type Bench, measureOne } from './measuring.ts'
import { isValid } from './report.ts'
import { type Target } from './target.ts'
import { findOverloadFaults, type Row } from './window.ts'

/** Once first: what it is compared with. */
export const multiples = [1, 2, 3] as const

export interface Overload {
  target: string
  multiple: number
  offeredPerSecond: number
  /** 200 within the time, a second. */
  goodput: Figure
  /** Of the goodput at saturation, 0 … 1. */
  shareOfPeak: number | undefined
  /** Of those answered with 200. */
  p50Ms: Figure
  p99Ms: Figure
  /** p99 over that at saturation. */
  p99Ratio: number | undefined
  /** Of all offered, 0 … 1. */
  refusedShare: number
  /** No answer, or never sent, or 504: of all offered. */
  unknownShare: number
  rounds: number
  valid: number
}

export interface OverloadOptions {
  seconds: number
  patienceSeconds: number
  rounds: number
}

/** @param saturation the highest rate that held (highest.ts) */
export async function measureOverload(
  bench: Bench,
  target: Target,
  saturation: number,
  { rounds, ...options }: OverloadOptions,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let round = 1; round <= rounds; round++)
    for (const multiple of multiples) {
      const load = { kind: 'open', perSecond: saturation * multiple } as const
      rows.push(await measureOne(bench, { ...options, target, load, round, judge: findOverloadFaults, settleMaxMs }))
    }
  return rows
}

/** Rows of one target. Void ones are counted and not used. */
export function summarizeOverload(rows: readonly Row[], saturation: number): Overload[] {
  const base = rowsAt(rows, saturation).filter(isValid)
  const peak = figureOf(base.map(row => row.perSecond))?.median
  const baseP99Ms = figureOf(base.map(row => row.p99Ms))?.median
  return multiples.map(multiple => {
    const offeredPerSecond = saturation * multiple
    const all = rowsAt(rows, offeredPerSecond)
    const used = all.filter(isValid)
    const goodput = figureOf(used.map(row => row.perSecond))
    const p99Ms = figureOf(used.map(row => row.p99Ms))
    const count = (pick: (row: Row) => number): number => used.reduce((sum, row) => sum + pick(row), 0)
    const offered = count(({ statuses }) => Object.values(statuses).reduce((sum, one) => sum + one, 0))
    const unknown = count(({ statuses }) => (statuses[0] ?? 0) + (statuses[504] ?? 0))
    const refused = offered - unknown - count(({ answered }) => answered)
    return {
      target: rows[0]?.target ?? '',
      multiple,
      offeredPerSecond,
      goodput,
      shareOfPeak: goodput === undefined || peak === undefined ? undefined : goodput.median / peak,
      p50Ms: figureOf(used.map(row => row.p50Ms)),
      p99Ms,
      p99Ratio: p99Ms === undefined || baseP99Ms === undefined ? undefined : p99Ms.median / baseP99Ms,
      refusedShare: offered === 0 ? 0 : refused / offered,
      unknownShare: offered === 0 ? 0 : unknown / offered,
      rounds: all.length,
      valid: used.length,
    }
  })
}

const rowsAt = (rows: readonly Row[], perSecond: number): Row[] =>
  rows.filter(({ load }) => load === `${perSecond} a second`)

export function renderOverload(overloads: readonly Overload[]): string {
  const headings = [
    'target',
    'load',
    'offered/s',
    'answered/s',
    'of peak',
    'p50 ms',
    'p99 ms',
    'p99 ×',
    'refused',
    'unknown',
    'valid',
  ]
  const lines = overloads.map(one => [
    one.target,
    `${one.multiple} × saturation`,
    one.offeredPerSecond.toLocaleString('en'),
    withRange(one.goodput),
    percent(one.shareOfPeak),
    withRange(one.p50Ms),
    withRange(one.p99Ms),
    one.p99Ratio === undefined ? '–' : digits(one.p99Ratio),
    percent(one.refusedShare),
    percent(one.unknownShare),
    `${one.valid} of ${one.rounds}`,
  ])
  return `### Overload\n\n${renderTable([headings, ...lines])}`
}
