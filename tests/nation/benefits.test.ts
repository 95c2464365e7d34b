// Benefits of many people: each kind goes to those of its age and family, and a million is paid by account.
import { describe, expect, it } from 'vitest'
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { ageOf, type Benefit } from '#nation/benefits.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'

const nation = createNation({ seed: 7 })
const people = Array.from({ length: 60_000 }, (_, at) => nation.person((at * 1_663 + 3) % nation.population))
const beneficiaries = people.flatMap((person): { person: Person; benefit: Benefit }[] => {
  const benefit = nation.benefitOf(person)
  return benefit === undefined ? [] : [{ person, benefit }]
})
const of = (kind: Benefit['kind']) => beneficiaries.filter(({ benefit }) => benefit.kind === kind)

describe('benefits', () => {
  it('are paid to some four and a half of 100, to one of 100 by account', () => {
    const share = (count: number): number => (100 * count) / people.length
    expect(share(beneficiaries.length)).toBeGreaterThan(4)
    expect(share(beneficiaries.length)).toBeLessThan(5)
    expect(share(beneficiaries.filter(({ benefit }) => benefit.paidBy === 'account').length)).toBeCloseTo(1, 0)
    for (const kind of ['orphan', 'war-invalid', 'social-pension', 'disability'] as const)
      expect(of(kind).length).toBeGreaterThan(30)
  })

  it('for orphans go to minors of whose parents none is in the registry', () => {
    for (const { person } of of('orphan')) {
      expect(ageOf(person)).toBeLessThan(16)
      expect([person.fatherId, person.motherId]).toEqual([undefined, undefined])
    }
  })

  it('for war invalids go to those who were grown up before 1990', () => {
    for (const { person, benefit } of of('war-invalid')) {
      expect(yearOfBirthDate(person.dateOfBirth)).toBeLessThanOrEqual(1968)
      expect(Number(benefit.since.slice(0, 4)) - yearOfBirthDate(person.dateOfBirth)).toBeGreaterThanOrEqual(20)
    }
  })

  it('for the old go to those of 75 and more without a pension of social insurance', () => {
    for (const { person, benefit } of of('social-pension')) {
      expect(ageOf(person)).toBeGreaterThanOrEqual(75)
      expect(nation.insuranceOf(person)?.status).not.toBe('pension')
      const age = Number(benefit.since.slice(0, 4)) - yearOfBirthDate(person.dateOfBirth)
      expect(age).toBeGreaterThanOrEqual(benefit.since < '2025-07' ? 80 : 75)
    }
  })

  it('began after birth and before the nation’s date, and have a round amount', () => {
    for (const { person, benefit } of beneficiaries) {
      expect(benefit.since >= person.dateOfBirth.slice(0, 7)).toBe(true)
      expect(benefit.since <= '2026-01').toBe(true)
      expect(benefit.monthlyAmountVnd % 5000).toBe(0)
      expect(benefit.monthlyAmountVnd).toBeGreaterThanOrEqual(500_000)
    }
  })

  it('have an account exactly when paid to one, each another, of no real bank', () => {
    const accounts = beneficiaries.flatMap(({ benefit }) => benefit.account ?? [])
    for (const { benefit } of beneficiaries) expect(benefit.account !== undefined).toBe(benefit.paidBy === 'account')
    expect(new Set(accounts.map(({ number }) => number)).size).toBe(accounts.length)
    for (const { bank, number } of accounts) {
      expect(bank).toMatch(/^00000[1-6]$/)
      expect(number).toMatch(/^88\d{8}$/)
    }
  })
})
