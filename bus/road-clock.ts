// The road's clock, as acknowledgements tell it: a record was sent and acknowledged at two moments of our own monotonic clock,
// and the broker says when in between it wrote it. The sample with the shortest round trip of the last minute counts, so the
// error is at most half of that. Pure: it is told, and asks nobody. A machine that slept is behind until the next sample.

/** A record on its way: both ends on the monotonic clock, what lies between on the broker's. Ms. */
export interface ClockSample {
  sentMs: number
  ackedMs: number
  /** Epoch ms, cut to whole ones. */
  appendedMs: number
}

interface Estimate {
  /** When its span of the window began, monotonic. */
  spanMs: number
  roundTripMs: number
  /** Road minus monotonic. */
  offsetMs: number
}

export interface RoadClockOptions {
  monotonicMs?(): number
  /** Told until the first sample. */
  localMs?(): number
}

/** How long a sample counts. */
const windowMs = 60_000
/** One sample is kept of each part of the window. */
const spanMs = 5_000
/** An estimate that is this far outside of what a sample allows is of another time: a clock was set, or a machine slept. */
const contradictionMs = 100
/** Smaller corrections backwards are waited out, so that time does not run backwards. */
const heldMaxMs = 100

export class RoadClock {
  readonly #monotonicMs: () => number
  readonly #localMs: () => number
  /** The best of each span, oldest first. */
  #estimates: Estimate[] = []
  #best: Estimate | null = null
  #lastMs = 0

  constructor({ monotonicMs = () => performance.now(), localMs = Date.now }: RoadClockOptions = {}) {
    this.#monotonicMs = monotonicMs
    this.#localMs = localMs
  }

  add({ sentMs, ackedMs, appendedMs }: ClockSample): void {
    const roundTripMs = ackedMs - sentMs
    if (!(roundTripMs >= 0 && Number.isFinite(appendedMs))) return
    const { offsetMs } = this.#best ?? { offsetMs: Number.NaN }
    const isContradicted =
      offsetMs < appendedMs - ackedMs - contradictionMs || offsetMs > appendedMs + 1 - sentMs + contradictionMs
    if (isContradicted) this.#estimates = []
    // Cut to whole ms, it was written half of one later on average.
    const estimate = { spanMs: ackedMs, roundTripMs, offsetMs: appendedMs + 0.5 - (sentMs + ackedMs) / 2 }
    const newest = this.#estimates.at(-1)
    if (!newest || ackedMs - newest.spanMs >= spanMs) this.#begin(estimate)
    else if (roundTripMs <= newest.roundTripMs) this.#replaceNewest({ ...estimate, spanMs: newest.spanMs })
  }

  /** Epoch ms, whole. */
  now(): number {
    const nowMs = Math.round(this.#best ? this.#monotonicMs() + this.#best.offsetMs : this.#localMs())
    if (nowMs >= this.#lastMs || this.#lastMs - nowMs > heldMaxMs) this.#lastMs = nowMs
    return this.#lastMs
  }

  #begin(estimate: Estimate): void {
    this.#estimates = this.#estimates.filter(one => estimate.spanMs - one.spanMs < windowMs)
    this.#estimates.push(estimate)
    this.#choose()
  }

  #replaceNewest(estimate: Estimate): void {
    this.#estimates[this.#estimates.length - 1] = estimate
    this.#choose()
  }

  /** Of equals the newest. */
  #choose(): void {
    this.#best = this.#estimates.reduce((best, one) => (one.roundTripMs <= best.roundTripMs ? one : best))
  }
}
