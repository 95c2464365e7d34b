// Gives every question the same time to be answered, with one timer for all of them. Time is up only after the event loop has
// read what had arrived: a process that was itself held up (a long task, a busy machine) does not take its own pause for
// the silence of the other side, as a timer for each question would.

interface Waiter {
  untilMs: number
  reject: (error: Error) => void
}

export class AnswerDeadline {
  readonly #timeoutMs: number
  /** In the order of their ends, since all wait equally long. */
  readonly #waiters = new Set<Waiter>()
  #armed = false

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** The answer, or a rejection when there is none in time; what comes later is dropped. */
  async within<T>(answer: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const waiter = { untilMs: performance.now() + this.#timeoutMs, reject }
    this.#waiters.add(waiter)
    answer.then(resolve, reject)
    this.#arm()
    try {
      return await promise
    } finally {
      this.#waiters.delete(waiter)
    }
  }

  #arm(): void {
    const [first] = this.#waiters
    if (this.#armed || first === undefined) return
    this.#armed = true
    // Timers run before sockets are read, setImmediate after.
    setTimeout(
      () => {
        const nowMs = performance.now()
        setImmediate(() => this.#end(nowMs))
      },
      Math.max(1, first.untilMs - performance.now()),
    )
  }

  /** @param nowMs when the timer ran: who became due since then has not had his sockets read. */
  #end(nowMs: number): void {
    this.#armed = false
    for (const waiter of this.#waiters) {
      if (waiter.untilMs > nowMs) break
      waiter.reject(new Error(`No answer within ${this.#timeoutMs} ms`))
      this.#waiters.delete(waiter)
    }
    this.#arm()
  }
}
