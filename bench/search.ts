// Where a limit is first passed, by as few measurements as can be: up by half until one fails, then between the best that held
// and the least that did not. A rate holds, or does not, when two of at most three windows say so. Pure.

export interface Trial {
  rate: number
  holds: boolean
}

export interface SearchOptions {
  startRate: number
  maxRate: number
}

const growth = 1.5
/** Near enough: the least rate that fails is at most a twentieth above the best that holds. */
const resolution = 1.05
const roundTo = 50
const votes = 2

export interface Verdicts {
  /** The best rate that held below the least that did not; undefined: none held. */
  highest: number | undefined
  /** What to measure next; undefined: it is known. */
  next: number | undefined
}

/** @param trials in any order, a rate more than once */
export function search(trials: readonly Trial[], { startRate, maxRate }: SearchOptions): Verdicts {
  const byRate = Map.groupBy(trials, ({ rate }) => rate)
  const judged = Array.from(byRate, ([rate, group]) => ({ rate, holds: judge(group) }))
  const undecided = judged.find(({ holds }) => holds === undefined)
  const failing = Math.min(...judged.filter(({ holds }) => holds === false).map(({ rate }) => rate))
  const holding = judged.filter(({ rate, holds }) => holds === true && rate < failing).map(({ rate }) => rate)
  const highest = holding.length === 0 ? undefined : Math.max(...holding)
  return { highest, next: undecided?.rate ?? nextRate(highest, failing, { startRate, maxRate }) }
}

/** Undefined: one vote is not enough, or they contradict each other. */
function judge(group: readonly Trial[]): boolean | undefined {
  const held = group.filter(({ holds }) => holds).length
  if (held >= votes) return true
  return group.length - held >= votes ? false : undefined
}

/** @param failing Infinity: none failed yet */
function nextRate(highest: number | undefined, failing: number, options: SearchOptions): number | undefined {
  const { startRate, maxRate } = options
  if (failing === Infinity) {
    if (highest === undefined) return startRate
    return highest >= maxRate ? undefined : Math.min(maxRate, toStep(highest * growth))
  }
  if (highest === undefined) {
    const lower = toStep(failing / 2)
    return lower >= failing ? undefined : lower
  }
  if (failing / highest <= resolution) return undefined
  const between = toStep(Math.sqrt(highest * failing))
  return between > highest && between < failing ? between : undefined
}

const toStep = (rate: number): number => Math.max(roundTo, Math.round(rate / roundTo) * roundTo)
