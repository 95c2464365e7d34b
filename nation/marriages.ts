// Who is married to whom, by arithmetic. Each cell's married men are cut into blocks (where the wife was born, how much younger
// she is); each block faces one of equal size in the wives' cell. Every cell has two houses, inherited from the father, and
// spouses are of different houses, so brothers, sisters and all of one father's line never marry each other.
import { provinces } from '#contracts/provinces.ts'
import {
  birthYearOfCell,
  type Cells,
  cellCount,
  cellOf,
  cellOfSeat,
  female,
  firstBirthYear,
  lastBirthYear,
  male,
  provinceOfCell,
  rankOfSeat,
  type Seat,
  seatOf,
  sexOfCell,
} from '#nation/cells.ts'
import { interpolate } from '#nation/chance.ts'

export interface Marriages {
  spouseOf(seat: Seat): Seat | undefined
  /** Couples of one house whose husband is in the cell. */
  coupleCount(husbandCell: number): number
  /** Number (0 … coupleCount − 1) of a husband's couple within his cell and house; undefined when he has none. */
  coupleOf(husband: Seat): number | undefined
  husbandAt(husbandCell: number, house: number, couple: number): Seat
}

/** The law's least ages, reached by everyone of these years on the nation's date. Marriage law 2014 article 8. */
const lastWifeYear = lastBirthYear - 18
const lastHusbandYear = lastBirthYear - 20
/** Years by which the wife is younger, with shares; −1 to 5, so that with a father of 24–43 a mother is 18–45. */
const ageGaps = [
  [-1, 0.09],
  [0, 0.16],
  [1, 0.17],
  [2, 0.18],
  [3, 0.17],
  [4, 0.13],
  [5, 0.1],
] as const
/** The wife's province of birth: his own, or a neighbour in the order of codes, which runs from north to south. */
const moves = [
  [0, 0.8],
  [1, 0.1],
  [-1, 0.1],
] as const
const blocks = moves.flatMap(([move, some]) => ageGaps.map(([gap, share]) => ({ move, gap, share: some * share })))
/** Share of men of an age who have a wife living. */
const marriedShares = [
  [20, 0.04],
  [22, 0.13],
  [24, 0.3],
  [26, 0.47],
  [28, 0.62],
  [30, 0.74],
  [35, 0.88],
  [40, 0.93],
  [50, 0.95],
  [60, 0.94],
  [70, 0.9],
  [80, 0.8],
  [90, 0.6],
  [109, 0.3],
] as const
/** A prime above every count of a cell: multiplying by it permutes ranks, so that age of parents and of marriage are unrelated. */
const shuffler = 611_953

/** Seats of a house are every second rank; the odd one out of a cell belongs to none: single, and of parents unknown. */
export const houseOf = (seat: Seat): number => rankOfSeat(seat) & 1
export const houseRankOf = (seat: Seat): number => rankOfSeat(seat) >> 1
export const seatOfHouse = (cell: number, house: number, houseRank: number): Seat => seatOf(cell, houseRank * 2 + house)

export function createMarriages({ counts }: Cells): Marriages {
  const shufflers = Uint32Array.from(counts, count => shuffler % Math.max(count >> 1, 1))
  const unshufflers = Uint32Array.from(counts, count => inverseModulo(shuffler, count >> 1))
  const starts = layBlocks(counts)
  const row = blocks.length + 1

  /** Place of a person in the row of blocks of cell and house; undefined past the last married one. */
  function coupleOf(seat: Seat): number | undefined {
    const cell = cellOfSeat(seat)
    const size = (counts[cell] ?? 0) >> 1
    const houseRank = houseRankOf(seat)
    if (houseRank >= size) return undefined
    const couple = (houseRank * (shufflers[cell] ?? 0)) % size
    return couple < coupleCount(cell) ? couple : undefined
  }

  function seatOfCouple(cell: number, house: number, couple: number): Seat {
    const size = (counts[cell] ?? 0) >> 1
    return seatOfHouse(cell, house, (couple * (unshufflers[cell] ?? 0)) % size)
  }

  const coupleCount = (cell: number): number => starts[cell * row + blocks.length] ?? 0

  function spouseOf(seat: Seat): Seat | undefined {
    const couple = coupleOf(seat)
    if (couple === undefined) return undefined
    const cell = cellOfSeat(seat)
    let at = 0
    while ((starts[cell * row + at + 1] ?? couple) <= couple) at++
    const partners = partnerCell(cell, at)
    const offset = couple - (starts[cell * row + at] ?? 0)
    return seatOfCouple(partners, 1 - houseOf(seat), (starts[partners * row + at] ?? 0) + offset)
  }

  return { spouseOf, coupleCount, coupleOf, husbandAt: seatOfCouple }
}

/** Cell that faces a block of a cell: the wives' of the husbands', the husbands' of the wives'. */
function partnerCell(cell: number, at: number): number {
  const { move = 0, gap = 0 } = blocks[at] ?? {}
  const way = sexOfCell(cell) === male ? 1 : -1
  const province = (provinceOfCell(cell) + way * move + provinces.length) % provinces.length
  return cellOf(province, way === 1 ? female : male, birthYearOfCell(cell) + way * gap)
}

/** For each cell the running starts of its blocks and their total, in seats of one house. */
function layBlocks(counts: Uint32Array): Uint32Array {
  const row = blocks.length + 1
  const starts = new Uint32Array(cellCount * row)
  for (let cell = 0; cell < cellCount; cell++) {
    if (sexOfCell(cell) !== male) continue
    const married = interpolate(marriedShares, lastBirthYear - birthYearOfCell(cell))
    blocks.forEach(({ gap, share }, at) => {
      const wifeYear = birthYearOfCell(cell) + gap
      if (birthYearOfCell(cell) > lastHusbandYear || wifeYear < firstBirthYear || wifeYear > lastWifeYear) return
      const wives = partnerCell(cell, at)
      const size = Math.floor(married * share * (Math.min(counts[cell] ?? 0, counts[wives] ?? 0) >> 1))
      starts[cell * row + at + 1] = size
      starts[wives * row + at + 1] = size
    })
  }
  for (let at = 0; at < starts.length; at++) if (at % row !== 0) starts[at] = (starts[at] ?? 0) + (starts[at - 1] ?? 0)
  return starts
}

/** x with value × x ≡ 1 modulo `modulus`, 0 for modulus 0 and 1; the value is prime to it. Extended Euclid. */
function inverseModulo(value: number, modulus: number): number {
  let [r0, r1, t0, t1] = [modulus, value % Math.max(modulus, 1), 0, 1]
  while (r1 > 1) {
    const quotient = Math.floor(r0 / r1)
    ;[r0, r1, t0, t1] = [r1, r0 - quotient * r1, t1, t0 - quotient * t1]
  }
  return modulus < 2 ? 0 : (t1 + modulus) % modulus
}
