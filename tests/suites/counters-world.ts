// What the suites of the counters run in: a backend with its clock, and names that no other test uses.
import { randomUUID } from 'node:crypto'
import { type ClientId } from '#contracts/contract.ts'
import { type Counters } from '#gateway/counters/counters.ts'

/** One backend, and gateways' views of it. */
export interface CountersWorld {
  /** The counters as a gateway would open them; the caller closes them. */
  openCounters(): Promise<Counters>
  /** Epoch ms, on the backend's clock or near it. */
  now(): number
  /** Lets a few milliseconds pass. */
  passTime(): Promise<void>
  /** All that was counted in this world is gone, as after a flush; counters opened before know nothing of it. */
  loseAll(): Promise<void>
  close(): Promise<void>
}

const run = `${process.pid.toString(36)}-${Date.now().toString(36)}`
let names = 0

export const newName = (kind: string): string => `${kind}-${run}-${++names}`
export const newClient = (): ClientId => newName('client') as ClientId
export const newExchange = (): string => randomUUID()

/** Lets time pass until it is met, and resolves to how long that took. */
export async function passTimeUntil(
  world: CountersWorld,
  what: string,
  isMet: () => Promise<boolean>,
  deadlineMs = 50_000,
): Promise<number> {
  const startMs = world.now()
  while (!(await isMet())) {
    if (world.now() - startMs > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await world.passTime()
  }
  return world.now() - startMs
}
