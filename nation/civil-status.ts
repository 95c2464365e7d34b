// What the civil-status registers hold of the people: the entry of a birth, the entry of a marriage. Computed like everything here;
// a marriage is drawn for the couple, so both ends agree: of lawful age, before the eldest child, before the nation's date.
import { daysOfMonth } from '#contracts/birth-date.ts'
import { parsePersonalId } from '#contracts/personal-id.ts'
import { nationDate } from '#nation/cells.ts'
import { type Chance, within } from '#nation/chance.ts'
import { createPermutation } from '#nation/permutation.ts'
import { type Person } from '#nation/person.ts'

export interface BirthEntry {
  /** `TP.<province>/<year of birth>-<7 digits>`; no two births have the same. */
  readonly registrationNumber: string
  /** `yyyy-mm-dd`, on or after the birth. */
  readonly registeredOn: string
}

export interface MarriageEntry {
  /** `KH.<province>/<year>-<8 digits>`, the same for both. */
  readonly registrationNumber: string
  /** `yyyy-mm-dd` */
  readonly marriedOn: string
}

export interface CivilStatus {
  birthEntryOf(person: Person): BirthEntry
  /** `spouse`: of the person; `children`: of both, eldest first. */
  marriageEntryOf(person: Person, spouse: Person, children: readonly Person[]): MarriageEntry
}

/** Numbers up to here are those of the nation's births; registers of later ones draw above. */
export const birthSerialMax = 1_999_999

const topics = { lateness: 200, delay: 201, wedding: 202 } as const
const serialSpan = 1_000_000
const dayMs = 86_400_000
/** Lawful ages, marriage law 2014 article 8. */
const husbandAgeMin = 20
const wifeAgeMin = 18
/** Of couples without a child: married within so many years of being old enough. */
const childlessYears = 12
/** Share of births, in hundredths, registered within so many days. */
const delays = [
  [88, 60],
  [97, 365],
  [100, 3650],
] as const

export function createCivilStatus(seed: number, chance: Chance): CivilStatus {
  const serials = createPermutation(seed, birthSerialMax + 1)

  /** A draw for the couple: whoever of the two is asked about. */
  function marriageEntryOf(person: Person, spouse: Person, children: readonly Person[]): MarriageEntry {
    const [husband, wife] = person.sex === 'male' ? [person, spouse] : [spouse, person]
    const from = Math.max(dayOn(husband, husbandAgeMin), dayOn(wife, wifeAgeMin))
    const eldest = children[0]
    const last = eldest === undefined ? from + childlessYears * 365 : dayOf(eldest.dateOfBirth, 'first')
    const until = Math.max(from, Math.min(last, lastDay))
    const marriedOn = dateOf(from + within(chance.draw(husband.index, topics.wedding), until - from + 1))
    const number = String(husband.index).padStart(8, '0')
    return {
      registrationNumber: `KH.${husband.birthProvince.code}/${marriedOn.slice(0, 4)}-${number}`,
      marriedOn,
    }
  }

  function birthEntryOf({ index, personalId, dateOfBirth, birthProvince }: Person): BirthEntry {
    const parts = parsePersonalId(personalId, 'simulated')
    if (parts === undefined) throw new RangeError('a person of the nation has a simulated number')
    const { birthYear, sex, serial } = parts
    const tweak = Number(birthProvince.code) * 10_000 + birthYear
    const scattered = serials.forward((sex === 'male' ? 0 : serialSpan) + serial, tweak)
    const percent = within(chance.draw(index, topics.lateness), 100)
    const delayMax = delays.find(([share]) => percent < share)?.[1] ?? 0
    const day = dayOf(dateOfBirth, 'last') + within(chance.draw(index, topics.delay), delayMax)
    return {
      registrationNumber: `TP.${birthProvince.code}/${birthYear}-${String(scattered).padStart(7, '0')}`,
      registeredOn: dateOf(Math.min(day, lastDay)),
    }
  }

  return { birthEntryOf, marriageEntryOf }
}

/** The day before the nation's date; days count from 1 January 1970. */
const lastDay = Date.parse(nationDate) / dayMs - 1

/** Of a year alone its first or its last day. */
function dayOf(birthDate: string, which: 'first' | 'last'): number {
  if (birthDate.length > 4) return Date.parse(birthDate) / dayMs
  return Date.parse(`${birthDate}-${which === 'first' ? '01-01' : '12-31'}`) / dayMs
}

/** The birthday with that age; the 29th of February is kept on the 28th. */
function dayOn({ dateOfBirth }: Person, age: number): number {
  const year = Number(dateOfBirth.slice(0, 4)) + age
  if (dateOfBirth.length === 4) return Date.parse(`${year}-12-31`) / dayMs
  const month = dateOfBirth.slice(5, 7)
  const day = Math.min(Number(dateOfBirth.slice(8)), daysOfMonth(year, Number(month)))
  return Date.parse(`${year}-${month}-${String(day).padStart(2, '0')}`) / dayMs
}

const dateOf = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10)
