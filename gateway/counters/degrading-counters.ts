// What happens when the shared counters are away. Fairness may be approximate: an admission by rate alone is decided by this
// process, with its part of the limit. All else may not (a quota, a guess, a one-time value, a key, a revocation): it fails
// closed, 503.
// The state is one for all calls: after the first failure nobody waits for a hung backend again; a probe finds it back.
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import {
  type Admission,
  type Beginning,
  type Begun,
  type Counters,
  CountersUnavailable,
  type DayCount,
  type Verdict,
} from '#gateway/counters/counters.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'

const retryAfterSeconds = 2

export type CountersState = 'shared' | 'local'

export interface DegradingCountersOptions {
  shared: Counters
  /** Gateways that share the limits; each grants its part alone. */
  instances: number
  /** Called on every change, with the failure that caused it; for a metric and a log line. Must not throw. */
  onState?: (state: CountersState, cause?: unknown) => void
  /** Between two probes of a backend that is away. */
  probeEveryMs?: number
}

/** Every method but ping and close throws ExchangeError NDX_COUNTERS_UNAVAILABLE where it cannot decide. */
export class DegradingCounters implements Counters {
  readonly #shared: Counters
  readonly #local = new MemoryCounters()
  readonly #instances: number
  readonly #onState: (state: CountersState, cause?: unknown) => void
  readonly #probeEveryMs: number
  #state: CountersState = 'shared'
  #probeTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor({ shared, instances, onState = () => {}, probeEveryMs = 250 }: DegradingCountersOptions) {
    this.#shared = shared
    this.#instances = instances
    this.#onState = onState
    this.#probeEveryMs = probeEveryMs
  }

  get state(): CountersState {
    return this.#state
  }

  async admit(admission: Admission): Promise<Verdict> {
    if (admission.quotaPerDay !== undefined || admission.guesses !== undefined) {
      return this.#ask(() => this.#shared.admit(admission))
    }
    if (this.#state === 'local') return this.#admitLocally(admission)
    try {
      return await this.#shared.admit(admission)
    } catch (error) {
      this.#turnLocal(error)
      return this.#admitLocally(admission)
    }
  }

  async countMismatch(client: ClientId, subject: string, day: string, exchangeId: string): Promise<number> {
    return this.#ask(() => this.#shared.countMismatch(client, subject, day, exchangeId))
  }

  async releaseGuess(client: ClientId, subject: string, day: string): Promise<void> {
    return this.#ask(() => this.#shared.releaseGuess(client, subject, day))
  }

  count(day: string, client: ClientId, service: string, outcome: string): void {
    this.#shared.count(day, client, service, outcome)
  }

  async readDay(day: string): Promise<DayCount[]> {
    return this.#ask(() => this.#shared.readDay(day))
  }

  async useOnce(value: string, lifeMs: number): Promise<boolean> {
    return this.#ask(() => this.#shared.useOnce(value, lifeMs))
  }

  async begin(beginning: Beginning): Promise<Begun> {
    return this.#ask(() => this.#shared.begin(beginning))
  }

  async mark(clients: Iterable<ClientId>): Promise<void> {
    return this.#ask(() => this.#shared.mark(clients))
  }

  async forget(client: ClientId, service: ServiceId, key: string, exchangeId: string): Promise<void> {
    return this.#ask(() => this.#shared.forget(client, service, key, exchangeId))
  }

  async takeOver(beginning: Beginning, from: string): Promise<boolean> {
    return this.#ask(() => this.#shared.takeOver(beginning, from))
  }

  async rememberExchange(exchangeId: string, client: ClientId, lifeMs: number): Promise<void> {
    return this.#ask(() => this.#shared.rememberExchange(exchangeId, client, lifeMs))
  }

  async clientOf(exchangeId: string): Promise<ClientId | undefined> {
    return this.#ask(() => this.#shared.clientOf(exchangeId))
  }

  async revoke(tokenId: string, untilMs: number): Promise<void> {
    return this.#ask(() => this.#shared.revoke(tokenId, untilMs))
  }

  async revoked(): Promise<string[]> {
    return this.#ask(() => this.#shared.revoked())
  }

  /** Asks the backend whatever the state: readiness wants to know. */
  async ping(): Promise<void> {
    return this.#shared.ping()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#probeTimer)
    await this.#shared.close()
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#state === 'local') throw unavailable()
    try {
      return await question()
    } catch (error) {
      this.#turnLocal(error)
      throw unavailable(error)
    }
  }

  /** Rate and burst divided by the gateways, each at least 1, and never more than was agreed. */
  async #admitLocally(admission: Admission): Promise<Verdict> {
    const { ratePerSecond, burst } = admission
    const part = (limit: number): number => Math.min(limit, Math.max(1, limit / this.#instances))
    const limits = { ratePerSecond: part(ratePerSecond), burst: Math.floor(part(burst)) }
    return { ...(await this.#local.admit({ ...admission, ...limits })), source: 'local' }
  }

  /** @throws what is no absence of the backend: a fault of ours is not hidden behind a fallback. */
  #turnLocal(error: unknown): void {
    if (!(error instanceof CountersUnavailable)) throw error
    if (this.#state === 'local' || this.#closed) return
    this.#state = 'local'
    this.#onState('local', error)
    // At once: one lost answer is no outage.
    this.#probeAfter(0)
  }

  #probeAfter(waitMs: number): void {
    if (this.#closed) return
    this.#probeTimer = setTimeout(() => void this.#probe(), waitMs).unref()
  }

  async #probe(): Promise<void> {
    try {
      await this.#shared.ping()
    } catch {
      return this.#probeAfter(this.#probeEveryMs)
    }
    this.#state = 'shared'
    this.#onState('shared')
  }
}

const unavailable = (cause?: unknown): ExchangeError =>
  new ExchangeError('NDX_COUNTERS_UNAVAILABLE', { retryAfterSeconds }, { cause })
