// The tax register, asked through its contracts: tax codes in both directions, and what is owed.
import { describe, expect, test } from 'vitest'
import { formatEnterpriseCode } from '#contracts/enterprise-code.ts'
import { type Enterprise } from '#nation/enterprise.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault } from '#nation/records.ts'
import { askerOf } from './register-asker.ts'

const nation = createNation({ seed: 1 })
const askCode = await askerOf(nation, 'tax/tax-code')
const askObligation = await askerOf(nation, 'tax/tax-obligation')

/** The first of whom it holds; with a code from before July 2025. */
function findPerson(holds: (person: Person) => boolean, fault?: RecordFault): Person {
  for (let index = 0; index < 20_000; index++) {
    const person = nation.person(index)
    if (nation.formerTaxCodeOf(person) === undefined || nation.recordedIn('tax', person).fault !== fault) continue
    if (holds(person)) return person
  }
  throw new Error('nobody is recorded so')
}

function findEnterprise(holds: (enterprise: Enterprise) => boolean): Enterprise {
  for (let index = 0; index < 5_000; index++) if (holds(nation.enterprise(index))) return nation.enterprise(index)
  throw new Error('no enterprise is so')
}

const any = (): boolean => true
const person = findPerson(any)
const { personalId, fullName: name, dateOfBirth } = person
const formerTaxCode = nation.formerTaxCodeOf(person)!
const nobodys = formatEnterpriseCode(990_000_000, 'simulated')

describe('tax code', () => {
  test('of a person is the personal number, found by it and by the ten digits of before', () => {
    const reply = { found: true, kind: 'person', taxCode: personalId, formerTaxCode, name, dateOfBirth }
    expect(askCode({ taxCode: personalId })).toEqual(reply)
    expect(askCode({ taxCode: formerTaxCode })).toEqual(reply)
    expect(askCode({ taxCode: formerTaxCode }, ['taxCode'])).toEqual({ found: true, taxCode: personalId })
  })

  test('of who had none before has no former one', () => {
    const child = Array.from({ length: 200 }, (_, index) => nation.person(index)).find(
      one => nation.formerTaxCodeOf(one) === undefined && nation.recordedIn('tax', one).fault === undefined,
    )!
    expect(Object.keys(askCode({ taxCode: child.personalId }))).not.toContain('formerTaxCode')
  })

  test('of an enterprise is its code', () => {
    const { enterpriseCode, name } = nation.enterprise(0)
    expect(askCode({ taxCode: enterpriseCode })).toEqual({
      found: true,
      kind: 'enterprise',
      taxCode: enterpriseCode,
      name,
    })
  })

  test('tells a name and a date of birth as it has them', () => {
    const misspelt = findPerson(any, 'misspelt-name')
    expect(askCode({ taxCode: misspelt.personalId })).toMatchObject({
      taxCode: misspelt.personalId,
      name: nation.recordedIn('tax', misspelt).fullName,
    })
    const misdated = findPerson(any, 'wrong-birth-year')
    expect(askCode({ taxCode: misdated.personalId })['dateOfBirth']).not.toBe(misdated.dateOfBirth)
  })

  test('that nobody has is not found', () => {
    expect([askCode({ taxCode: nobodys }), askObligation({ taxCode: nobodys })]).toEqual([
      { found: false },
      { found: false },
    ])
  })

  test('finds nobody whom it knows by nine digits alone, by no code', () => {
    const unknown = findPerson(any, 'old-number')
    for (const taxCode of [unknown.personalId, nation.formerTaxCodeOf(unknown)!])
      expect([askCode({ taxCode }), askObligation({ taxCode })]).toEqual([{ found: false }, { found: false }])
  })
})

describe('tax obligation', () => {
  test('tells what is due, and the sums in a field of their own', () => {
    const debtor = findPerson(one => nation.obligationsOf(one).length > 1)
    const due = nation.obligationsOf(debtor)
    const reply = {
      found: true,
      owes: true,
      obligations: due.map(({ taxType, period, dueOn }) => ({ taxType, period, dueOn })),
    }
    const amounts = due.map(({ taxType, period, amountVnd }) => ({ taxType, period, amountVnd }))
    expect(askObligation({ taxCode: debtor.personalId })).toEqual({ ...reply, amounts })
    expect(askObligation({ taxCode: nation.formerTaxCodeOf(debtor)! }, ['owes', 'obligations'])).toEqual(reply)
  })

  test('tells of one tax when one is asked about', () => {
    const debtor = findEnterprise(one => nation.obligationsOf(one).length > 1)
    const [{ taxType } = { taxType: '' }] = nation.obligationsOf(debtor)
    const { obligations } = askObligation({ taxCode: debtor.enterpriseCode, taxType })
    for (const one of obligations as { taxType: string }[]) expect(one.taxType).toBe(taxType)
    expect(askObligation({ taxCode: debtor.enterpriseCode, taxType: 'household-business' }, ['owes'])).toEqual({
      found: true,
      owes: false,
    })
  })

  test('of who owes nothing is an empty list', () => {
    const debtless = findPerson(one => nation.obligationsOf(one).length === 0)
    expect(askObligation({ taxCode: debtless.personalId })).toEqual({
      found: true,
      owes: false,
      obligations: [],
      amounts: [],
    })
  })
})
