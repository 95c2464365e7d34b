// Audit counts by day, client, service and outcome, in memory: the whole of MemoryCounters' and what RedisCounters has not
// written yet. Bounded: past the bound new names are counted together as `-`, `-`, `uncounted`, so the sum of a day stays true.
import { type ClientId } from '#contracts/contract.ts'
import { type DayCount } from '#gateway/counters/counters.ts'

const uncounted = JSON.stringify(['-', '-', 'uncounted'])

export class DayCounts {
  readonly #days = new Map<string, Map<string, number>>()
  readonly #entriesMax: number
  #size = 0

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#size
  }

  /** Days counted, oldest first. */
  get days(): string[] {
    return [...this.#days.keys()].sort()
  }

  add(day: string, client: ClientId, service: string, outcome: string): void {
    const counts = this.#days.get(day) ?? new Map<string, number>()
    this.#days.set(day, counts)
    let name = JSON.stringify([client, service, outcome])
    if (!counts.has(name) && this.#size >= this.#entriesMax) name = uncounted
    const before = counts.get(name)
    if (before === undefined) this.#size += 1
    counts.set(name, (before ?? 0) + 1)
  }

  /** Name → count of a day; a name is JSON, `[client, service, outcome]`. */
  of(day: string): ReadonlyMap<string, number> {
    return this.#days.get(day) ?? new Map()
  }

  /** Removes and returns up to `max` counts of the oldest day. */
  take(max: number): { day: string; counts: [string, number][] } | undefined {
    const day = this.days[0]
    const counts = day === undefined ? undefined : this.#days.get(day)
    if (day === undefined || counts === undefined) return undefined
    const taken = [...counts].slice(0, max)
    for (const [name] of taken) counts.delete(name)
    this.#size -= taken.length
    if (counts.size === 0) this.#days.delete(day)
    return { day, counts: taken }
  }

  drop(day: string): void {
    this.#size -= this.of(day).size
    this.#days.delete(day)
  }
}

/** Names and counts as the port lists them: sorted by client, service, outcome. */
export function listCounts(counts: Iterable<[string, number]>): DayCount[] {
  const rows = Array.from(counts, ([name, count]) => {
    const [client, service, outcome] = JSON.parse(name) as [ClientId, string, string]
    return { client, service, outcome, count }
  })
  return rows.sort((a, b) => order(a.client, b.client) || order(a.service, b.service) || order(a.outcome, b.outcome))
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
