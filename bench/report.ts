// The rows of a run as tables, one a load: medians over the rounds, with the range where it says how sure they are.
import { median } from './percentile.ts'
import { type Part, parts } from './target.ts'
import { type Row } from './window.ts'

export interface Summary {
  target: string
  load: string
  rounds: number
  valid: number
  perSecond: Figure
  p50Ms: Figure
  p95Ms: Figure
  p99Ms: Figure
  cpuUs: Partial<Record<Part | 'generator', Figure>>
  /** Rows that count: valid, and other programs took little of the machine; valid ones where none was calm. */
  used: number
  /** All processes of the target, without the generator. */
  cpuSumUs: Figure
  gatewayMemoryMb: Figure
  othersShare: Figure
}

/** Median and range of what was measured; undefined when nothing was. */
export type Figure = { median: number; min: number; max: number } | undefined

/** Above this share of the machine's CPU other programs spoil a row. */
const othersShareMax = 0.1

/** By load and target in the order of the rows. Void rows count only where there is no other. */
export function summarize(rows: readonly Row[]): Summary[] {
  const groups = Map.groupBy(rows, row => `${row.load}\n${row.target}`)
  return Array.from(groups.values(), group => {
    const valid = group.filter(row => row.faults.length === 0)
    const calm = valid.filter(row => (row.othersShare ?? 0) <= othersShareMax)
    const used = [calm, valid, group].find(rows => rows.length > 0) ?? []
    const figure = (pick: (row: Row) => number | undefined): Figure => figureOf(used.map(pick))
    const cpu = [...parts, 'generator' as const].map(part => [part, figure(row => row.cpuUs[part])] as const)
    return {
      target: group[0]?.target ?? '',
      load: group[0]?.load ?? '',
      rounds: group.length,
      valid: valid.length,
      used: used.length,
      perSecond: figure(row => row.perSecond),
      p50Ms: figure(row => row.p50Ms),
      p95Ms: figure(row => row.p95Ms),
      p99Ms: figure(row => row.p99Ms),
      cpuUs: Object.fromEntries(cpu.filter(([, one]) => one !== undefined)),
      cpuSumUs: figure(sumOfCpu),
      gatewayMemoryMb: figure(row => row.gatewayMemoryMb),
      othersShare: figure(row => row.othersShare),
    }
  })
}

const sumOfCpu = ({ cpuUs }: Row): number => parts.reduce((sum, part) => sum + (cpuUs[part] ?? 0), 0)

function figureOf(values: readonly (number | undefined)[]): Figure {
  const known = values.filter(value => value !== undefined)
  const middle = median(known)
  return middle === undefined ? undefined : { median: middle, min: Math.min(...known), max: Math.max(...known) }
}

const headings = [
  '',
  'exchanges/s',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  ...parts,
  'sum',
  'generator',
  'MB',
  'others',
  'valid',
  'used',
]

/** Columns from the parts on are CPU µs an answer. A line for each target, a table for each load. */
export function renderTables(summaries: readonly Summary[]): string {
  const byLoad = Map.groupBy(summaries, ({ load }) => load)
  return Array.from(byLoad, ([load, group]) => `${load}\n${align([headings, ...group.map(cellsOf)])}`).join('\n\n')
}

function cellsOf(summary: Summary): string[] {
  const { rounds, valid, othersShare } = summary
  return [
    summary.target,
    withRange(summary.perSecond),
    short(summary.p50Ms),
    short(summary.p95Ms),
    short(summary.p99Ms),
    ...parts.map(part => short(summary.cpuUs[part])),
    withRange(summary.cpuSumUs),
    short(summary.cpuUs.generator),
    short(summary.gatewayMemoryMb),
    othersShare === undefined ? '–' : `${Math.round(othersShare.median * 100)} %`,
    valid === rounds ? `${valid} of ${rounds}` : `VOID ${rounds - valid} of ${rounds}`,
    String(summary.used),
  ]
}

const short = (figure: Figure): string => (figure === undefined ? '–' : digits(figure.median))

const withRange = (figure: Figure): string => {
  if (figure === undefined) return '–'
  const { median: middle, min, max } = figure
  return min === max ? digits(middle) : `${digits(middle)} [${digits(min)}–${digits(max)}]`
}

function digits(value: number): string {
  if (value >= 10) return String(Math.round(value))
  return value.toFixed(value >= 1 ? 1 : 2)
}

function align(lines: readonly string[][]): string {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map(cells => cells[column]?.length ?? 0))) ?? []
  const alignLine = (cells: string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
  return lines.map(line => alignLine(line).trimEnd()).join('\n')
}
