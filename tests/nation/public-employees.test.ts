// Who works for the state: as many as were published, at every body, of working age, where they live; 95 of 100 in the register;
// nobody with a conviction on record.
import { describe, expect, it } from 'vitest'
import { isAgencyCode } from '#contracts/agency-code.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { localBodyCodes, publicBodyCodes } from '#nation/public-bodies.ts'
import { type PublicEmployment } from '#nation/public-employees.ts'

const nation = createNation({ seed: 7 })
const sample = 400_000
const employees: (PublicEmployment & { person: Person })[] = []
let convicted = 0
for (let index = 0; index < sample; index++) {
  const person = nation.person(index)
  const employment = nation.publicEmploymentOf(person)
  if (employment !== undefined) employees.push({ ...employment, person })
  if (nation.convictionsOf(person).length > 0) convicted++
}
const yearOf = ({ dateOfBirth }: Person): number => Number(dateOfBirth.slice(0, 4))
const deviationOf = (expected: number): number => 4 * Math.sqrt(expected)

describe('public employees', () => {
  it('are 2.21 million, 2.1 million of them in the register', () => {
    const perPerson = nation.population / sample
    const recorded = employees.filter(({ isRecorded }) => isRecorded).length
    expect(Math.abs(recorded * perPerson - 2_100_000)).toBeLessThan(perPerson * deviationOf(recorded))
    expect(recorded / employees.length).toBeCloseTo(0.95, 1)
    expect(Math.abs(recorded - employees.length * 0.95)).toBeLessThan(deviationOf(employees.length * 0.05))
  })

  it('work for every body, whose codes are agency codes and all different', () => {
    expect(new Set(employees.map(({ body }) => body.code))).toEqual(new Set(publicBodyCodes))
    expect([publicBodyCodes.length, new Set(publicBodyCodes).size]).toEqual([54, 54])
    expect(publicBodyCodes.filter(code => !isAgencyCode(code))).toEqual([])
  })

  it('of a province live in it', () => {
    for (const { body, person } of employees)
      if (body.code.startsWith('H')) expect(localBodyCodes.get(person.residence.province.code)).toBe(body.code)
    expect(localBodyCodes.size).toBe(34)
  })

  it('are of working age, and were taken on as adults before the nation’s date', () => {
    for (const { since, person } of employees) {
      expect(2025 - yearOf(person)).toBeGreaterThanOrEqual(22)
      expect(2025 - yearOf(person)).toBeLessThanOrEqual(person.sex === 'male' ? 60 : 56)
      expect(Number(since.slice(0, 4)) - yearOf(person)).toBeGreaterThanOrEqual(22)
      expect(since < '2026-01-01').toBe(true)
      expect(since).toMatch(/^\d{4}-(0[1-9]|1[0-2])-01$/)
    }
  })

  it('are in all three groups, teachers and doctors most of them', () => {
    const counts = Object.groupBy(employees, ({ positionGroup }) => positionGroup)
    const share = (group: PublicEmployment['positionGroup']): number =>
      Math.round((100 * (counts[group]?.length ?? 0)) / employees.length)
    expect(share('public-service-employee')).toBeGreaterThan(70)
    expect(share('civil-servant')).toBeGreaterThan(10)
    expect(share('cadre')).toBeGreaterThan(2)
  })

  it('have nothing on record, though others have', () => {
    expect(convicted).toBeGreaterThan(1000)
    expect(employees.filter(({ person }) => nation.convictionsOf(person).length > 0)).toEqual([])
  })

  it('are the same for the same seed, others for another', () => {
    const codesOf = (seed: number): string => {
      const other = createNation({ seed })
      return Array.from({ length: 2000 }, (_, i) => other.publicEmploymentOf(other.person(i))?.body.code ?? '').join()
    }
    expect(codesOf(7)).toBe(codesOf(7))
    expect(codesOf(7)).not.toBe(codesOf(8))
  })
})
