// The name somebody most likely meant.

/** The nearest of `names` within a third of its letters, or one that `name` begins; undefined when none is near. */
export function findNearest(name: string, names: Iterable<string>): string | undefined {
  const ranked = [...names]
    .map(candidate => ({ candidate, distance: distanceOf(name.slice(0, 60), candidate) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best !== undefined && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))) return best.candidate
  return ranked.find(({ candidate }) => name.length > 1 && candidate.startsWith(name))?.candidate
}

/** Letters changed, left out, put in, or swapped with the next one (optimal string alignment), by rows. */
function distanceOf(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : change
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
