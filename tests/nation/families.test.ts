// Relatives agree with each other, asked from either end.
import { describe, expect, it } from 'vitest'
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { createCells } from '#nation/cells.ts'
import { createChance } from '#nation/chance.ts'
import { createFamilies } from '#nation/families.ts'
import { createMarriages, houseOf } from '#nation/marriages.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'

const nation = createNation({ seed: 7 })
const people = Array.from({ length: 30_000 }, (_, at) => nation.person((at * 3_331 + 17) % nation.population))

const known = (personalId: string): Person => {
  const person = nation.findPerson(personalId)
  if (person === undefined) throw new Error('a relative is not in the nation')
  return person
}
const yearOf = (person: Person): number => yearOfBirthDate(person.dateOfBirth)
const wholeDates = (...all: Person[]): boolean => all.every(({ dateOfBirth }) => dateOfBirth.length === 10)
const ageAt = (person: Person, date: string): number =>
  yearOfBirthDate(date) - yearOf(person) - (date.slice(5) < person.dateOfBirth.slice(5) ? 1 : 0)

describe('spouses', () => {
  const married = people.filter(({ spouseId }) => spouseId !== undefined)

  it('are many, and each is the other’s', () => {
    expect(married.length).toBeGreaterThan(people.length * 0.35)
    for (const person of married) expect(known(person.spouseId ?? '').spouseId).toBe(person.personalId)
  })

  it('are of opposite sex, of age by law, of similar age, and live together', () => {
    for (const person of married) {
      const spouse = known(person.spouseId ?? '')
      const [husband, wife] = person.sex === 'male' ? [person, spouse] : [spouse, person]
      expect([husband.sex, wife.sex]).toEqual(['male', 'female'])
      expect(yearOf(husband)).toBeLessThanOrEqual(2005)
      expect(yearOf(wife)).toBeLessThanOrEqual(2007)
      expect(yearOf(wife) - yearOf(husband)).toBeGreaterThanOrEqual(-1)
      expect(yearOf(wife) - yearOf(husband)).toBeLessThanOrEqual(5)
      expect(wife.residence).toBe(husband.residence)
    }
  })

  it('are never of one father', () => {
    for (const person of married)
      if (person.fatherId !== undefined) expect(known(person.spouseId ?? '').fatherId).not.toBe(person.fatherId)
  })
})

describe('houses', () => {
  it('pass from father to child and are never one in a couple, so no father’s line marries itself', () => {
    const cells = createCells()
    const marriages = createMarriages(cells)
    const families = createFamilies(cells, marriages, createChance(7))
    let couples = 0
    for (let position = 0; position < nation.population; position += 997) {
      const seat = cells.seatAt(position)
      const spouse = marriages.spouseOf(seat)
      const father = families.fatherOf(seat)
      if (father !== undefined) expect(houseOf(father)).toBe(houseOf(seat))
      if (spouse === undefined) continue
      couples++
      expect(houseOf(spouse)).toBe(1 - houseOf(seat))
    }
    expect(couples).toBeGreaterThan(10_000)
  })
})

describe('parents', () => {
  const children = people.filter(({ fatherId }) => fatherId !== undefined)

  it('are known together or not at all, of most of the young and of few of the old', () => {
    const knownShare = (from: number, to: number): number => {
      const born = people.filter(person => yearOf(person) >= from && yearOf(person) <= to)
      return born.filter(({ fatherId }) => fatherId !== undefined).length / born.length
    }
    for (const { fatherId, motherId } of people) expect(fatherId === undefined).toBe(motherId === undefined)
    expect(knownShare(2008, 2025)).toBeGreaterThan(0.9)
    expect(knownShare(1916, 1945)).toBeLessThan(0.05)
  })

  it('are married to each other, 18 to 45 years older, the father of 23 to 44', () => {
    for (const child of children) {
      const father = known(child.fatherId ?? '')
      const mother = known(child.motherId ?? '')
      expect(father.spouseId).toBe(mother.personalId)
      expect(mother.spouseId).toBe(father.personalId)
      if (!wholeDates(child, father, mother)) continue
      expect(ageAt(mother, child.dateOfBirth)).toBeGreaterThanOrEqual(18)
      expect(ageAt(mother, child.dateOfBirth)).toBeLessThanOrEqual(45)
      expect(ageAt(father, child.dateOfBirth)).toBeGreaterThanOrEqual(23)
      expect(ageAt(father, child.dateOfBirth)).toBeLessThanOrEqual(43)
    }
  })

  it('give the father’s family name and people', () => {
    for (const child of children) {
      const father = known(child.fatherId ?? '')
      const [first] = father.fullName.split(' ')
      expect(child.fullName.split(' ')[0]).toBe(first)
      expect(child.ethnicity).toBe(father.ethnicity)
    }
  })

  it('live with their minor children', () => {
    for (const child of children)
      if (yearOf(child) >= 2008) expect(child.residence).toBe(known(child.fatherId ?? '').residence)
  })
})

describe('children', () => {
  it('of a person are exactly those whose father or mother it is, eldest first, two years apart', () => {
    let brothersAndSisters = 0
    for (const child of people.slice(0, 10_000)) {
      if (child.fatherId === undefined || child.motherId === undefined) continue
      const father = known(child.fatherId)
      const all = nation.childrenOf(father)
      expect(all.filter(({ personalId }) => personalId === child.personalId)).toEqual([child])
      expect(nation.childrenOf(known(child.motherId))).toEqual(all)
      for (const one of all) expect([one.fatherId, one.motherId]).toEqual([child.fatherId, child.motherId])
      const years = all.map(yearOf)
      for (const [at, year] of years.entries())
        if (at > 0) expect(year - (years[at - 1] ?? 0)).toBeGreaterThanOrEqual(2)
      brothersAndSisters += all.length - 1
    }
    expect(brothersAndSisters).toBeGreaterThan(1000)
  })

  it('are none of the unmarried', () => {
    for (const person of people.slice(0, 3000))
      if (person.spouseId === undefined) expect(nation.childrenOf(person)).toEqual([])
  })
})
