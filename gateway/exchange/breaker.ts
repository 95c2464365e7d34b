// A circuit breaker for each provider: when half of its calls fail, or where calls are rare some in a row, it is left alone for a
// while, instead of letting every client wait for nothing; then a few probes find out whether it is back. A clock and no timers: the
// state moves when it is asked.
// Each gateway judges by its own calls. Bounded by the providers, who are known and few.
import { type ProviderId } from '#contracts/contract.ts'

const bucketMs = 1000
const bucketCount = 10
const callsMin = 20
const failedPercentToOpen = 50
/** Where ten seconds have too few calls to judge by: so many failed one after the other, over at least these ten seconds. */
const failedInRowToOpen = 4
const rowMsToOpen = bucketCount * bucketMs
const openMs = 5000
const jitterShare = 0.2
/** With its jitter an opening lasts 60 s at most. */
const openMsMax = 60_000 / (1 + jitterShare)
const probesAtOnce = 5
const goodProbesToClose = 5
const retryJitterSeconds = 2

export type BreakerState = 'closed' | 'open' | 'half-open'

/**
 * ok: the provider answered, be it with a failure of its contract. failed: a time-out or a fault of the provider's.
 * unasked: the question never reached it, which says nothing.
 */
export type CallOutcome = 'ok' | 'failed' | 'unasked'

export type BreakerAdmission =
  /** The first settle counts. One that never comes is not counted, and a probe's place is free again after `probeLifeMs`. */
  { ok: true; settle(outcome: CallOutcome): void } | { ok: false; retryAfterSeconds: number }

export interface Breakers {
  admit(provider: ProviderId): BreakerAdmission
  state(provider: ProviderId): BreakerState
  /** Told of every change, for a metric and a log line; must not throw. May be set later. */
  onChange?: ((provider: ProviderId, state: BreakerState) => void) | undefined
}

export interface BreakersOptions {
  /** Ms that never go back: monotonic. */
  now: () => number
  /** From 0 to below 1. */
  random: () => number
  /** A probe not settled for so long no longer keeps others from trying. */
  probeLifeMs?: number
  onChange?: Breakers['onChange']
}

export function createBreakers(options: BreakersOptions): Breakers {
  const { now, random, probeLifeMs = 30_000, onChange } = options
  const byProvider = new Map<ProviderId, Breaker>()
  const breakers: Breakers = {
    admit(provider) {
      let breaker = byProvider.get(provider)
      if (breaker === undefined) {
        const tell = (state: BreakerState): void => breakers.onChange?.(provider, state)
        breaker = new Breaker({ now, random, probeLifeMs, onChange: tell })
        byProvider.set(provider, breaker)
      }
      return breaker.admit()
    },
    state: provider => byProvider.get(provider)?.state ?? 'closed',
    onChange,
  }
  return breakers
}

type BreakerOptions = Required<Omit<BreakersOptions, 'onChange'>> & { onChange: (state: BreakerState) => void }

class Breaker {
  readonly #now: () => number
  readonly #random: () => number
  readonly #probeLifeMs: number
  readonly #onChange: (state: BreakerState) => void
  #state: BreakerState = 'closed'
  /** Grows with every change: a call that began under an older state counts for nothing. */
  #generation = 0
  #calls = new CallWindow()
  /** Calls that failed since the last that did not. */
  #row = { failed: 0, sinceMs: 0 }
  /** Openings since it was last closed. */
  #openings = 0
  #openUntilMs = 0
  #goodProbes = 0
  readonly #probes = new Set<{ untilMs: number }>()

  constructor({ now, random, probeLifeMs, onChange }: BreakerOptions) {
    this.#now = now
    this.#random = random
    this.#probeLifeMs = probeLifeMs
    this.#onChange = onChange
  }

  /** An opening that is over is half-open. */
  get state(): BreakerState {
    if (this.#state === 'open' && this.#now() >= this.#openUntilMs) this.#change('half-open')
    return this.#state
  }

  admit(): BreakerAdmission {
    const state = this.state
    if (state === 'open') return this.#refuse(this.#openUntilMs - this.#now())
    if (state === 'closed') return { ok: true, settle: this.#settler(outcome => this.#countCall(outcome)) }
    return this.#admitProbe()
  }

  #admitProbe(): BreakerAdmission {
    const nowMs = this.#now()
    for (const probe of this.#probes) if (probe.untilMs <= nowMs) this.#probes.delete(probe)
    if (this.#probes.size >= probesAtOnce) return this.#refuse(0)
    const probe = { untilMs: nowMs + this.#probeLifeMs }
    this.#probes.add(probe)
    const settle = this.#settler(outcome => {
      this.#probes.delete(probe)
      this.#countProbe(outcome)
    })
    return { ok: true, settle }
  }

  #settler(count: (outcome: CallOutcome) => void): (outcome: CallOutcome) => void {
    let generation: number | undefined = this.#generation
    return outcome => {
      const counts = generation === this.#generation
      generation = undefined
      if (counts) count(outcome)
    }
  }

  #countCall(outcome: CallOutcome): void {
    if (outcome === 'unasked') return
    const nowMs = this.#now()
    const { calls, failed } = this.#calls.add(nowMs, outcome === 'failed')
    if (outcome === 'ok') this.#row.failed = 0
    else if (this.#row.failed++ === 0) this.#row.sinceMs = nowMs
    const isMostlyFailing = calls >= callsMin && failed * 100 >= calls * failedPercentToOpen
    if (isMostlyFailing || this.#isRowOver(nowMs)) this.#open()
  }

  #isRowOver(nowMs: number): boolean {
    return this.#row.failed >= failedInRowToOpen && nowMs - this.#row.sinceMs >= rowMsToOpen
  }

  #countProbe(outcome: CallOutcome): void {
    if (outcome === 'ok') this.#goodProbes += 1
    if (outcome === 'failed') this.#open()
    else if (this.#goodProbes >= goodProbesToClose) this.#change('closed')
  }

  #open(): void {
    const jitter = 1 + jitterShare * (2 * this.#random() - 1)
    this.#openUntilMs = this.#now() + Math.min(openMsMax, openMs * 2 ** this.#openings) * jitter
    this.#openings += 1
    this.#change('open')
  }

  #change(state: BreakerState): void {
    if (state === 'closed') this.#openings = 0
    this.#state = state
    this.#generation += 1
    this.#goodProbes = 0
    this.#probes.clear()
    this.#calls = new CallWindow()
    this.#row.failed = 0
    this.#onChange(state)
  }

  /** Spread, so that those refused at once do not come back at once. */
  #refuse(leftMs: number): BreakerAdmission {
    const seconds = Math.ceil(leftMs / 1000 + this.#random() * retryJitterSeconds)
    return { ok: false, retryAfterSeconds: Math.max(1, seconds) }
  }
}

/** Calls settled in the last 10 s, in buckets of a second. */
class CallWindow {
  readonly #buckets: { second: number; calls: number; failed: number }[] = []

  /** Adds one and returns what the window holds now. */
  add(nowMs: number, hasFailed: boolean): { calls: number; failed: number } {
    const second = Math.floor(nowMs / bucketMs)
    while (this.#buckets[0] !== undefined && this.#buckets[0].second <= second - bucketCount) this.#buckets.shift()
    let last = this.#buckets.at(-1)
    if (last?.second !== second) {
      last = { second, calls: 0, failed: 0 }
      this.#buckets.push(last)
    }
    last.calls += 1
    if (hasFailed) last.failed += 1
    const sum = { calls: 0, failed: 0 }
    for (const { calls, failed } of this.#buckets) {
      sum.calls += calls
      sum.failed += failed
    }
    return sum
  }
}
