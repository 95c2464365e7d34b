// Tables as Markdown, padded so that they read well in a terminal too, and figures as short as they are sure.
import { median } from './percentile.ts'

/** Median and range of what was measured; undefined when nothing was. */
export type Figure = { median: number; min: number; max: number } | undefined

export function figureOf(values: readonly (number | undefined)[]): Figure {
  const known = values.filter(value => value !== undefined)
  const middle = median(known)
  return middle === undefined ? undefined : { median: middle, min: Math.min(...known), max: Math.max(...known) }
}

/** The first line is the heading; the first column is text, the others are figures. */
export function renderTable(lines: readonly (readonly string[])[]): string {
  const [heading = [], ...rest] = lines
  const widths = heading.map((_, column) => Math.max(3, ...lines.map(cells => cells[column]?.length ?? 0)))
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [heading.map(pad), rule, ...rest.map(cells => cells.map(pad))]
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n')
}

export const short = (figure: Figure): string => (figure === undefined ? '–' : digits(figure.median))

export function withRange(figure: Figure): string {
  if (figure === undefined) return '–'
  const [middle, min, max] = [digits(figure.median), digits(figure.min), digits(figure.max)]
  return min === max ? middle : `${middle} [${min}–${max}]`
}

export const percent = (share: number | undefined): string =>
  share === undefined ? '–' : `${Math.round(share * 100)} %`

/** Three digits, and no fraction from a hundred on. */
export function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  if (value >= 10) return value.toFixed(value >= 99.95 ? 0 : 1)
  return value.toFixed(2)
}
