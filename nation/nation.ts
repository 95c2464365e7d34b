// The synthetic nation: 100 million people and 900,000 enterprises as a pure function of a seed. Any of them is computed from
// an index or a number in constant time; none is stored. Its numbers are of the simulated scheme, which nobody living has.
import { type EnterpriseCode } from '#contracts/enterprise-code.ts'
import { type IdScheme, type PersonalId, parsePersonalId, personalIdHead } from '#contracts/personal-id.ts'
import { provincePosition, provinces } from '#contracts/provinces.ts'
import {
  birthYearOfCell,
  cellCount,
  cellOf,
  cellOfSeat,
  createCells,
  female,
  firstBirthYear,
  lastBirthYear,
  male,
  population,
  provinceOfCell,
  rankOfSeat,
  type Seat,
  seatOf,
  sexOfCell,
} from '#nation/cells.ts'
import { createChance, mix } from '#nation/chance.ts'
import { type BirthEntry, createCivilStatus, type MarriageEntry } from '#nation/civil-status.ts'
import { type Conviction, convictionsOf } from '#nation/convictions.ts'
import { createEnterprises, type Enterprise, type Enterprises, enterpriseCount } from '#nation/enterprise.ts'
import { createFamilies } from '#nation/families.ts'
import { createLand, type Parcel } from '#nation/land.ts'
import { createMarriages } from '#nation/marriages.ts'
import { createPermutation } from '#nation/permutation.ts'
import { describePerson, type Lineage, type Person } from '#nation/person.ts'
import { type PublicEmployment, publicEmploymentOf } from '#nation/public-employees.ts'
import { type RecordedPerson, type RegisterName, recordedIn } from '#nation/records.ts'
import { createTaxes, type TaxObligation } from '#nation/tax.ts'
import { createWelfare, type Welfare } from '#nation/welfare.ts'

export interface Nation extends Welfare {
  readonly population: number
  readonly enterpriseCount: number
  /** The person with an index 0 … population − 1. @throws {RangeError} another index */
  person(index: number): Person
  /** The person with a number, or undefined when nobody of the nation has it. */
  findPerson(personalId: string): Person | undefined
  /** Children whose father or mother the person is, eldest first. */
  childrenOf(person: Person): Person[]
  /** The person as another register has recorded them, faults and all. */
  recordedIn(register: RegisterName, person: Person): RecordedPerson
  /** The parcel with a code `<ward>.<map sheet>.<number>`, or undefined. */
  findParcel(parcelCode: string): Parcel | undefined
  /** What a person owns, alone or with the spouse, or an enterprise. */
  parcelsOf(owner: Person | Enterprise): Parcel[]
  /** The ten-digit tax code that a person had before July 2025, or undefined. */
  formerTaxCodeOf(person: Person): EnterpriseCode | undefined
  findPersonByFormerTaxCode(taxCode: string): Person | undefined
  /** What is due and not paid, the earliest first. */
  obligationsOf(taxpayer: Person | Enterprise): TaxObligation[]
  /** The entry of the person's birth in the registers of civil status. */
  birthEntryOf(person: Person): BirthEntry
  /** The entry of the marriage that a married person lives in, the same for both; undefined for the others. */
  marriageEntryOf(person: Person): MarriageEntry | undefined
  /** For which public body the person works, if for any. */
  publicEmploymentOf(person: Person): PublicEmployment | undefined
  /** Convictions on record, newest first. */
  convictionsOf(person: Person): readonly Conviction[]
  /** The enterprise with an index 0 … enterpriseCount − 1. @throws {RangeError} another index */
  enterprise(index: number): Enterprise
  /** The enterprise with a ten-digit code, or undefined. */
  findEnterprise(enterpriseCode: string): Enterprise | undefined
}

export interface NationOptions {
  /** A 32-bit number; another seed is another people with the same numbers of each province, sex and age. */
  readonly seed: number
  /** Only `simulated`: made-up people under real numbers would be libel by chance. */
  readonly scheme?: IdScheme
}

/**
 * Builds the tables of a nation (some 4 MB, in well under 200 ms).
 * @throws {RangeError} a scheme other than `simulated`
 */
export function createNation({ seed, scheme = 'simulated' }: NationOptions): Nation {
  if (scheme !== 'simulated') throw new RangeError('a synthetic nation has simulated numbers only')
  const census = createCensus(seed)
  const lineage = createLineage(seed, census)
  const enterprises = createEnterprises(seed, lineage)
  const civilStatus = createCivilStatus(mix(seed, 3), lineage.chance)
  const describe = (seat: Seat): Person => describePerson(seat, census.indexOf(seat), lineage)
  const findPerson = (personalId: string): Person | undefined => {
    const seat = census.findSeat(personalId)
    return seat === undefined ? undefined : describe(seat)
  }
  const childrenOf = ({ personalId, sex }: Person): Person[] => {
    const seat = census.findSeat(personalId)
    const father = seat === undefined || sex === 'male' ? seat : lineage.marriages.spouseOf(seat)
    return father === undefined ? [] : lineage.families.childrenOf(father).map(describe)
  }

  const people = {
    person: (index: number) => {
      requireIndex(index, population)
      return describePerson(census.seatOfIndex(index), index, lineage)
    },
    findPerson,
    childrenOf,
    recordedIn: (register: RegisterName, person: Person) => recordedIn(register, person, lineage.chance),
    ...createHoldings(seed, { census, lineage, enterprises, describe }),
    birthEntryOf: civilStatus.birthEntryOf,
    marriageEntryOf: (person: Person) => {
      const spouse = findPerson(person.spouseId ?? '')
      return spouse === undefined ? undefined : civilStatus.marriageEntryOf(person, spouse, childrenOf(person))
    },
    publicEmploymentOf: (person: Person) => publicEmploymentOf(person, lineage.chance),
    convictionsOf: (person: Person) => convictionsOf(person, lineage.chance),
    enterprise: (index: number) => {
      requireIndex(index, enterpriseCount)
      return enterprises.enterprise(index)
    },
    findEnterprise: (enterpriseCode: string) => enterprises.findEnterprise(enterpriseCode),
  }
  const welfare = createWelfare(seed, { ...people, publicWorkOf: people.publicEmploymentOf })
  return Object.freeze({ population, enterpriseCount, ...people, ...welfare })
}

interface HoldingParts {
  census: Census
  lineage: Lineage
  enterprises: Enterprises
  describe(seat: Seat): Person
}

type Holdings = Pick<
  Nation,
  'findParcel' | 'parcelsOf' | 'formerTaxCodeOf' | 'findPersonByFormerTaxCode' | 'obligationsOf'
>

/** What people and enterprises own and owe. */
function createHoldings(seed: number, { census, lineage, enterprises, describe }: HoldingParts): Holdings {
  const land = createLand(seed, lineage, enterprises)
  const taxes = createTaxes(seed, lineage, land)
  return {
    findParcel: land.findParcel,
    parcelsOf: owner =>
      'personalId' in owner
        ? land.parcelsOf(census.seatOfIndex(owner.index))
        : [land.siteOf(owner)].filter(site => site !== undefined),
    formerTaxCodeOf: ({ index }) => taxes.formerCodeOf(census.seatOfIndex(index)),
    findPersonByFormerTaxCode: taxCode => {
      const seat = taxes.findSeat(taxCode)
      return seat === undefined ? undefined : describe(seat)
    },
    obligationsOf: taxpayer =>
      taxes.obligationsOf('personalId' in taxpayer ? census.seatOfIndex(taxpayer.index) : taxpayer),
  }
}

/** Joins indexes, seats and numbers: index ↔ position ↔ seat ↔ serial, each step a bijection. */
interface Census {
  readonly cells: ReturnType<typeof createCells>
  seatOfIndex(index: number): Seat
  indexOf(seat: Seat): number
  personalIdOf(seat: Seat): PersonalId
  findSeat(personalId: string): Seat | undefined
}

/** Serials in a cell. */
const serialSpan = 1_000_000
const threeDigits = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'))

function createCensus(seed: number): Census {
  const cells = createCells()
  const indexes = createPermutation(mix(seed, 1), population)
  const serials = createPermutation(mix(seed, 2), serialSpan)
  const heads = Array.from({ length: cellCount }, (_, cell) =>
    personalIdHead(
      provinces[provinceOfCell(cell)]?.code ?? '',
      sexOfCell(cell) === male ? 'male' : 'female',
      birthYearOfCell(cell),
      'simulated',
    ),
  )
  return {
    cells,
    seatOfIndex: index => cells.seatAt(indexes.forward(index)),
    indexOf: seat => indexes.backward(cells.positionOf(seat)),
    personalIdOf: seat => {
      const cell = cellOfSeat(seat)
      const serial = serials.forward(rankOfSeat(seat), cell)
      return ((heads[cell] ?? '') + threeDigits[Math.floor(serial / 1000)] + threeDigits[serial % 1000]) as PersonalId
    },
    findSeat: personalId => {
      const parts = parsePersonalId(personalId, 'simulated')
      if (parts === undefined || parts.birthYear < firstBirthYear || parts.birthYear > lastBirthYear) return undefined
      const cell = cellOf(
        provincePosition(Number(parts.province)),
        parts.sex === 'male' ? male : female,
        parts.birthYear,
      )
      const rank = serials.backward(parts.serial, cell)
      return rank < (cells.counts[cell] ?? 0) ? seatOf(cell, rank) : undefined
    },
  }
}

function createLineage(seed: number, { cells, personalIdOf }: Census): Lineage {
  const chance = createChance(seed)
  const marriages = createMarriages(cells)
  return { cells, marriages, families: createFamilies(cells, marriages, chance), chance, personalIdOf }
}

function requireIndex(index: number, count: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError(`an index is 0 to ${count - 1}`)
}
