// The business register, asked through its contracts: whether somebody is an enterprise's representative, and what it discloses.
import { describe, expect, test } from 'vitest'
import { type Enterprise } from '#nation/enterprise.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault } from '#nation/records.ts'
import { askerOf } from './register-asker.ts'

const nation = createNation({ seed: 1 })
const verify = await askerOf(nation, 'business-registration/representative-verification')
const disclose = await askerOf(nation, 'business-registration/enterprise-record')

/** The first enterprise whose representative the register has recorded with the fault, or without one. */
function find(fault?: RecordFault): { enterprise: Enterprise; representative: Person } {
  for (let index = 0; index < 20_000; index++) {
    const enterprise = nation.enterprise(index)
    const representative = nation.findPerson(enterprise.legalRepresentativeId)!
    if (nation.recordedIn('business-registration', representative).fault === fault)
      return { enterprise, representative }
  }
  throw new Error('no enterprise has such a representative')
}

const { enterprise, representative } = find()
const { enterpriseCode } = enterprise
const { personalId, fullName, dateOfBirth } = representative
const good = { enterpriseCode, personalId, fullName }
const other = nation.person(4711)
const nobodys = { enterpriseCode: nation.formerTaxCodeOf(nation.person(1))! }

describe('representative verification', () => {
  test('matches the representative, with or without the date of birth, however the name is written', () => {
    expect(verify(good)).toEqual({
      matched: true,
      attributes: { enterpriseCode: true, personalId: true, fullName: true },
    })
    expect(verify({ ...good, fullName: fullName.toUpperCase(), dateOfBirth }, [])).toEqual({ matched: true })
  })

  test('gives another person, a wrong name, a wrong date and an unknown enterprise one answer', () => {
    const wrong = [
      { ...good, personalId: other.personalId, fullName: other.fullName },
      { ...good, fullName: other.fullName },
      {
        ...good,
        dateOfBirth: dateOfBirth.endsWith('-01')
          ? dateOfBirth.slice(0, 8).concat('02')
          : `${dateOfBirth.slice(0, 8)}01`,
      },
      { ...good, ...nobodys },
    ]
    for (const request of wrong) expect(verify(request, [])).toEqual({ matched: false })
  })

  test('confirms no name to who has the number wrong', () => {
    expect(verify({ ...good, personalId: other.personalId })).toEqual({
      matched: false,
      attributes: { enterpriseCode: true, personalId: false, fullName: false },
    })
    expect(verify({ ...good, ...nobodys })).toEqual({
      matched: false,
      attributes: { enterpriseCode: false, personalId: false, fullName: false },
    })
  })

  test.each([
    ['old-number', { personalId: false, fullName: false, dateOfBirth: false }],
    ['misspelt-name', { personalId: true, fullName: false, dateOfBirth: true }],
    ['wrong-birth-year', { personalId: true, fullName: true, dateOfBirth: false }],
  ] as const)('compares with its own record and its fault, %s', (fault, attributes) => {
    const faulty = find(fault)
    const { personalId, fullName, dateOfBirth } = faulty.representative
    const request = { enterpriseCode: faulty.enterprise.enterpriseCode, personalId, fullName, dateOfBirth }
    expect(verify(request)).toEqual({ matched: false, attributes: { enterpriseCode: true, ...attributes } })
  })
})

describe('enterprise record', () => {
  test('tells the representative’s number where the register has it', () => {
    expect(disclose({ enterpriseCode }, ['legalRepresentativeId'])).toEqual({
      found: true,
      legalRepresentativeId: personalId,
    })
  })

  test('tells none where it knows nine digits alone', () => {
    const request = { enterpriseCode: find('old-number').enterprise.enterpriseCode }
    expect(disclose(request, ['legalRepresentativeId'])).toEqual({ found: true })
  })

  test('is not found by a code that no enterprise has', () => {
    expect(disclose(nobodys)).toEqual({ found: false })
  })
})
