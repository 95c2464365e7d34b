// How fast a long run goes, from counts that come about once a second: just now, and in its slowest and fastest ten seconds. Pure.

const windowMs = 10_000
const recentMs = 5_000

export class Rates {
  readonly #points: { atMs: number; done: number }[] = [{ atMs: 0, done: 0 }]
  #slowest: number | undefined
  #fastest: number | undefined

  /** `atMs` since the run began, ascending. */
  add(atMs: number, done: number): void {
    this.#points.push({ atMs, done })
    const oldest = this.#points.findLast(point => point.atMs <= atMs - windowMs)
    if (oldest === undefined) return
    const rate = rateOf(oldest, { atMs, done })
    this.#slowest = Math.min(this.#slowest ?? rate, rate)
    this.#fastest = Math.max(this.#fastest ?? rate, rate)
    // What is older than the window is not asked about again.
    while (this.#points[1] !== undefined && this.#points[1].atMs <= oldest.atMs) this.#points.shift()
  }

  /** A second, over the last five seconds. */
  latest(): number {
    const last = this.#points.at(-1)
    const from = this.#points.find(point => last !== undefined && point.atMs >= last.atMs - recentMs)
    return last === undefined || from === undefined ? 0 : rateOf(from, last)
  }

  /** Undefined: it took less than ten seconds. */
  extremes(): { slowest: number | undefined; fastest: number | undefined } {
    return { slowest: this.#slowest, fastest: this.#fastest }
  }
}

const rateOf = (from: { atMs: number; done: number }, to: { atMs: number; done: number }): number =>
  to.atMs === from.atMs ? 0 : ((to.done - from.done) / (to.atMs - from.atMs)) * 1000
