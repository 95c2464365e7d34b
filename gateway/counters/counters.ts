// What must be counted across gateways: token buckets, daily quotas, guesses, the audit counters by day, one-time values,
// Idempotency-Keys and revoked tokens. Two backends, MemoryCounters and RedisCounters, one suite (tests/suites/counters.ts). Counters protect and
// inform; they are never the evidence: that is the ledger, from which they can be rebuilt.
import { type ClientId, type ServiceId } from '#contracts/contract.ts'

/** Mismatches told apart a day for one client and subject; no contract's limit is above it (contract.schema.json). */
export const mismatchesMax = 1000

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

/** An exchange about to be begun under an Idempotency-Key of its client, for one service. */
export interface Beginning {
  client: ClientId
  service: ServiceId
  /** Keyed digests, at most 128 characters each. */
  key: string
  body: string
  exchangeId: string
  /** Epoch ms on the road's clock. */
  beganMs: number
  deadlineMs: number
  /** How long the key is remembered, at most 40 days. */
  windowMs: number
}

export type Begun =
  /**
   * Whatever this client began earlier than `rememberedSinceMs` (epoch ms, the backend's clock) may have been forgotten.
   * `isAlone`: no other process uses these counters, so what was begun before died with the process that began it.
   */
  | { state: 'new'; rememberedSinceMs: number; isAlone?: true }
  | { state: 'same'; exchangeId: string; beganMs: number; deadlineMs: number }
  /** The key is taken by another body. */
  | { state: 'other' }

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
  /**
   * This exchange mismatched: one more for this client about this subject today, and the end of a hold. The same exchange
   * again changes nothing. Resolves to the exchanges that mismatched today. Counted before the mismatch is answered.
   */
  countMismatch(client: ClientId, subject: string, day: string, exchangeId: string): Promise<number>
  /** Gives a held guess back: the reply was no mismatch, or none came. */
  releaseGuess(client: ClientId, subject: string, day: string): Promise<void>
  /** Adds one to the day's audit counter. Buffered and written in the background (at most 200 ms later); never throws. */
  count(day: string, client: ClientId, service: string, outcome: string): void
  /** The audit counters of a day, what this process still buffers included, sorted by client, service, outcome. */
  readDay(day: string): Promise<DayCount[]>
  /** True the first time a value is seen within its life, false after. For assertion ids. */
  useOnce(value: string, lifeMs: number): Promise<boolean>
  /** Of all that begin with one key at once, one is new. @throws RangeError when a part is out of its bounds. */
  begin(beginning: Beginning): Promise<Begun>
  /** What these clients begin is remembered from now on, so that their first key finds an index that is older than it. */
  mark(clients: Iterable<ClientId>): Promise<void>
  /** The exchange never came about: its key is free again. Only if it still names that exchange. */
  forget(client: ClientId, service: ServiceId, key: string, exchangeId: string): Promise<void>
  /** Another exchange takes the key over, remembered for a window from now, only if it still names `from`; false: it does not. */
  takeOver(beginning: Beginning, from: string): Promise<boolean>
  /** Whose exchange this is, for the time until the ledger knows it. @throws RangeError when it is no exchange id. */
  rememberExchange(exchangeId: string, client: ClientId, lifeMs: number): Promise<void>
  /** undefined: not remembered, or no exchange id at all. */
  clientOf(exchangeId: string): Promise<ClientId | undefined>
  /** A token is refused by every gateway from at most 1 s later, until it would have expired anyway (epoch ms). */
  revoke(tokenId: string, untilMs: number): Promise<void>
  /** Token ids revoked and not yet expired. */
  revoked(): Promise<string[]>
  /** Resolves when the backend answers. */
  ping(): Promise<void>
  /** Writes what is buffered, then closes. Idempotent. */
  close(): Promise<void>
}
