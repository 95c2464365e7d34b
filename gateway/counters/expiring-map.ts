// A Map whose entries end, with a bound. Expired entries are never seen and are swept away when the map has doubled since the
// last sweep, so memory stays within twice what lives. A full map refuses what is new: it never forgets something that counts.
import { CountersUnavailable } from '#gateway/counters/counters.ts'

const sweepAtSizeMin = 1024
const fullSweepEveryMs = 1000

export class ExpiringMap<V> {
  readonly #entries = new Map<string, { value: V; expiresMs: number }>()
  readonly #entriesMax: number
  #sweepAtSize: number
  #sweptMs = Number.NEGATIVE_INFINITY

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
    this.#sweepAtSize = Math.min(sweepAtSizeMin, entriesMax)
  }

  /** Entries held, the expired ones not swept yet included. */
  get size(): number {
    return this.#entries.size
  }

  get(key: string, nowMs: number): V | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.expiresMs > nowMs ? entry.value : undefined
  }

  /** @throws CountersUnavailable when the key is new and the map is full of entries that live. */
  set(key: string, value: V, expiresMs: number, nowMs: number): void {
    if (!this.#entries.has(key) && this.#entries.size >= this.#sweepAtSize) this.#makeRoom(nowMs)
    this.#entries.set(key, { value, expiresMs })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Changes the value of a key that is there, and not when it ends. */
  replace(key: string, value: V): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.value = value
  }

  /** Keys that live. */
  keys(nowMs: number): string[] {
    this.#sweep(nowMs)
    return [...this.#entries.keys()]
  }

  #makeRoom(nowMs: number): void {
    // A full map is not walked for every new key: that would make an attack of what bounds it.
    const full = this.#entries.size >= this.#entriesMax
    if (!full || Math.abs(nowMs - this.#sweptMs) >= fullSweepEveryMs) this.#sweep(nowMs)
    if (this.#entries.size >= this.#entriesMax) throw new CountersUnavailable(`Full: ${this.#entriesMax} entries`)
  }

  #sweep(nowMs: number): void {
    for (const [key, entry] of this.#entries) if (entry.expiresMs <= nowMs) this.#entries.delete(key)
    this.#sweptMs = nowMs
    this.#sweepAtSize = Math.min(this.#entriesMax, Math.max(sweepAtSizeMin, this.#entries.size * 2))
  }
}
