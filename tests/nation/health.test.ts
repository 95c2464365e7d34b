// Health of many people: inherited, of their age and sex, and agreeing with births and benefits.
import { describe, expect, it } from 'vitest'
import { ageOf } from '#nation/benefits.ts'
import { allergiesMax, conditionsMax, type HealthRecord, visitsMax } from '#nation/health.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'

const nation = createNation({ seed: 7 })
const people = Array.from({ length: 12_000 }, (_, at) => nation.person((at * 4_801 + 11) % nation.population))
const patients = people.flatMap((person): { person: Person; health: HealthRecord }[] => {
  const health = nation.healthOf(person)
  return health === undefined ? [] : [{ person, health }]
})
const parentOf = (personalId: string | undefined): HealthRecord | undefined => {
  const parent = personalId === undefined ? undefined : nation.findPerson(personalId)
  return parent === undefined ? undefined : nation.healthOf(parent)
}

describe('patients', () => {
  it('are exactly the insured', () => {
    for (const person of people)
      expect(nation.healthOf(person) === undefined).toBe(nation.insuranceOf(person) === undefined)
  })

  it('have blood groups as the country has: mostly O, B and A, seldom AB, hardly ever a minus', () => {
    const share = (holds: (group: string) => boolean): number =>
      patients.filter(({ health }) => holds(health.bloodGroup)).length / patients.length
    expect(share(group => group.startsWith('O'))).toBeCloseTo(0.45, 1)
    expect(share(group => group.startsWith('B'))).toBeCloseTo(0.27, 1)
    expect(share(group => /^A[+-]/.test(group))).toBeCloseTo(0.22, 1)
    expect(share(group => group.startsWith('AB'))).toBeCloseTo(0.05, 1)
    expect(share(group => group.endsWith('-'))).toBeLessThan(0.01)
  })

  it('have a blood group that their parents can pass on', () => {
    let families = 0
    for (const { person, health } of patients) {
      const [father, mother] = [parentOf(person.fatherId), parentOf(person.motherId)]
      if (father === undefined || mother === undefined) continue
      families++
      const letters = (one: HealthRecord): string => one.bloodGroup.slice(0, -1)
      const parents = [letters(father), letters(mother)]
      for (const letter of letters(health).replace('O', '')) expect(parents.join()).toContain(letter)
      if (letters(health) === 'O') expect(parents).not.toContain('AB')
      if (letters(health) === 'AB') expect(parents).not.toContain('O')
      const signs = [father, mother].map(one => one.bloodGroup.slice(-1)).join('')
      if (signs === '--') expect(health.bloodGroup.slice(-1)).toBe('-')
    }
    expect(families).toBeGreaterThan(3000)
  })

  it('have few allergies, and chronic conditions of their age', () => {
    for (const { person, health } of patients) {
      expect(health.allergies.length).toBeLessThanOrEqual(allergiesMax)
      expect(health.chronicConditions.length).toBeLessThanOrEqual(conditionsMax)
      if (ageOf(person) < 18) for (const code of health.chronicConditions) expect(['J45', 'Z73.6']).toContain(code)
      const isDisabled = nation.benefitOf(person)?.kind === 'disability'
      expect(health.chronicConditions.includes('Z73.6')).toBe(isDisabled)
    }
    const share = (from: number): number => {
      const all = patients.filter(({ person }) => ageOf(person) >= from)
      return all.filter(({ health }) => health.chronicConditions.includes('I10')).length / all.length
    }
    expect(share(70)).toBeGreaterThan(1.5 * share(30))
  })

  it('were seen after their birth, in the last three years, the newest visit first', () => {
    for (const { person, health } of patients) {
      const days = health.lastVisits.map(({ on }) => on)
      expect(days.length).toBeLessThanOrEqual(visitsMax)
      expect(days).toEqual(days.toSorted().reverse())
      for (const { on, facility } of health.lastVisits) {
        expect(on >= person.dateOfBirth.slice(0, 10) && on >= '2023-01-01' && on < '2026-01-01').toBe(true)
        expect(facility).toMatch(new RegExp(`^${person.residence.province.code}9[0-5]\\d$`))
      }
    }
  })

  it('were born where and when their mothers were delivered of them', () => {
    let births = 0
    for (const { person, health } of patients) {
      const born = health.lastVisits.filter(({ kind }) => kind === 'birth')
      expect(born.map(({ on }) => on)).toEqual(person.dateOfBirth >= '2023' ? [person.dateOfBirth] : [])
      const mother = parentOf(person.motherId)
      if (born[0] === undefined || mother === undefined) continue
      births++
      expect(mother.lastVisits).toContainEqual({ ...born[0], kind: 'delivery' })
    }
    expect(births).toBeGreaterThan(200)
  })

  it('were delivered of a child only when they are mothers', () => {
    for (const { person, health } of patients) {
      const delivered = health.lastVisits.filter(({ kind }) => kind === 'delivery').map(({ on }) => on)
      if (person.sex === 'male') expect(delivered).toEqual([])
      if (delivered.length > 0)
        expect(nation.childrenOf(person).map(({ dateOfBirth }) => dateOfBirth)).toEqual(
          expect.arrayContaining(delivered),
        )
    }
  })
})
