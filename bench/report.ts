// The rows of a run as Markdown tables, one a load: medians over the rounds, with the range where it says how sure they are.
import { type Figure, figureOf, percent, renderTable, short, withRange } from './markdown.ts'
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

/** Above this share of the machine's CPU other programs spoil a row. */
const othersShareMax = 0.1

/** By load and target in the order of the rows. Void rows count only where there is no other. */
export function summarize(rows: readonly Row[]): Summary[] {
  const groups = Map.groupBy(rows, row => `${row.load}\n${row.target}`)
  return Array.from(groups.values(), group => {
    const valid = group.filter(isValid)
    const calm = valid.filter(isCalm)
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

export const isValid = ({ faults }: Row): boolean => faults.length === 0
export const isCalm = ({ othersShare = 0 }: Row): boolean => othersShare <= othersShareMax

export const sumOfCpu = ({ cpuUs }: Row): number => parts.reduce((sum, part) => sum + (cpuUs[part] ?? 0), 0)

const headings = [
  'target',
  'exchanges/s',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  ...parts.map(part => `${part} µs`),
  'sum µs',
  'generator µs',
  'gateway MB',
  'others',
  'valid',
  'used',
]

/** Columns in µs are CPU an answer. A line for each target, a table for each load. */
export function renderTables(summaries: readonly Summary[]): string {
  const byLoad = Map.groupBy(summaries, ({ load }) => load)
  return Array.from(byLoad, ([load, group]) => `### ${load}\n\n${renderTable([headings, ...group.map(cellsOf)])}`).join(
    '\n\n',
  )
}

function cellsOf(summary: Summary): string[] {
  const { rounds, valid, othersShare } = summary
  return [
    summary.target,
    withRange(summary.perSecond),
    withRange(summary.p50Ms),
    withRange(summary.p95Ms),
    withRange(summary.p99Ms),
    ...parts.map(part => short(summary.cpuUs[part])),
    withRange(summary.cpuSumUs),
    short(summary.cpuUs.generator),
    short(summary.gatewayMemoryMb),
    percent(othersShare?.median),
    valid === rounds ? `${valid} of ${rounds}` : `VOID ${rounds - valid} of ${rounds}`,
    String(summary.used),
  ]
}
