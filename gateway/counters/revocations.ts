// The revoked tokens as this gateway knows them: looked up on every request without a round trip, read anew from the counters
// every 250 ms. While those are away the last known set stays: tokens live at most 10 minutes, and refusing everybody would
// be worse; `ageMs` tells how old it is. Bounded by the counters' own list.
import { type Counters } from '#gateway/counters/counters.ts'

export interface RevocationsOptions {
  counters: Pick<Counters, 'revoke' | 'revoked'>
  refreshEveryMs?: number
  /** Epoch ms. */
  now?: () => number
}

export class Revocations {
  readonly #counters: Pick<Counters, 'revoke' | 'revoked'>
  readonly #refreshEveryMs: number
  readonly #now: () => number
  /** Revoked here, with their expiry: known at once, and even if the counters could not be told. */
  readonly #own = new Map<string, number>()
  #known: ReadonlySet<string> = new Set()
  #readMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor({ counters, refreshEveryMs = 250, now = Date.now }: RevocationsOptions) {
    this.#counters = counters
    this.#refreshEveryMs = refreshEveryMs
    this.#now = now
  }

  /** Resolves after the first reading, successful or not. */
  async start(): Promise<void> {
    await this.#refresh()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  has(tokenId: string): boolean {
    return this.#known.has(tokenId) || this.#own.has(tokenId)
  }

  /** Since the list was last read, for a metric; Infinity: never. */
  get ageMs(): number {
    return this.#now() - this.#readMs
  }

  /** Refused here at once. When it throws, the other gateways were not told: ask again. */
  async revoke(tokenId: string, untilMs: number): Promise<void> {
    this.#own.set(tokenId, Math.max(untilMs, this.#own.get(tokenId) ?? 0))
    await this.#counters.revoke(tokenId, untilMs)
  }

  async #refresh(): Promise<void> {
    const askedMs = this.#now()
    try {
      this.#known = new Set(await this.#counters.revoked())
      this.#readMs = askedMs
    } catch {
      // The last known set stays; ageMs grows.
    }
    for (const [tokenId, untilMs] of this.#own) if (untilMs <= askedMs) this.#own.delete(tokenId)
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#refresh(), this.#refreshEveryMs).unref()
  }
}
