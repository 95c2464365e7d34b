// What a gateway has in hand: questions that wait for the counters' leave, or for the road to take them. That is its own work; those
// that wait for a register are counted elsewhere (bulkhead.ts). While there is as much as it may have, what comes is shed before any
// work is done for it, so that who is let in waits no longer than that many take.
export interface Intake {
  readonly isFull: boolean
  readonly inHand: number
  /** In hand until `work` settles. */
  hold<T>(work: Promise<T>): Promise<T>
}

export function createIntake({ max }: { max: number }): Intake {
  let inHand = 0
  return {
    get isFull() {
      return inHand >= max
    },
    get inHand() {
      return inHand
    },
    async hold(work) {
      inHand++
      try {
        return await work
      } finally {
        inHand--
      }
    },
  }
}
