// How far a long run is, in one line. Pure.

export interface Progress {
  done: number
  total: number
  /** Since the run began. */
  elapsedMs: number
  /** Just now. */
  perSecond: number
  /** Records written and not yet in the ledger; undefined: not known. */
  lag: number | undefined
}

const width = 24

export function renderProgress({ done, total, elapsedMs, perSecond, lag }: Progress): string {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(share * width)
  const leftMs = done === 0 ? undefined : (elapsedMs / done) * (total - done)
  return [
    `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${Math.floor(share * 100)} %`,
    `${grouped(done)} of ${grouped(total)}`,
    `${grouped(Math.round(perSecond))}/s`,
    leftMs === undefined ? '' : `${clockOf(leftMs)} left`,
    lag === undefined ? '' : `ledger ${grouped(lag)} records behind`,
  ]
    .filter(Boolean)
    .join('  ')
}

/** `1,600,000` */
export const grouped = (count: number): string => count.toLocaleString('en-US')

/** `m:ss`, or `h:mm:ss`. */
export function clockOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  const two = (count: number): string => String(count).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes)}:${two(seconds % 60)}`
}
