// Plain Markdown tables of the studies, a figure of three digits or so in each place. Pure.

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => ' --- |').join('')}`,
    ...rows.map(row => `| ${row.join(' | ')} |`),
  ].join('\n')

/** Three digits or so: `1,234`, `56`, `7.8`, `0.12`; nothing measured: `–`. */
export function digits(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 10) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(size >= 1 ? 1 : 2)
}

/** Bytes as MB or GB of a thousand. */
export const sizeText = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${digits(bytes / 1e6)} MB`
