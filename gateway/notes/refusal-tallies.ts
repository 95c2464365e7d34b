// Refusals before anybody was identified, counted by second and code: whoever has no key writes one note a second and code into the
// permanent log, however often he asks.
import { type Tally } from './note-line.ts'

export class RefusalTallies {
  #second = 0
  readonly #counts = new Map<string, number>()
  readonly #changed = new Set<string>()

  /** Whether this second is another than the one that is counted. */
  isOver(nowMs: number): boolean {
    return this.#counts.size > 0 && Math.floor(nowMs / 1000) !== this.#second
  }

  /** Which one it is of its second. */
  add(code: string, nowMs: number): number {
    if (this.#counts.size === 0) this.#second = Math.floor(nowMs / 1000)
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    this.#changed.add(code)
    return count
  }

  /** Those that are not as they were when this was asked last. */
  changed(): Tally[] {
    if (this.#changed.size === 0) return []
    const tallies = this.open().filter(({ code }) => this.#changed.has(code))
    this.#changed.clear()
    return tallies
  }

  open(): Tally[] {
    return [...this.#counts].map(([code, count]) => ({ second: this.#second, code, count }))
  }

  /** Ends the second. */
  end(): Tally[] {
    const tallies = this.open()
    this.#counts.clear()
    this.#changed.clear()
    return tallies
  }
}
