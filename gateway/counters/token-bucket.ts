// The token bucket, pure: how full it is at a moment and when the next token is there. admit.lua does the same in millionths
// of a token and microseconds; tests/suites/counters.ts holds both to the same answers.

export interface BucketLimits {
  /** Above 0. */
  ratePerSecond: number
  burst: number
}

/** A bucket as it was left by the last admission. */
export interface Bucket {
  /** Thousandths of a token: at a whole rate they stay whole, so nothing is lost or gained by rounding. */
  level: number
  atMs: number
}

export const tokenLevel = 1000

/** The level now. No bucket yet: full. A clock that went back adds nothing. */
export function levelAt(bucket: Bucket | undefined, limits: BucketLimits, nowMs: number): number {
  const full = limits.burst * tokenLevel
  if (bucket === undefined) return full
  return Math.min(full, bucket.level + Math.max(0, nowMs - bucket.atMs) * limits.ratePerSecond)
}

/** When a bucket of this level is full again and need not be remembered. */
export function fullAgainMs(level: number, limits: BucketLimits, nowMs: number): number {
  return nowMs + Math.ceil((limits.burst * tokenLevel - level) / limits.ratePerSecond)
}

/** What the RateLimit field says: whole tokens left, and whole seconds until there is one (0: now). */
export function describeLevel(level: number, limits: BucketLimits): { remaining: number; resetSeconds: number } {
  if (level >= tokenLevel) return { remaining: Math.floor(level / tokenLevel), resetSeconds: 0 }
  return { remaining: 0, resetSeconds: Math.ceil((tokenLevel - level) / limits.ratePerSecond / 1000) }
}
