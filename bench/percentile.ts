// The order statistics of the bench. Pure.

/** The smallest value that at least `share` (0 … 1) of all are not above (nearest rank). `sorted` ascending; empty: undefined. */
export function percentile(sorted: ArrayLike<number>, share: number): number | undefined {
  const rank = Math.max(1, Math.ceil(sorted.length * share))
  return sorted[rank - 1]
}

/** The middle value, or the mean of the two middle ones. Empty: undefined. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2
}
