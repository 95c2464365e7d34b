// Pauses that grow while things fail, and that a stop ends at once: no timer is left behind.

export class Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #ends = new Set<() => void>()
  #nextMs: number
  #isStopped = false

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs
    this.#maxMs = maxMs
    this.#nextMs = minMs
  }

  /** Things work again: the next pause is short. */
  reset(): void {
    this.#nextMs = this.#minMs
  }

  /** Longer every time, up to the maximum, with a quarter of it left to chance. */
  pause(): Promise<void> {
    const pauseMs = this.#nextMs * (0.75 + Math.random() / 4)
    this.#nextMs = Math.min(this.#maxMs, this.#nextMs * 2)
    return this.pauseFor(pauseMs)
  }

  pauseFor(pauseMs: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise(resolve => {
      const end = (): void => {
        clearTimeout(timer)
        this.#ends.delete(end)
        resolve()
      }
      const timer = setTimeout(end, pauseMs)
      this.#ends.add(end)
    })
  }

  /** Ends the pauses there are; those asked for later last no time at all. */
  stop(): void {
    this.#isStopped = true
    for (const end of this.#ends) end()
  }
}
