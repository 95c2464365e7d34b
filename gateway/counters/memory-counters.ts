// The counters of one process, for the embedded mode and for tests; nothing survives it and nothing is shared. Also the
// limiter DegradingCounters falls back to. Every map is bounded; a full one refuses (CountersUnavailable), it never forgets.
import { hash } from 'node:crypto'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { checkExchangeId, compareEntry, isEntryOf, keyName, writeEntry } from '#gateway/counters/beginning.ts'
import {
  type Admission,
  type Beginning,
  type Begun,
  type Counters,
  type DayCount,
  mismatchesMax,
  type Verdict,
} from '#gateway/counters/counters.ts'
import { DayCounts, listCounts } from '#gateway/counters/day-counts.ts'
import { ExpiringMap } from '#gateway/counters/expiring-map.ts'
import { secondsLeft } from '#gateway/counters/quota-day.ts'
import { type Bucket, describeLevel, fullAgainMs, levelAt, tokenLevel } from '#gateway/counters/token-bucket.ts'

const entriesMax = 200_000
const dayLifeMs = 172_800_000
const daysKept = 40

export interface MemoryCountersOptions {
  /** Epoch ms. */
  now?: () => number
}

export class MemoryCounters implements Counters {
  readonly #now: () => number
  readonly #startedMs: number
  readonly #buckets = new ExpiringMap<Bucket>(entriesMax)
  readonly #quotas = new ExpiringMap<number>(entriesMax)
  readonly #mismatches = new ExpiringMap<Set<string>>(entriesMax)
  readonly #held = new ExpiringMap<number>(entriesMax)
  readonly #once = new ExpiringMap<true>(entriesMax)
  readonly #keys = new ExpiringMap<string>(entriesMax)
  readonly #exchanges = new ExpiringMap<ClientId>(entriesMax)
  readonly #revoked = new ExpiringMap<number>(entriesMax)
  readonly #counts = new DayCounts(entriesMax)

  constructor({ now = Date.now }: MemoryCountersOptions = {}) {
    this.#now = now
    this.#startedMs = now()
  }

  async admit(admission: Admission): Promise<Verdict> {
    const nowMs = this.#now()
    const level = levelAt(this.#buckets.get(rateKey(admission), nowMs), admission, nowMs)
    const used = this.#quotas.get(quotaKey(admission), nowMs) ?? 0
    const violated = this.#findViolated(admission, { level, used, nowMs })
    if (violated !== undefined) return describe(admission, { level, used, nowMs, violated })
    this.#useUp(admission, { level: level - tokenLevel, used: used + 1, nowMs })
    return describe(admission, { level: level - tokenLevel, used: used + 1, nowMs })
  }

  async countMismatch(client: ClientId, subject: string, day: string, exchangeId: string): Promise<number> {
    const key = guessKey(client, subject, day)
    const nowMs = this.#now()
    const known = this.#mismatches.get(key, nowMs)
    const mismatches = known ?? new Set<string>()
    if (mismatches.size >= mismatchesMax || mismatches.has(exchangeId)) return mismatches.size
    if (known === undefined) this.#mismatches.set(key, mismatches, nowMs + dayLifeMs, nowMs)
    mismatches.add(exchangeId)
    this.#giveBack(key, nowMs)
    return mismatches.size
  }

  async releaseGuess(client: ClientId, subject: string, day: string): Promise<void> {
    this.#giveBack(guessKey(client, subject, day), this.#now())
  }

  count(day: string, client: ClientId, service: string, outcome: string): void {
    this.#counts.add(day, client, service, outcome)
    const days = this.#counts.days
    if (days.length > daysKept && days[0] !== undefined) this.#counts.drop(days[0])
  }

  async readDay(day: string): Promise<DayCount[]> {
    return listCounts(this.#counts.of(day))
  }

  async useOnce(value: string, lifeMs: number): Promise<boolean> {
    const nowMs = this.#now()
    const key = hash('sha256', value, 'base64url')
    if (this.#once.get(key, nowMs) !== undefined) return false
    this.#once.set(key, true, nowMs + lifeMs, nowMs)
    return true
  }

  async begin(beginning: Beginning): Promise<Begun> {
    const { client, service, key, body, windowMs } = beginning
    const nowMs = this.#now()
    const entry = writeEntry(beginning)
    const name = idempotencyKey(client, service, key)
    const taken = this.#keys.get(name, nowMs)
    if (taken !== undefined) return compareEntry(taken, body)
    this.#keys.set(name, entry, nowMs + windowMs, nowMs)
    return { state: 'new', rememberedSinceMs: this.#startedMs, isAlone: true }
  }

  async mark(): Promise<void> {}

  async forget(client: ClientId, service: ServiceId, key: string, exchangeId: string): Promise<void> {
    const name = idempotencyKey(client, service, key)
    if (isEntryOf(this.#keys.get(name, this.#now()), exchangeId)) this.#keys.delete(name)
  }

  async takeOver(beginning: Beginning, from: string): Promise<boolean> {
    const { client, service, key, windowMs } = beginning
    const nowMs = this.#now()
    const entry = writeEntry(beginning)
    const name = idempotencyKey(client, service, key)
    if (!isEntryOf(this.#keys.get(name, nowMs), from)) return false
    this.#keys.set(name, entry, nowMs + windowMs, nowMs)
    return true
  }

  async rememberExchange(exchangeId: string, client: ClientId, lifeMs: number): Promise<void> {
    checkExchangeId(exchangeId)
    const nowMs = this.#now()
    this.#exchanges.set(exchangeId, client, nowMs + lifeMs, nowMs)
  }

  async clientOf(exchangeId: string): Promise<ClientId | undefined> {
    return this.#exchanges.get(exchangeId, this.#now())
  }

  async revoke(tokenId: string, untilMs: number): Promise<void> {
    const nowMs = this.#now()
    const latestMs = Math.max(untilMs, this.#revoked.get(tokenId, nowMs) ?? 0)
    this.#revoked.set(tokenId, latestMs, latestMs, nowMs)
  }

  async revoked(): Promise<string[]> {
    return this.#revoked.keys(this.#now())
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {}

  #findViolated(admission: Admission, state: { level: number; used: number; nowMs: number }): Verdict['violated'] {
    const { client, day, guesses, quotaPerDay } = admission
    if (guesses !== undefined) {
      const key = guessKey(client, guesses.subject, day)
      const made = (this.#mismatches.get(key, state.nowMs)?.size ?? 0) + (this.#held.get(key, state.nowMs) ?? 0)
      if (made >= guesses.max) return 'guesses'
    }
    if (quotaPerDay !== undefined && state.used >= quotaPerDay) return 'quota'
    return state.level < tokenLevel ? 'rate' : undefined
  }

  /** The bucket last: a full map throws before anything a client would miss was used up. */
  #useUp(admission: Admission, { level, used, nowMs }: { level: number; used: number; nowMs: number }): void {
    const { client, day, guesses, quotaPerDay } = admission
    if (guesses?.holdMs !== undefined) {
      const key = guessKey(client, guesses.subject, day)
      this.#held.set(key, (this.#held.get(key, nowMs) ?? 0) + 1, nowMs + guesses.holdMs, nowMs)
    }
    if (quotaPerDay !== undefined) this.#quotas.set(quotaKey(admission), used, nowMs + dayLifeMs, nowMs)
    this.#buckets.set(rateKey(admission), { level, atMs: nowMs }, fullAgainMs(level, admission, nowMs), nowMs)
  }

  #giveBack(key: string, nowMs: number): void {
    const held = this.#held.get(key, nowMs) ?? 0
    if (held > 0) this.#held.replace(key, held - 1)
  }
}

const rateKey = ({ client, service }: Admission): string => `${client} ${service}`
const quotaKey = ({ client, service, day }: Admission): string => `${client} ${service} ${day}`
const guessKey = (client: ClientId, subject: string, day: string): string => `${client} ${day} ${subject}`
const idempotencyKey = (client: ClientId, service: ServiceId, key: string): string =>
  `${client} ${keyName(service, key)}`

function describe(
  admission: Admission,
  state: { level: number; used: number; nowMs: number; violated?: NonNullable<Verdict['violated']> },
): Verdict {
  const { level, used, nowMs, violated } = state
  const { day, quotaPerDay } = admission
  return {
    admitted: violated === undefined,
    ...(violated !== undefined && { violated }),
    rate: describeLevel(level, admission),
    ...(quotaPerDay !== undefined && {
      quota: { remaining: Math.max(0, quotaPerDay - used), resetSeconds: secondsLeft(day, nowMs) },
    }),
    source: 'shared',
  }
}
