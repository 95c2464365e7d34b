// Token buckets by name, in this process: for what is bounded here and not in the shared counters. Remembers so many names; past that
// the one longest unused is forgotten, and its bucket is full again.
import { type Bucket, type BucketLimits, describeLevel, levelAt, tokenLevel } from '../counters/token-bucket.ts'

export interface BucketVerdict {
  admitted: boolean
  remaining: number
  /** Whole seconds until there is a token; 0: there is one. */
  resetSeconds: number
}

export interface TokenBuckets {
  readonly limits: BucketLimits
  /** Takes a token if there is one. */
  take(name: string): BucketVerdict
  /** Takes nothing. */
  look(name: string): BucketVerdict
}

export interface TokenBucketsOptions {
  limits: BucketLimits
  /** Epoch ms. */
  now(): number
  namesMax: number
}

export function createTokenBuckets({ limits, now, namesMax }: TokenBucketsOptions): TokenBuckets {
  const buckets = new Map<string, Bucket>()
  const verdictOf = (level: number, admitted: boolean): BucketVerdict => ({
    admitted,
    ...describeLevel(level, limits),
  })
  return {
    limits,
    take(name) {
      const atMs = now()
      const level = levelAt(buckets.get(name), limits, atMs)
      const admitted = level >= tokenLevel
      const left = admitted ? level - tokenLevel : level
      buckets.delete(name)
      if (buckets.size >= namesMax) buckets.delete(buckets.keys().next().value as string)
      buckets.set(name, { level: left, atMs })
      return verdictOf(left, admitted)
    },
    look(name) {
      const level = levelAt(buckets.get(name), limits, now())
      return verdictOf(level, level >= tokenLevel)
    },
  }
}
