// Keeps the road's clock known to a process that judges deadlines: a record of no further meaning now, until one is taken, and
// another every half minute, since a machine that slept and has published nothing would run behind without noticing.
import { type Bus } from '#bus/bus.ts'
import { announce } from '#bus/probe.ts'

export interface ClockKeeper {
  /** Resolves when `bus.now()` is the road's clock. Nothing that depends on a deadline should be decided before. */
  readonly known: Promise<void>
  readonly isKnown: boolean
  stop(): void
}

const retryMs = 500
const everyMs = 30_000

export function keepClock(bus: Bus, instance: string): ClockKeeper {
  const { promise: known, resolve } = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  let [isKnown, isStopped] = [false, false]
  const tell = async (): Promise<void> => {
    const isTaken = await announce(bus, instance).then(
      () => true,
      () => false,
    )
    if (isTaken) resolve()
    isKnown ||= isTaken
    if (!isStopped) timer = setTimeout(tell, isTaken ? everyMs : retryMs).unref()
  }
  void tell()
  return {
    known,
    get isKnown() {
      return isKnown
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
