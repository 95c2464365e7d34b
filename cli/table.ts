// Plain tables: columns with a title, two spaces between, nothing drawn. Cells are made safe here, so no caller can forget it.
import { cutTo, escapeText, padTo, widthOf } from './safe-text.ts'

export interface Column {
  title: string
  width: number
  /** May shrink to this where the terminal is narrow. */
  least?: number
  side?: 'left' | 'right'
}

const gap = '  '
/** Of a cell no more than this is looked at. */
const cellCharactersMax = 1000

/** One row, each cell safe, cut and padded to its column; `dress` may colour it afterwards. */
export function formatRow(
  columns: readonly Column[],
  cells: readonly string[],
  dress: (cell: string, at: number) => string = cell => cell,
): string {
  const formatted = columns.map(({ width, side }, at) => {
    const cell = cutTo(width, escapeText((cells[at] ?? '').slice(0, cellCharactersMax)))
    const isLast = at === columns.length - 1 && side !== 'right'
    return dress(isLast ? cell : padTo(width, cell, side), at)
  })
  return formatted.join(gap)
}

/** Columns that fit into `room` cells, if their least widths do. */
export function fitColumns(columns: readonly Column[], room: number | undefined): Column[] {
  const fitted = columns.map(column => ({ ...column }))
  if (room === undefined) return fitted
  const total = (): number => fitted.reduce((sum, { width }) => sum + width + gap.length, -gap.length)
  while (total() > room) {
    const spare = ({ width, least = width }: Column): number => width - least
    const widest = fitted.reduce((a, b) => (spare(b) > spare(a) ? b : a))
    if (spare(widest) === 0) break
    widest.width--
  }
  return fitted
}

/** A whole table, as wide as its cells. */
export function formatTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = titles.map((title, at) => ({
    title,
    width: Math.max(title.length, ...rows.map(row => widthOf(escapeText(row[at] ?? '')))),
    side: rows.length > 0 && rows.every(row => /^\d+$/.test(row[at] ?? '')) ? ('right' as const) : ('left' as const),
  }))
  return [titles, ...rows].map(cells => `${formatRow(columns, cells)}\n`).join('')
}
