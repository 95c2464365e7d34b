// A person of the nation, computed: what the registers know of the one in a seat. Reads cells, families and dice; stores
// nothing. Facts that run in families (family name, people, home) are drawn where the family begins, so relatives agree.
import { daysOfMonth } from '#contracts/birth-date.ts'
import { type PersonalId, type Sex } from '#contracts/personal-id.ts'
import { type Province, provinces } from '#contracts/provinces.ts'
import {
  birthYearOfCell,
  type Cells,
  cellOfSeat,
  lastBirthYear,
  male,
  provinceOfCell,
  type Seat,
  sexOfCell,
} from '#nation/cells.ts'
import { type Chance, within } from '#nation/chance.ts'
import { destinations, ethnicities, movedPercent } from '#nation/demography.ts'
import { type Families } from '#nation/families.ts'
import { type Marriages } from '#nation/marriages.ts'
import { drawFamilyName, drawGivenNames } from '#nation/names.ts'
import { currentProvinceCodes, type Place, placesOf } from '#nation/places.ts'

export type MaritalStatus = 'single' | 'married' | 'divorced' | 'widowed'

export interface Person {
  /** 0 … 99,999,999. */
  readonly index: number
  readonly personalId: PersonalId
  /** Family name first, e.g. `Nguyễn Thị Lan`. */
  readonly fullName: string
  /** `yyyy-mm-dd`; of some of those born before 1965 only `yyyy` is known. */
  readonly dateOfBirth: string
  readonly sex: Sex
  /** Where the birth was registered: one of the 63 provinces of the personal number. */
  readonly birthProvince: Province
  /** Where they live now: one of the 34 provinces since July 2025, and a ward. Couples and their minor children live together. */
  readonly residence: Place
  readonly nationality: 'VN'
  /** People (dân tộc), e.g. `Kinh`; the father's. */
  readonly ethnicity: string
  readonly maritalStatus: MaritalStatus
  /** Absent, with the mother's, when the parents are outside the registry. */
  readonly fatherId?: PersonalId
  readonly motherId?: PersonalId
  /** Present exactly when married. */
  readonly spouseId?: PersonalId
}

/** What a person is computed from. */
export interface Lineage {
  readonly cells: Cells
  readonly marriages: Marriages
  readonly families: Families
  readonly chance: Chance
  personalIdOf(seat: Seat): PersonalId
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

export const adultAge = 18
/** Share of people, in thousandths, of whom only the year of birth is known: of those born before each year. */
const yearOnlyShares = [
  [1940, 120],
  [1955, 50],
  [1965, 15],
] as const
const topics = { people: 20, day: 21, yearOnly: 22, status: 23, moved: 24, destination: 25, ward: 26 } as const

export function describePerson(seat: Seat, index: number, lineage: Lineage): Person {
  const { cells, marriages, families, chance, personalIdOf } = lineage
  const cell = cellOfSeat(seat)
  const position = cells.positionOf(seat)
  const birthYear = birthYearOfCell(cell)
  const sex = sexOfCell(cell) === male ? 'male' : 'female'
  const father = families.fatherOf(seat)
  const mother = father === undefined ? undefined : marriages.spouseOf(father)
  const spouse = marriages.spouseOf(seat)
  const root = cells.positionOf(rootOf(seat, father, families))
  const ethnicity = ethnicityOf(root, cell, chance)
  const person: Mutable<Person> = {
    index,
    personalId: personalIdOf(seat),
    fullName: `${drawFamilyName(chance, root, ethnicity)} ${drawGivenNames(chance, position, sex, birthYear)}`,
    dateOfBirth: dateOfBirthOf(position, birthYear, chance),
    sex,
    birthProvince: birthProvinceOf(cell),
    residence: residenceOf(seat, father, spouse, lineage),
    nationality: 'VN',
    ethnicity,
    maritalStatus: spouse === undefined ? unmarriedStatus(position, birthYear, sex, chance) : 'married',
  }
  if (father !== undefined) person.fatherId = personalIdOf(father)
  if (mother !== undefined) person.motherId = personalIdOf(mother)
  if (spouse !== undefined) person.spouseId = personalIdOf(spouse)
  return Object.freeze(person)
}

/** The first known forefather: fathers are 24 or more years older, so at most four steps up. */
function rootOf(seat: Seat, father: Seat | undefined, families: Families): Seat {
  let root = seat
  for (let next = father; next !== undefined; next = families.fatherOf(root)) root = next
  return root
}

/** A line never changes its province of birth, so the root's is the person's. */
function ethnicityOf(root: number, cell: number, chance: Chance): string {
  return ethnicities[provinceOfCell(cell)]?.(chance.draw(root, topics.people)) ?? 'Kinh'
}

function birthProvinceOf(cell: number): Province {
  const province = provinces[provinceOfCell(cell)]
  if (province === undefined) throw new RangeError('no province has this cell')
  return province
}

function dateOfBirthOf(position: number, birthYear: number, chance: Chance): string {
  const yearOnly = yearOnlyShares.find(([before]) => birthYear < before)?.[1] ?? 0
  if (yearOnly > 0 && within(chance.draw(position, topics.yearOnly), 1000) < yearOnly) return String(birthYear)
  let day = within(chance.draw(position, topics.day), daysOfMonth(birthYear, 2) === 29 ? 366 : 365) + 1
  let month = 1
  for (; day > daysOfMonth(birthYear, month); month++) day -= daysOfMonth(birthYear, month)
  return `${birthYear}-${month < 10 ? '0' : ''}${month}-${day < 10 ? '0' : ''}${day}`
}

/** Of an age to be married and without a living spouse in the registry: more often widowed the older, women more than men. */
function unmarriedStatus(position: number, birthYear: number, sex: Sex, chance: Chance): MaritalStatus {
  const age = lastBirthYear - birthYear
  if (age < 24) return 'single'
  const percent = within(chance.draw(position, topics.status), 100)
  const widowed = Math.max(0, (age - 45) * (sex === 'female' ? 2.2 : 1.6))
  if (percent < Math.min(widowed, 90)) return 'widowed'
  return percent < Math.min(widowed, 90) + Math.min(age - 20, 30) * 0.6 ? 'divorced' : 'single'
}

/** Drawn for the head of the home: the husband, else of a minor the father, else oneself. */
function residenceOf(
  seat: Seat,
  father: Seat | undefined,
  spouse: Seat | undefined,
  { cells, chance }: Lineage,
): Place {
  const isMinor = lastBirthYear - birthYearOfCell(cellOfSeat(seat)) < adultAge
  const husband = spouse !== undefined && sexOfCell(cellOfSeat(spouse)) === male ? spouse : seat
  return homeOf(isMinor && father !== undefined ? father : husband, { cells, chance })
}

/** Where the home is that somebody is head of; of who is head of none it says nothing. */
export function homeOf(head: Seat, { cells, chance }: Pick<Lineage, 'cells' | 'chance'>): Place {
  const position = cells.positionOf(head)
  const hasMoved = within(chance.draw(position, topics.moved), 100) < movedPercent
  const home = currentProvinceCodes[provinceOfCell(cellOfSeat(head))] ?? ''
  const places = placesOf(hasMoved ? destinations(chance.draw(position, topics.destination)) : home)
  return places[within(chance.draw(position, topics.ward), places.length)] as Place
}
