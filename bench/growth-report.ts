// Growth as Markdown: the cost of an exchange against the number of something, and whether it is flat within noise. Pure.
import { type LedgerRow } from './growth-ledger.ts'
import { type LoadRow, type Shape } from './growth-load.ts'
import { median } from './percentile.ts'
import { digits, table } from './study-tables.ts'
import { parts } from './target.ts'

/** Rounds of one shape; void ones are not among them unless there is no other. */
interface Measured {
  shape: Shape
  rows: readonly LoadRow[]
  rounds: number
  valid: number
}

/** A line for each shape, in the order of the rows, then one that says what became of the sum. */
export function renderShapes(rows: readonly LoadRow[], nameOf: (shape: Shape) => string): string {
  const shapes = groupByShape(rows)
  const sums = shapes.map(({ rows }) => rows.map(sumOfCpu))
  const lines = shapes.map(({ shape, rows, rounds, valid }) => [
    nameOf(shape),
    spread(rows.map(({ perSecond }) => perSecond)),
    ...(['p50Ms', 'p99Ms'] as const).map(name => digits(median(rows.map(row => row[name])))),
    ...parts.map(part => digits(median(rows.flatMap(({ cpuUs }) => cpuUs[part] ?? [])))),
    spread(rows.map(sumOfCpu)),
    digits(median(rows.map(({ gatewayMemoryMb }) => gatewayMemoryMb))),
    valid === rounds ? `${valid} of ${rounds}` : `**VOID ${rounds - valid} of ${rounds}**`,
  ])
  const head = [
    '',
    'exchanges/s',
    'p50 ms',
    'p99 ms',
    ...parts.map(part => `${part} µs`),
    'sum µs',
    'gateway MB',
    'valid',
  ]
  return `${table(head, lines)}\n\n${judgeGrowth(sums)}`
}

/** The same as in capacity: of the shape that comes first. */
export const firstShape = (rows: readonly LoadRow[]): readonly LoadRow[] => groupByShape(rows)[0]?.rows ?? []

function groupByShape(rows: readonly LoadRow[]): Measured[] {
  const groups = Map.groupBy(rows, ({ gateways, adapters, clients }) => `${gateways} ${adapters} ${clients}`)
  return Array.from(groups.values(), group => {
    const valid = group.filter(({ faults }) => faults.length === 0)
    const { gateways, adapters, clients } = group[0] as LoadRow
    return {
      shape: { gateways, adapters, clients },
      rows: valid.length > 0 ? valid : group,
      rounds: group.length,
      valid: valid.length,
    }
  })
}

const sumOfCpu = ({ cpuUs }: LoadRow): number => parts.reduce((sum, part) => sum + (cpuUs[part] ?? 0), 0)

/**
 * What becomes of a cost from its first to its last measurement, against how much rounds of one measurement differ. Noise is
 * the largest half-range of any of them, at least 5 %.
 */
export function judgeGrowth(measurements: readonly (readonly number[])[]): string {
  const middles = measurements.map(values => median(values))
  const [first, last] = [middles[0], middles.at(-1)]
  if (measurements.length < 2 || first === undefined || last === undefined || first === 0) return 'Nothing to compare.'
  const noise = Math.max(
    0.05,
    ...measurements.map((values, i) => (Math.max(...values) - Math.min(...values)) / 2 / (middles[i] || 1)),
  )
  const most = Math.max(...middles.map(middle => (middle ?? 0) / first))
  const change = Math.abs(last / first - 1) > Math.abs(most - 1) ? last / first : most
  const percents = `${change < 1 ? '−' : '+'}${Math.round(Math.abs(change - 1) * 100)} %`
  return Math.abs(change - 1) <= noise
    ? `CPU an exchange: flat within noise (${percents}; rounds of one measurement differ by ±${Math.round(noise * 100)} %).`
    : `CPU an exchange: **${percents}** against the first line (rounds of one measurement differ by ±${Math.round(noise * 100)} %).`
}

/** Median, and the range where rounds differ. */
function spread(values: readonly number[]): string {
  const [low, high] = [digits(Math.min(...values)), digits(Math.max(...values))]
  return low === high ? low : `${digits(median(values))} [${low}–${high}]`
}

export function renderLedger(rows: readonly LedgerRow[]): string {
  const head = [
    'entries',
    'append µs',
    'commit p50 / p99 ms',
    'status p50 / p99 µs',
    'proof p50 / p99 µs',
    'bytes an entry',
    'MB',
  ]
  const lines = rows.map(row => [
    row.entries.toLocaleString('en-US'),
    digits(row.appendUs),
    `${digits(row.commitP50Ms)} / ${digits(row.commitP99Ms)}`,
    `${digits(row.statusP50Us)} / ${digits(row.statusP99Us)}`,
    `${digits(row.proofP50Us)} / ${digits(row.proofP99Us)}`,
    digits(row.bytesPerEntry),
    digits(row.memoryMb),
  ])
  return table(head, lines)
}
