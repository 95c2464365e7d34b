// Keeps a client to its rate: a token bucket of its own, a little slower and smaller than the grant's, so that a client that
// minds its agreement is not refused for haste. What goes to one at a time waits its turn in order.

export interface Pace {
  /** Resolves when the next question may be sent. */
  turn(): Promise<void>
}

const rateShare = 0.9
const burstShare = 0.6

export function createPace(
  { ratePerSecond, burst }: { ratePerSecond: number; burst: number },
  clock: () => number,
): Pace {
  const most = Math.max(1, burst * burstShare)
  const perMs = (ratePerSecond * rateShare) / 1000
  let level = most
  let atMs = clock()
  return {
    async turn() {
      const nowMs = clock()
      level = Math.min(most, level + (nowMs - atMs) * perMs) - 1
      atMs = nowMs
      if (level < 0) await wait(-level / perMs)
    },
  }
}

/** At most so many at once. */
export interface Slots {
  run<T>(work: () => Promise<T>): Promise<T>
}

export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = []
  let free = count
  return {
    async run(work) {
      if (free === 0) await new Promise<void>(resolve => waiting.push(resolve))
      else free--
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      }
    },
  }
}

export const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
