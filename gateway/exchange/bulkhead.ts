// How many exchanges a gateway holds at once, in all and for one provider, so that one slow provider cannot take the room of all
// others. Less urgent work is refused first: what may use half of the room leaves the other half to checks at a counter.
// Health and metrics never enter. Counts only; nobody queues here.
import { type ProviderId } from '#contracts/contract.ts'

/** health: a patient waits. verification: a person waits at a counter. disclosure: data is read. bulk: nobody waits. */
export type Priority = 'health' | 'verification' | 'disclosure' | 'bulk'

/** Of either bound; each priority may enter once at least. */
const percents: Readonly<Record<Priority, number>> = { health: 100, verification: 100, disclosure: 80, bulk: 50 }
const retrySecondsMin = 1
const retrySecondsMax = 3

export interface BulkheadOptions {
  totalMax: number
  providerMax: number
  /** From 0 to below 1. */
  random: () => number
}

export type Entry =
  /** Leaving twice is leaving once. */
  { ok: true; leave(): void } | { ok: false; full: 'total' | 'provider'; retryAfterSeconds: number }

export interface Bulkhead {
  enter(provider: ProviderId, priority: Priority): Entry
  /** Of one provider, or in all. */
  inFlight(provider?: ProviderId): number
}

export function createBulkhead({ totalMax, providerMax, random }: BulkheadOptions): Bulkhead {
  const byProvider = new Map<ProviderId, number>()
  let total = 0

  function enter(provider: ProviderId, priority: Priority): Entry {
    const held = byProvider.get(provider) ?? 0
    if (total >= roomFor(priority, totalMax)) return refuse('total')
    if (held >= roomFor(priority, providerMax)) return refuse('provider')
    total += 1
    byProvider.set(provider, held + 1)
    let isInside = true
    return {
      ok: true,
      leave() {
        if (isInside) leave(provider)
        isInside = false
      },
    }
  }

  function leave(provider: ProviderId): void {
    total -= 1
    const held = (byProvider.get(provider) ?? 0) - 1
    if (held > 0) byProvider.set(provider, held)
    else byProvider.delete(provider)
  }

  const refuse = (full: 'total' | 'provider'): Entry => ({
    ok: false,
    full,
    retryAfterSeconds: retrySecondsMin + Math.floor(random() * (retrySecondsMax - retrySecondsMin + 1)),
  })

  return {
    enter,
    inFlight: provider => (provider === undefined ? total : (byProvider.get(provider) ?? 0)),
  }
}

/** Whole places of a bound that a priority may use. */
export const roomFor = (priority: Priority, max: number): number =>
  Math.max(1, Math.floor((max * percents[priority]) / 100))
