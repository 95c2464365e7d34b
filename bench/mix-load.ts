// What the generator of mixed load is told and what it tells. Its counts are exact: nothing is in flight when it has ended.
import { type Count } from './books.ts'

export interface MixAssignment {
  /** Gateways, asked in turn. */
  urls: readonly string[]
  contractsDir: string
  /** By client. */
  tokens: Readonly<Record<string, string>>
  seed: number
  /** Number of the first exchange, which says what it asks (mix.ts). */
  first: number
  /** It ends after so many, or when the time is over, whatever comes first. */
  exchanges: number
  seconds?: number
  concurrent: number
  /** So long until all of them ask: nobody's day begins with its busiest second, nor does a compiler's. */
  rampSeconds?: number
  /** Right questions to this service alone. */
  only?: string
}

export interface MixTally {
  counts: Count[]
  /** Answers, and questions that none came to. */
  asked: number
  tookMs: number
  /** Of answers with 200, all and by service. */
  latencies: Latencies
  byService: Record<string, Latencies>
  refusals: Latencies
  /** Answers that the mix did not expect, each with how often; at most a hundred kinds. */
  unexpected: Record<string, number>
}

export interface Latencies {
  count: number
  p50Ms: number | undefined
  p95Ms: number | undefined
  p99Ms: number | undefined
  maxMs: number | undefined
}

export type ToGenerator =
  | { is: 'run'; assignment: MixAssignment }
  /** Before the old ones expire. */
  | { is: 'tokens'; tokens: Readonly<Record<string, string>> }

export type FromGenerator = { is: 'ready' } | { is: 'progress'; done: number } | { is: 'end'; tally: MixTally }
