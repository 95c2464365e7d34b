// The nation as a function: indexes and numbers are in bijection, nobody else has a number, the same seed gives the same people.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBirthDate, yearOfBirthDate } from '#contracts/birth-date.ts'
import { isEnterpriseCode } from '#contracts/enterprise-code.ts'
import { isSameName } from '#contracts/person-name.ts'
import { isPersonalId, parsePersonalId, personalIdDisagreement } from '#contracts/personal-id.ts'
import { provincePosition } from '#contracts/provinces.ts'
import { cellCount, cellOf, createCells, female, male, population, ranksMax } from '#nation/cells.ts'
import { createNation } from '#nation/nation.ts'
import { createPermutation } from '#nation/permutation.ts'
import { placesOf } from '#nation/places.ts'

const nation = createNation({ seed: 20260101 })
const boundary = [0, 1, 2, 9999, 10_000, 49_999_999, 50_000_000, population - 2, population - 1]
const index = fc.oneof(fc.constantFrom(...boundary), fc.integer({ min: 0, max: population - 1 }))

describe('people', () => {
  it('are found again by their number', () => {
    fc.assert(
      fc.property(index, at => {
        const person = nation.person(at)
        expect(person.index).toBe(at)
        expect(nation.findPerson(person.personalId)).toEqual(person)
      }),
      { numRuns: 5000, examples: boundary.map(at => [at]) },
    )
  })

  it('have each another number', () => {
    const numbers = new Set<string>()
    for (let at = 0; at < 50_000; at++) numbers.add(nation.person(at).personalId)
    for (let at = 0; at < 50_000; at++) numbers.add(nation.person(population - 1 - at).personalId)
    expect(numbers.size).toBe(100_000)
  })

  it.each([
    ['006481', '006', 'male', 1981],
    ['079590', '079', 'female', 1990],
    ['001418', '001', 'male', 1918],
  ] as const)(
    'answer to exactly as many of the million numbers from %s as the cell counts',
    (head, province, sex, birthYear) => {
      const { counts } = createCells()
      const cell = cellOf(provincePosition(Number(province)), sex === 'male' ? male : female, birthYear)
      let found = 0
      for (let serial = 0; serial < 1_000_000; serial++) {
        if (nation.findPerson(head + String(serial).padStart(6, '0')) !== undefined) found++
      }
      expect(found).toBe(counts[cell])
      expect(found).toBeGreaterThan(0)
    },
  )

  it('do not answer to numbers that nobody has', () => {
    const digits = fc.integer({ min: 0, max: 999_999_999_999 }).map(number => String(number).padStart(12, '0'))
    fc.assert(
      fc.property(digits, value => {
        const person = nation.findPerson(value)
        if (person !== undefined) expect(nation.person(person.index).personalId).toBe(value)
        if (!isPersonalId(value, 'simulated')) expect(person).toBeUndefined()
      }),
      { numRuns: 5000 },
    )
    const heads = ['001415', '001626', '001726', '001400', '003490', '040090', '040890']
    for (const head of heads)
      for (const serial of ['000000', '123456', '999999']) expect(nation.findPerson(head + serial)).toBeUndefined()
    for (const value of ['', '040490', 'x'.repeat(12), '0404900001234'])
      expect(nation.findPerson(value)).toBeUndefined()
  })

  it('never have a number that a living person could have', () => {
    fc.assert(
      fc.property(index, at => {
        const { personalId, fatherId, motherId, spouseId } = nation.person(at)
        for (const value of [personalId, fatherId, motherId, spouseId]) {
          if (value === undefined) continue
          expect(value[3]).toMatch(/[4-7]/)
          expect(isPersonalId(value, 'real')).toBe(false)
        }
      }),
      { numRuns: 5000 },
    )
    expect(() => createNation({ seed: 1, scheme: 'real' })).toThrow(RangeError)
  })

  it('agree with their own number, and are plain, frozen and whole', () => {
    fc.assert(
      fc.property(index, at => {
        const person = nation.person(at)
        expect(personalIdDisagreement(person.personalId, person, 'simulated')).toBeUndefined()
        expect(parsePersonalId(person.personalId, 'simulated')?.province).toBe(person.birthProvince.code)
        expect(isBirthDate(person.dateOfBirth)).toBe(true)
        expect(person.dateOfBirth.length === 10 || yearOfBirthDate(person.dateOfBirth) < 1965).toBe(true)
        expect(person.fullName).toBe(person.fullName.normalize('NFC').trim())
        expect(person.fullName.split(' ').length).toBeGreaterThanOrEqual(3)
        expect(isSameName(person.fullName, person.fullName.toUpperCase(), { diacritics: 'keep' })).toBe(true)
        expect(placesOf(person.residence.province.code)).toContain(person.residence)
        expect(person.maritalStatus === 'married').toBe(person.spouseId !== undefined)
        expect(Object.isFrozen(person)).toBe(true)
        expect(JSON.parse(JSON.stringify(person))).toEqual(person)
      }),
      { numRuns: 3000 },
    )
  })

  it('are others under another seed, and the same under the same', () => {
    const same = createNation({ seed: 20260101 })
    const other = createNation({ seed: 20260102 })
    expect(boundary.map(same.person)).toEqual(boundary.map(nation.person))
    expect(boundary.map(at => other.person(at).personalId)).not.toEqual(
      boundary.map(at => nation.person(at).personalId),
    )
  })

  it('end where the population ends', () => {
    for (const at of [-1, population, 0.5, Number.NaN]) expect(() => nation.person(at)).toThrow(RangeError)
  })
})

describe('cells', () => {
  it('count 100 million people, each cell within its serials', () => {
    const { counts, seatAt, positionOf } = createCells()
    expect(counts).toHaveLength(cellCount)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100_000_000)
    expect(Math.max(...counts)).toBeLessThan(ranksMax)
    fc.assert(fc.property(index, position => positionOf(seatAt(position)) === position))
  })

  it('look like the country: more boys at birth, more old women, every fourth a minor', () => {
    const people = Array.from({ length: 20_000 }, (_, at) => nation.person(at))
    const share = (holds: (year: number, sex: string) => boolean): number =>
      people.filter(({ dateOfBirth, sex }) => holds(yearOfBirthDate(dateOfBirth), sex)).length / people.length
    expect(share(year => year > 2007)).toBeGreaterThan(0.23)
    expect(share(year => year > 2007)).toBeLessThan(0.32)
    expect(share((year, sex) => year > 2007 && sex === 'male')).toBeGreaterThan(
      share((year, sex) => year > 2007 && sex === 'female'),
    )
    expect(share((year, sex) => year < 1950 && sex === 'male')).toBeLessThan(
      share((year, sex) => year < 1950 && sex === 'female'),
    )
    expect(people.filter(({ fullName }) => fullName.startsWith('Nguyễn ')).length / people.length).toBeGreaterThan(0.25)
    expect(people.filter(({ birthProvince }) => birthProvince.code === '079').length / people.length).toBeGreaterThan(
      0.05,
    )
  })
})

describe('permutation', () => {
  it('is a bijection of a whole range, square or not, for any key and tweak', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(), fc.integer({ min: 1, max: 3000 }), (key, tweak, size) => {
        const { forward, backward } = createPermutation(key, size)
        const images = Array.from({ length: size }, (_, number) => forward(number, tweak))
        expect(new Set(images).size).toBe(size)
        expect(Math.max(...images)).toBe(size - 1)
        expect(images.every((image, number) => backward(image, tweak) === number)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })
})

describe('wards', () => {
  it('are 3,321 in 34 provinces, each with a code of its own above the real ones and a name of its own in its province', () => {
    const codes = [
      '01',
      '04',
      '08',
      '11',
      '12',
      '14',
      '15',
      '19',
      '20',
      '22',
      '24',
      '25',
      '31',
      '33',
      '37',
      '38',
      '40',
      '42',
      '44',
      '46',
      '48',
      '51',
      '52',
      '56',
      '66',
      '68',
      '75',
      '79',
      '80',
      '82',
      '86',
      '91',
      '92',
      '96',
    ]
    const all = codes.flatMap(placesOf)
    expect(all).toHaveLength(3321)
    expect(new Set(all.map(({ ward }) => ward.code)).size).toBe(3321)
    expect(all.every(({ ward }) => /^9\d{4}$/.test(ward.code))).toBe(true)
    expect(new Set(all.map(({ province, ward }) => `${province.code} ${ward.name}`)).size).toBe(3321)
    expect(() => placesOf('02')).toThrow(RangeError)
  })
})

describe('enterprises', () => {
  const enterpriseIndex = fc.oneof(
    fc.constantFrom(0, 1, nation.enterpriseCount - 1),
    fc.integer({ min: 0, max: nation.enterpriseCount - 1 }),
  )

  it('are found again by their code, and are whole', () => {
    fc.assert(
      fc.property(enterpriseIndex, at => {
        const enterprise = nation.enterprise(at)
        expect(enterprise.index).toBe(at)
        expect(nation.findEnterprise(enterprise.enterpriseCode)).toEqual(enterprise)
        expect(isEnterpriseCode(enterprise.enterpriseCode, 'real')).toBe(false)
        expect(isBirthDate(enterprise.registeredOn)).toBe(true)
        expect(placesOf(enterprise.address.province.code)).toContain(enterprise.address)
        expect(enterprise.charterCapitalVnd % 1_000_000).toBe(0)
        expect(new Set(enterprise.lines.map(({ code }) => code)).size).toBe(enterprise.lines.length)
        expect(enterprise.lines.length).toBeGreaterThan(0)
        expect(enterprise.lines.length).toBeLessThanOrEqual(5)
      }),
      { numRuns: 3000 },
    )
  })

  it('are represented by people of the nation who were adults when it was registered', () => {
    fc.assert(
      fc.property(enterpriseIndex, at => {
        const { legalRepresentativeId, registeredOn } = nation.enterprise(at)
        const representative = nation.findPerson(legalRepresentativeId)
        expect(representative).toBeDefined()
        const age = yearOfBirthDate(registeredOn) - yearOfBirthDate(representative?.dateOfBirth ?? '')
        expect(age).toBeGreaterThanOrEqual(22)
        expect(age).toBeLessThanOrEqual(56)
      }),
      { numRuns: 3000 },
    )
  })

  it('have each another code, and answer to no other', () => {
    const codes = new Set<string>()
    for (let at = 0; at < nation.enterpriseCount; at += 9) codes.add(nation.enterprise(at).enterpriseCode)
    expect(codes.size).toBe(nation.enterpriseCount / 9)
    for (const code of ['', '0100109106', '0100109101', '9900000009', '0199999990', '0100109101-001'])
      expect(nation.findEnterprise(code)).toBeUndefined()
    for (const at of [-1, nation.enterpriseCount, 0.5]) expect(() => nation.enterprise(at)).toThrow(RangeError)
  })
})
