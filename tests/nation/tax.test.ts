// Tax codes from before July 2025 lead back to whoever had them and are nobody else's; what is owed fits who owes it.
import { describe, expect, it } from 'vitest'
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { isEnterpriseCode } from '#contracts/enterprise-code.ts'
import { nationDate } from '#nation/cells.ts'
import { createNation } from '#nation/nation.ts'

const nation = createNation({ seed: 7 })
const people = Array.from({ length: 25_000 }, (_, at) => nation.person((at * 3_989 + 11) % nation.population))
const enterprises = Array.from({ length: 5_000 }, (_, at) => nation.enterprise((at * 179 + 3) % nation.enterpriseCount))
const isAdult = ({ dateOfBirth }: { dateOfBirth: string }): boolean => yearOfBirthDate(dateOfBirth) <= 2007

describe('former tax codes', () => {
  it('lead back to the person, each to another, and are never an enterprise’s or a real one', () => {
    const codes = new Set<string>()
    for (const person of people) {
      const code = nation.formerTaxCodeOf(person)
      if (code === undefined) continue
      codes.add(code)
      expect(nation.findPersonByFormerTaxCode(code)).toEqual(person)
      expect(nation.findEnterprise(code)).toBeUndefined()
      expect([isEnterpriseCode(code, 'simulated'), isEnterpriseCode(code, 'real')]).toEqual([true, false])
    }
    expect(codes.size).toBe(people.filter(person => nation.formerTaxCodeOf(person) !== undefined).length)
  })

  it('were most adults’ and few children’s', () => {
    const shareOf = (some: typeof people): number =>
      some.filter(person => nation.formerTaxCodeOf(person) !== undefined).length / some.length
    expect(shareOf(people.filter(isAdult))).toBeCloseTo(0.82, 1)
    expect(shareOf(people.filter(person => !isAdult(person)))).toBeCloseTo(0.24, 1)
  })

  it('are found by no other code', () => {
    for (const code of ['', '8000000000', '0100109106', '80000000000', ...enterprises.map(one => one.enterpriseCode)]) {
      const person = nation.findPersonByFormerTaxCode(code)
      if (person !== undefined) expect(nation.formerTaxCodeOf(person)).toBe(code)
      if (!code.startsWith('8') || code.length !== 10) expect(person).toBeUndefined()
    }
  })
})

describe('obligations', () => {
  it.each([
    ['people', people, 0.02, 0.06],
    ['enterprises', enterprises, 0.1, 0.25],
  ] as const)(
    'of %s are few, were due before the nation’s date, and are sums in round thousands',
    (_, all, from, to) => {
      const owing = all.map(one => nation.obligationsOf(one)).filter(due => due.length > 0)
      expect(owing.length / all.length).toBeGreaterThan(from)
      expect(owing.length / all.length).toBeLessThan(to)
      for (const due of owing) {
        expect(due.length).toBeLessThanOrEqual(20)
        expect(due.map(({ dueOn }) => dueOn)).toEqual(due.map(({ dueOn }) => dueOn).toSorted())
        expect(new Set(due.map(({ taxType, period }) => `${taxType} ${period}`)).size).toBe(due.length)
        for (const { dueOn, amountVnd, period } of due) {
          expect(dueOn < nationDate && period.slice(0, 4) <= dueOn.slice(0, 4)).toBe(true)
          expect(amountVnd > 0 && amountVnd % 1000 === 0).toBe(true)
        }
      }
    },
  )

  it('are no child’s, no dissolved enterprise’s, and of no year before an enterprise was', () => {
    for (const person of people) if (!isAdult(person)) expect(nation.obligationsOf(person)).toEqual([])
    for (const enterprise of enterprises)
      for (const { period } of nation.obligationsOf(enterprise)) {
        expect(enterprise.status).not.toBe('dissolved')
        expect(Number(period.slice(0, 4))).toBeGreaterThan(Number(enterprise.registeredOn.slice(0, 4)))
      }
  })

  it('for land are owed by those alone who own a home or a site, and of a couple by one', () => {
    let owing = 0
    for (const taxpayer of [...people, ...enterprises]) {
      if (!nation.obligationsOf(taxpayer).some(({ taxType }) => taxType === 'non-agricultural-land-use')) continue
      owing++
      const taxed = nation.parcelsOf(taxpayer).filter(({ use }) => !['LUC', 'HNK', 'CLN', 'NTS'].includes(use.code))
      expect(taxed).toHaveLength(1)
      if ('personalId' in taxpayer) expect(taxed[0]?.ownerIds[0]).toBe(taxpayer.personalId)
    }
    expect(owing).toBeGreaterThan(200)
  })
})
