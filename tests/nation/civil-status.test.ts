// Entries of births and marriages: true of what the population register says of the same people, the same from both ends of a
// marriage, and no two births under one number.
import { describe, expect, test } from 'vitest'
import { nationDate } from '#nation/cells.ts'
import { birthSerialMax } from '#nation/civil-status.ts'
import { createNation } from '#nation/nation.ts'

const nation = createNation({ seed: 11 })
const people = Array.from({ length: 30_000 }, (_, i) => nation.person(i * 3331))

/** The least date on which somebody is of an age, of a year alone the greatest that it can be. */
const birthdayOf = (dateOfBirth: string, age: number): string =>
  `${Number(dateOfBirth.slice(0, 4)) + age}${dateOfBirth.length === 4 ? '-12-31' : dateOfBirth.slice(4).replace('-02-29', '-02-28')}`

describe('a birth', () => {
  test('is registered on or after its day, in the province and year of the personal number, before the nation’s date', () => {
    for (const person of people) {
      const { registrationNumber, registeredOn } = nation.birthEntryOf(person)
      const { birthProvince, dateOfBirth } = person
      expect(registrationNumber).toMatch(/^TP\.\d{3}\/\d{4}-\d{7}$/)
      expect(registrationNumber.slice(3, 11)).toBe(`${birthProvince.code}/${dateOfBirth.slice(0, 4)}`)
      expect(Number(registrationNumber.slice(12))).toBeLessThanOrEqual(birthSerialMax)
      expect(registeredOn >= dateOfBirth && registeredOn < nationDate).toBe(true)
    }
  })

  test('has a number that no other has, and mostly is registered within two months', () => {
    expect(new Set(people.map(person => nation.birthEntryOf(person).registrationNumber)).size).toBe(people.length)
    const dated = people.filter(({ dateOfBirth }) => dateOfBirth.length > 4)
    const soon = dated.filter(
      person => Date.parse(nation.birthEntryOf(person).registeredOn) - Date.parse(person.dateOfBirth) < 60 * 86_400_000,
    )
    expect(soon.length / dated.length).toBeGreaterThan(0.85)
    expect(soon.length / dated.length).toBeLessThan(0.95)
  })
})

describe('a marriage', () => {
  const married = people.filter(({ maritalStatus }) => maritalStatus === 'married')

  test('is there for the married and for nobody else', () => {
    expect(married.length).toBeGreaterThan(10_000)
    for (const person of people)
      expect(nation.marriageEntryOf(person) === undefined).toBe(person.maritalStatus !== 'married')
  })

  test('is the same entry for both, at lawful ages, not after the eldest child, before the nation’s date', () => {
    for (const person of married) {
      const entry = nation.marriageEntryOf(person)
      const spouse = nation.findPerson(person.spouseId ?? '')
      if (entry === undefined || spouse === undefined) throw new Error('no marriage')
      expect(nation.marriageEntryOf(spouse)).toEqual(entry)
      const [husband, wife] = person.sex === 'male' ? [person, spouse] : [spouse, person]
      const { marriedOn, registrationNumber } = entry
      expect(registrationNumber).toMatch(/^KH\.\d{3}\/\d{4}-\d{8}$/)
      expect(marriedOn >= birthdayOf(husband.dateOfBirth, 20)).toBe(true)
      expect(marriedOn >= birthdayOf(wife.dateOfBirth, 18)).toBe(true)
      expect(marriedOn < nationDate).toBe(true)
      const eldest = nation.childrenOf(person)[0]
      if (eldest !== undefined && eldest.dateOfBirth.length > 4) expect(marriedOn <= eldest.dateOfBirth).toBe(true)
    }
  })
})

test('another seed has other entries, the same seed the same', () => {
  const entriesOf = (seed: number): string => {
    const other = createNation({ seed })
    return JSON.stringify(
      people.slice(0, 2000).map(({ index }) => {
        const person = other.person(index)
        return [other.birthEntryOf(person), other.marriageEntryOf(person)]
      }),
    )
  }
  expect(entriesOf(11)).toBe(entriesOf(11))
  expect(entriesOf(11)).not.toBe(entriesOf(12))
})
