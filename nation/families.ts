// Who is whose child, by arithmetic and both ways. The children of one year and sex are cut into blocks by the father's age;
// each block is laid as a window over the circle of couples of the father's cell and house. Windows of neighbouring years never
// overlap, so a couple has at most one child in any two years. Whoever is in no block has parents outside the registry.
import {
  birthYearOfCell,
  birthYears,
  type Cells,
  cellCount,
  cellOf,
  cellOfSeat,
  female,
  firstBirthYear,
  lastBirthYear,
  male,
  provinceOfCell,
  type Seat,
  sexOfCell,
} from '#nation/cells.ts'
import { type Chance, interpolate, within } from '#nation/chance.ts'
import { houseOf, houseRankOf, type Marriages, seatOfHouse } from '#nation/marriages.ts'

export interface Families {
  fatherOf(child: Seat): Seat | undefined
  /** Children whose father is this man, eldest first. */
  childrenOf(father: Seat): Seat[]
}

const fatherAgeMin = 24
const fatherAgeMax = 43
const fatherAges = fatherAgeMax - fatherAgeMin + 1
/** Relative number of births by the father's age. */
const births = [
  [24, 5],
  [26, 9],
  [29, 10],
  [32, 8],
  [36, 4],
  [40, 1.5],
  [43, 0.5],
] as const
/** Share of children whose father is known, where there are couples enough. */
const knownShare = 0.95
/** Most children a couple, on average; two neighbouring ages together stay far below one child a couple. */
const childrenPerCoupleMax = 3.4
const windowTopic = 90

export function createFamilies({ counts }: Cells, marriages: Marriages, chance: Chance): Families {
  const starts = layBirths(counts, marriages)
  const windows = layWindows(starts, marriages, chance)
  const row = fatherAges + 1
  const startOf = (cell: number, at: number): number => starts[cell * row + at] ?? 0
  const sizeOf = (cell: number, at: number): number => startOf(cell, at + 1) - startOf(cell, at)

  function fatherOf(child: Seat): Seat | undefined {
    const cell = cellOfSeat(child)
    const houseRank = houseRankOf(child)
    if (houseRank >= startOf(cell, fatherAges)) return undefined
    let at = 0
    while (startOf(cell, at + 1) <= houseRank) at++
    const sons = sexOfCell(cell) === male ? 0 : sizeOf(brothersCell(cell), at)
    const fathers = fathersCell(cell, at)
    const couple =
      ((windows[fathers * fatherAges + at] ?? 0) + sons + houseRank - startOf(cell, at)) %
      marriages.coupleCount(fathers)
    return marriages.husbandAt(fathers, houseOf(child), couple)
  }

  function childrenOf(father: Seat): Seat[] {
    const couple = marriages.coupleOf(father)
    const fathers = cellOfSeat(father)
    if (couple === undefined || sexOfCell(fathers) !== male) return []
    const couples = marriages.coupleCount(fathers)
    const children: Seat[] = []
    const ages = Math.min(fatherAges, lastBirthYear - birthYearOfCell(fathers) - fatherAgeMin + 1)
    for (let at = 0; at < ages; at++) {
      const year = birthYearOfCell(fathers) + fatherAgeMin + at
      const sons = cellOf(provinceOfCell(fathers), male, year)
      const daughters = cellOf(provinceOfCell(fathers), female, year)
      const offset = (couple - (windows[fathers * fatherAges + at] ?? 0) + couples) % couples
      const beyond = offset - sizeOf(sons, at)
      if (beyond < 0) children.push(seatOfHouse(sons, houseOf(father), startOf(sons, at) + offset))
      else if (beyond < sizeOf(daughters, at))
        children.push(seatOfHouse(daughters, houseOf(father), startOf(daughters, at) + beyond))
    }
    return children
  }

  return { fatherOf, childrenOf }
}

const brothersCell = (cell: number): number => cell - birthYears
const fathersCell = (cell: number, at: number): number =>
  cellOf(provinceOfCell(cell), male, birthYearOfCell(cell) - fatherAgeMin - at)

/** For each cell the running starts of its blocks by father's age and their total, in seats of one house. */
function layBirths(counts: Uint32Array, marriages: Marriages): Uint32Array {
  const weights = Array.from({ length: fatherAges }, (_, at) => interpolate(births, fatherAgeMin + at))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const starts = new Uint32Array(cellCount * (fatherAges + 1))
  for (let cell = 0; cell < cellCount; cell++) {
    let sum = 0
    weights.forEach((weight, at) => {
      const hasFathers = birthYearOfCell(cell) - fatherAgeMin - at >= firstBirthYear
      const couples = hasFathers ? marriages.coupleCount(fathersCell(cell, at)) : 0
      const most = (childrenPerCoupleMax / 2) * couples
      sum += Math.floor((weight / total) * Math.min(knownShare * ((counts[cell] ?? 0) >> 1), most))
      starts[cell * (fatherAges + 1) + at + 1] = sum
    })
  }
  return starts
}

/** For each cell of fathers and age, where on the circle of its couples the window of children begins. */
function layWindows(starts: Uint32Array, marriages: Marriages, chance: Chance): Uint32Array {
  const windows = new Uint32Array(cellCount * fatherAges)
  for (let fathers = 0; fathers < cellCount; fathers++) {
    const couples = marriages.coupleCount(fathers)
    if (couples === 0 || sexOfCell(fathers) !== male) continue
    let end = 0
    let before = 0
    for (let at = 0; at < fatherAges && birthYearOfCell(fathers) + fatherAgeMin + at <= lastBirthYear; at++) {
      const sons = cellOf(provinceOfCell(fathers), male, birthYearOfCell(fathers) + fatherAgeMin + at)
      const length = [sons, sons + birthYears].reduce((sum, cell) => {
        const first = cell * (fatherAges + 1) + at
        return sum + (starts[first + 1] ?? 0) - (starts[first] ?? 0)
      }, 0)
      const gap = within(chance.draw(fathers * fatherAges + at, windowTopic), couples - before - length + 1)
      windows[fathers * fatherAges + at] = (end + gap) % couples
      end = (end + gap + length) % couples
      before = length
    }
  }
  return windows
}
