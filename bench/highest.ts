// The highest open-loop rate at which the 99th percentile stays within a limit, everything answered and the books in order.
import { type Figure, figureOf, renderTable, withRange } from './markdown.ts'
import { type Bench, measureOne } from './measuring.ts'
import { isValid } from './report.ts'
import { search, type Trial } from './search.ts'
import { type Target } from './target.ts'
import { findOverloadFaults, type Row } from './window.ts'

export const limitsMs = [100, 250] as const
const startRate = 1_000
/** More than one generator can send. */
const maxRate = 20_000
export const settleMaxMs = 20_000

export interface Highest {
  target: string
  limitMs: number
  /** Undefined: not even the least rate held. */
  perSecond: number | undefined
  /** Of the windows at that rate. */
  p50Ms: Figure
  p99Ms: Figure
}

export interface HighestResult {
  highest: Highest[]
  rows: Row[]
}

export interface HighestOptions {
  seconds: number
  patienceSeconds: number
}

/** Measurements for one limit count for the other, too. */
export async function findHighest(bench: Bench, target: Target, options: HighestOptions): Promise<HighestResult> {
  const rows: { rate: number; row: Row }[] = []
  const highest: Highest[] = []
  for (const limitMs of limitsMs) {
    const trials = (): Trial[] => rows.map(({ rate, row }) => ({ rate, holds: holdsWithin(row, limitMs) }))
    const look = () => search(trials(), { startRate, maxRate })
    for (let { next } = look(); next !== undefined; { next } = look()) {
      const load = { kind: 'open', perSecond: next } as const
      const row = await measureOne(bench, {
        ...options,
        target,
        load,
        round: rows.length + 1,
        judge: findOverloadFaults,
        settleMaxMs,
      })
      rows.push({ rate: next, row })
    }
    const found = look().highest
    const used = rows.filter(({ rate, row }) => rate === found && holdsWithin(row, limitMs)).map(({ row }) => row)
    const figure = (pick: (row: Row) => number | undefined): Figure => figureOf(used.map(pick))
    highest.push({
      target: target.name,
      limitMs,
      perSecond: found,
      p50Ms: figure(row => row.p50Ms),
      p99Ms: figure(row => row.p99Ms),
    })
  }
  return { highest, rows: rows.map(({ row }) => row) }
}

/** Every request answered, rightly, in the books, and 99 of 100 in time. */
export function holdsWithin(row: Row, limitMs: number): boolean {
  const isAllAnswered = Object.keys(row.statuses).every(status => status === '200')
  return isValid(row) && isAllAnswered && row.p99Ms !== undefined && row.p99Ms <= limitMs
}

export function renderHighest(highest: readonly Highest[]): string {
  const headings = ['target', 'p99 within ms', 'highest rate/s', 'p50 ms there', 'p99 ms there']
  const lines = highest.map(({ target, limitMs, perSecond, p50Ms, p99Ms }) => [
    target,
    String(limitMs),
    perSecond?.toLocaleString('en') ?? '–',
    withRange(p50Ms),
    withRange(p99Ms),
  ])
  return `### Highest open-loop rate\n\n${renderTable([headings, ...lines])}`
}
