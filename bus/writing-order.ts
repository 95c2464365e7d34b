// Records of several partitions in the order in which they were written, as far as their times tell; each partition keeps its own.
import { type IncomingRecord } from '#bus/bus.ts'

/** @param runs records of one partition each, in its order. */
export function inWritingOrder(runs: readonly (readonly IncomingRecord[])[]): readonly IncomingRecord[] {
  const [only, ...more] = runs
  if (only === undefined || more.length === 0) return only ?? []
  const ordered: IncomingRecord[] = []
  const taken = runs.map(() => 0)
  const headMs = runs.map(([first]) => first?.timestampMs ?? Number.POSITIVE_INFINITY)
  const count = runs.reduce((sum, { length }) => sum + length, 0)
  while (ordered.length < count) {
    let least = 0
    let nextMs = Number.POSITIVE_INFINITY
    for (let i = 1; i < headMs.length; i++) {
      const ms = headMs[i] as number
      const leastMs = headMs[least] as number
      if (ms < leastMs) least = i
      nextMs = Math.min(nextMs, Math.max(ms, leastMs))
    }
    const run = runs[least] as readonly IncomingRecord[]
    let at = taken[least] as number
    // A batch has one time: it is taken whole.
    for (let record = run[at]; record !== undefined && record.timestampMs <= nextMs; record = run[at]) {
      ordered.push(record)
      at++
    }
    taken[least] = at
    headMs[least] = run[at]?.timestampMs ?? Number.POSITIVE_INFINITY
  }
  return ordered
}
