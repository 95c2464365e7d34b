// The exchanges that wait for a reply, and the one place where a promise is made by hand. A wheel of 50 ms slots ends every
// wait in time: one timer for all of them, not one each. Bounded: what does not fit is refused before it is sent.
import { type IncomingRecord } from '#bus/bus.ts'
import { type ExchangeId } from '#bus/message.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'

const slotMs = 50

export interface Pending {
  /** Resolves with the first record settled for it; rejects NDX_REPLY_TIMEOUT at `untilMs` (of `clock`). Throws when full. */
  open(exchangeId: ExchangeId, provider: ProviderId, untilMs: number): Promise<IncomingRecord>
  /** The provider that this exchange waits for, or undefined when nobody waits. */
  providerOf(exchangeId: string): ProviderId | undefined
  settle(exchangeId: string, record: IncomingRecord): void
  fail(exchangeId: string, error: ExchangeError): void
  readonly size: number
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>
  stop(): void
}

interface Waiting {
  provider: ProviderId
  resolve(record: IncomingRecord): void
  reject(error: ExchangeError): void
}

/** `clock`: monotonic ms, so that no change of the time of day ends a wait. */
export function createPending({ max, clock }: { max: number; clock: () => number }): Pending {
  const waiting = new Map<string, Waiting>()
  const wheel = new Map<number, string[]>()
  const onDrained: (() => void)[] = []
  const timer = setInterval(turn, slotMs).unref()

  /** Ends what is due. Looks at every slot there is, few as they are, so a process may have been asleep for long. */
  function turn(): void {
    const current = Math.floor(clock() / slotMs)
    for (const [slot, due] of wheel) {
      if (slot >= current) continue
      wheel.delete(slot)
      for (const exchangeId of due) take(exchangeId)?.reject(replyTimeout())
    }
  }

  function take(exchangeId: string): Waiting | undefined {
    const found = waiting.get(exchangeId)
    if (found === undefined) return undefined
    waiting.delete(exchangeId)
    if (waiting.size === 0) for (const resolve of onDrained.splice(0)) resolve()
    return found
  }

  return {
    open(exchangeId, provider, untilMs) {
      if (waiting.size >= max) throw new ExchangeError('NDX_GATEWAY_OVERLOADED', { retryAfterSeconds: 1 })
      const slot = Math.ceil(untilMs / slotMs)
      const due = wheel.get(slot)
      if (due === undefined) wheel.set(slot, [exchangeId])
      else due.push(exchangeId)
      return new Promise((resolve, reject) => waiting.set(exchangeId, { provider, resolve, reject }))
    },
    providerOf: exchangeId => waiting.get(exchangeId)?.provider,
    settle: (exchangeId, record) => take(exchangeId)?.resolve(record),
    fail: (exchangeId, error) => take(exchangeId)?.reject(error),
    get size() {
      return waiting.size
    },
    drained: () => (waiting.size === 0 ? Promise.resolve() : new Promise(resolve => onDrained.push(resolve))),
    stop: () => clearInterval(timer),
  }
}

export const replyTimeout = (cause?: unknown): ExchangeError =>
  new ExchangeError(
    'NDX_REPLY_TIMEOUT',
    { outcome: 'unknown', detail: 'The question was sent; whether it was answered is not known yet.' },
    { cause },
  )
