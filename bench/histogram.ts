// Latencies of millions of exchanges in a few thousand counters: 128 to an octave, so that a percentile is at most 0.8 % too
// high and never too low. Pure; its memory does not grow with what it counts.

const subBits = 7
const subCount = 1 << subBits
/** 2^31 µs, 36 minutes; what is longer counts as that. */
const usMax = 2 ** 31 - 1

export class Histogram {
  readonly #counts: number[] = []
  #count = 0
  #maxUs = 0

  record(ms: number): void {
    const us = Math.min(usMax, Math.max(0, Math.round(ms * 1000)))
    const bucket = bucketOf(us)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count++
    if (us > this.#maxUs) this.#maxUs = us
  }

  get count(): number {
    return this.#count
  }

  /** ms that at least `share` (0 … 1) of all are not above (nearest rank); undefined when empty. */
  percentile(share: number): number | undefined {
    if (this.#count === 0) return undefined
    let left = Math.max(1, Math.ceil(this.#count * share))
    for (const [bucket, count = 0] of this.#counts.entries()) {
      left -= count
      if (left <= 0) return Math.min(topOf(bucket), this.#maxUs) / 1000
    }
    return this.#maxUs / 1000
  }
}

/** Below 256 µs a bucket is a microsecond; above, an octave has 128 of them. */
function bucketOf(us: number): number {
  if (us < subCount * 2) return us
  const shift = 31 - Math.clz32(us) - subBits
  return shift * subCount + (us >>> shift)
}

/** The largest value that falls into a bucket. */
function topOf(bucket: number): number {
  if (bucket < subCount * 2) return bucket
  const shift = Math.floor(bucket / subCount) - 1
  return (bucket - shift * subCount + 1) * 2 ** shift - 1
}
