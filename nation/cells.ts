// How many people there are of each province, sex and year of birth: a cell. The counts come from published shares and add up
// to the population exactly. A person is a seat: a cell and a rank in it, in one number, so that relations are arithmetic.
import { provinces } from '#contracts/provinces.ts'
import { interpolate } from '#nation/chance.ts'
import { birthWeights } from '#nation/demography.ts'

export const population = 100_000_000
/** Ages are those on this day; the nation has no clock. Everyone in it is alive then. */
export const nationDate = '2026-01-01'
export const lastBirthYear = 2025
export const firstBirthYear = 1916
export const birthYears = lastBirthYear - firstBirthYear + 1
/** cell × 2¹⁷ + rank: a small integer, which is what makes a look-up fast. */
export type Seat = number
/** No cell has more people than there are ranks; the largest has some 70,000. */
export const ranksMax = 0x20000
export const male = 0
export const female = 1

const sexes = 2
export const cellCount = provinces.length * sexes * birthYears

/** Percent of the population by year of age; after the general statistics office's pyramid of 2024, smoothed. */
const ageShares = [
  [0, 1.42],
  [3, 1.5],
  [7, 1.62],
  [12, 1.58],
  [17, 1.4],
  [22, 1.3],
  [27, 1.42],
  [32, 1.65],
  [37, 1.62],
  [42, 1.47],
  [47, 1.33],
  [52, 1.22],
  [57, 1.12],
  [62, 0.98],
  [67, 0.75],
  [72, 0.47],
  [77, 0.26],
  [82, 0.16],
  [87, 0.1],
  [92, 0.045],
  [97, 0.012],
  [103, 0.002],
  [109, 0.0001],
] as const
/** Share of males at an age: 111 boys to 100 girls at birth, one man to two women at 90. */
const maleShares = [
  [0, 0.527],
  [15, 0.525],
  [30, 0.51],
  [45, 0.5],
  [60, 0.475],
  [75, 0.41],
  [90, 0.32],
  [100, 0.26],
] as const

export interface Cells {
  /** People in a cell; below `ranksMax`, which is below the million serials there are. */
  readonly counts: Uint32Array
  /** Seat of the person at a position (0 … population − 1) in the order of cells. */
  seatAt(position: number): Seat
  /** The inverse of `seatAt`. */
  positionOf(seat: Seat): number
}

export function createCells(): Cells {
  const starts = countStarts()
  const counts = new Uint32Array(cellCount)
  for (let cell = 0; cell < cellCount; cell++) counts[cell] = (starts[cell + 1] ?? 0) - (starts[cell] ?? 0)
  return {
    counts,
    seatAt: position => {
      let low = 0
      let high = cellCount
      while (high - low > 1) {
        const middle = (low + high) >> 1
        if ((starts[middle] ?? 0) <= position) low = middle
        else high = middle
      }
      return seatOf(low, position - (starts[low] ?? 0))
    },
    positionOf: seat => (starts[cellOfSeat(seat)] ?? 0) + rankOfSeat(seat),
  }
}

export const cellOf = (province: number, sex: number, birthYear: number): number =>
  (province * sexes + sex) * birthYears + birthYear - firstBirthYear

export const provinceOfCell = (cell: number): number => Math.floor(cell / (sexes * birthYears))
export const sexOfCell = (cell: number): number => Math.floor(cell / birthYears) % sexes
export const birthYearOfCell = (cell: number): number => firstBirthYear + (cell % birthYears)
export const seatOf = (cell: number, rank: number): Seat => cell * ranksMax + rank
export const cellOfSeat = (seat: Seat): number => seat >> 17
export const rankOfSeat = (seat: Seat): number => seat & (ranksMax - 1)

/** Running totals before each cell, and the population after the last: shares rounded so that nothing is lost or added. */
function countStarts(): Uint32Array {
  const ages = Array.from({ length: birthYears }, (_, age) => ({
    share: interpolate(ageShares, age),
    males: interpolate(maleShares, age),
  }))
  const shares = Float64Array.from({ length: cellCount }, (_, cell) => {
    const { share = 0, males = 0 } = ages[lastBirthYear - birthYearOfCell(cell)] ?? {}
    return (birthWeights[provinceOfCell(cell)] ?? 0) * share * (sexOfCell(cell) === male ? males : 1 - males)
  })
  const total = shares.reduce((sum, share) => sum + share, 0)
  const starts = new Uint32Array(cellCount + 1)
  let sum = 0
  shares.forEach((share, cell) => {
    sum += share
    starts[cell + 1] = Math.round((sum / total) * population)
  })
  starts[cellCount] = population
  return starts
}
