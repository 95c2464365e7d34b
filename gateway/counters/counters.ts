// What must be counted across gateways: token buckets, daily quotas, guesses, the audit counters by day, one-time values and
// revoked tokens. Two backends, MemoryCounters and RedisCounters, one suite (tests/suites/counters.ts). Counters protect and
// inform; they are never the evidence: that is the ledger, from which they can be rebuilt.
import { type ClientId, type ServiceId } from '#contracts/contract.ts'

/** One admission to decide. Limits come from the grant and the contract. */
export interface Admission {
  client: ClientId
  service: ServiceId
  /** The day of the quota, `yyyy-mm-dd` in UTC+7. */
  day: string
  ratePerSecond: number
  burst: number
  quotaPerDay?: number
  /**
   * Mismatches allowed a day for this client about this subject (a pseudonym). With `holdMs` the admission holds one guess
   * until countMismatch or releaseGuess, at most so long; without it, n questions at once get n guesses.
   */
  guesses?: { subject: string; max: number; holdMs?: number }
}

export interface Verdict {
  admitted: boolean
  /** The limit that refused; the first in the order guesses, quota, rate. A refused admission uses nothing up. */
  violated?: 'guesses' | 'quota' | 'rate'
  /** Whole tokens left in the bucket, and whole seconds (rounded up) until one more is there (0: now). */
  rate: { remaining: number; resetSeconds: number }
  /** What is left of the day's quota; resets at midnight UTC+7. */
  quota?: { remaining: number; resetSeconds: number }
  /** local: the shared counters are away and this process decided by itself. */
  source: 'shared' | 'local'
}

export interface DayCount {
  client: ClientId
  service: string
  outcome: string
  count: number
}

/** The counters did not answer. Unknown is not zero: the caller decides what that means. */
export class CountersUnavailable extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'CountersUnavailable'
  }
}

/** Every method that reads or decides rejects with CountersUnavailable within 300 ms when the backend is away or hangs. */
export interface Counters {
  /** Bucket, quota and guesses, decided and used up in one atomic step. */
  admit(admission: Admission): Promise<Verdict>
  /** One more mismatch of this client about this subject today; ends a hold. Counted before the mismatch is answered. */
  countMismatch(client: ClientId, subject: string, day: string): Promise<void>
  /** Gives a held guess back: the reply was no mismatch, or none came. */
  releaseGuess(client: ClientId, subject: string, day: string): Promise<void>
  /** Adds one to the day's audit counter. Buffered and written in the background (at most 200 ms later); never throws. */
  count(day: string, client: ClientId, service: string, outcome: string): void
  /** The audit counters of a day, what this process still buffers included, sorted by client, service, outcome. */
  readDay(day: string): Promise<DayCount[]>
  /** True the first time a value is seen within its life, false after. For assertion ids. */
  useOnce(value: string, lifeMs: number): Promise<boolean>
  /** A token is refused by every gateway from at most 1 s later, until it would have expired anyway (epoch ms). */
  revoke(tokenId: string, untilMs: number): Promise<void>
  /** Token ids revoked and not yet expired. */
  revoked(): Promise<string[]>
  /** Resolves when the backend answers. */
  ping(): Promise<void>
  /** Writes what is buffered, then closes. Idempotent. */
  close(): Promise<void>
}
