// Exchanges that the reaper has tried to settle and is not to try again for a while: each time twice as long. In memory and bounded:
// what is pushed out, or lost with the process, is tried once more than needed, which changes no outcome.
import { type ExchangeId } from '#bus/message.ts'

/** `unread`: written, not read back yet. `failed`: could not be written. `unsettleable`: no reply to it can be read. */
export const parkedReasons = ['unread', 'failed', 'unsettleable'] as const
export type ParkedReason = (typeof parkedReasons)[number]

const pauseMinMs = 5_000
const pauseMaxMs = 600_000
const unsettleableMs = 3_600_000

interface Parked {
  reason: ParkedReason
  tries: number
  untilMs: number
  /** The circuit in which it was last seen open. */
  circuit: number
}

export interface Parking {
  /** Also notes that it is still open. */
  isParked(exchange: ExchangeId, nowMs: number): boolean
  park(exchange: ExchangeId, reason: ParkedReason, nowMs: number): void
  /** All that are open were looked at: those that were not seen are settled, and leave. */
  endCircuit(): void
  /** What an operator should know of: without those that were written once and are about to be read. */
  count(reason: ParkedReason): number
}

export function createParking(parkedMax: number): Parking {
  const parked = new Map<ExchangeId, Parked>()
  let circuit = 0
  return {
    isParked(exchange, nowMs) {
      const found = parked.get(exchange)
      if (found === undefined) return false
      found.circuit = circuit
      return nowMs < found.untilMs
    },
    park(exchange, reason, nowMs) {
      const tries = (parked.get(exchange)?.tries ?? 0) + 1
      const pauseMs =
        reason === 'unsettleable' ? unsettleableMs : Math.min(pauseMinMs * 2 ** Math.min(tries - 1, 30), pauseMaxMs)
      // At the end again: who was parked longest ago is pushed out first.
      parked.delete(exchange)
      parked.set(exchange, { reason, tries, untilMs: nowMs + pauseMs, circuit })
      for (const oldest of parked.keys()) {
        if (parked.size <= parkedMax) return
        parked.delete(oldest)
      }
    },
    endCircuit() {
      for (const [exchange, { circuit: seen }] of parked) if (seen < circuit) parked.delete(exchange)
      circuit++
    },
    count(reason) {
      let count = 0
      for (const one of parked.values()) if (one.reason === reason && (reason !== 'unread' || one.tries > 1)) count++
      return count
    },
  }
}
