// The labour register, asked by its contracts: benefits are told, accounts are matched, and whoever is paid none, is paid in cash
// or is unknown gets the same answer.
import { describe, expect, test } from 'vitest'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault } from '#nation/records.ts'
import { directAsker } from './direct-asker.ts'

const nation = createNation({ seed: 1 })
const statusOf = await directAsker('labour/benefit-status', nation)
const verify = await directAsker('labour/benefit-account-verification', nation)

function first(holds: (person: Person) => boolean): Person {
  for (let index = 0; ; index++) if (holds(nation.person(index))) return nation.person(index)
}
const faultOf = (person: Person): RecordFault | undefined => nation.recordedIn('labour', person).fault
const isPaidBy = (way: 'account' | 'cash', fault?: RecordFault) => (person: Person) =>
  faultOf(person) === fault && nation.benefitOf(person)?.paidBy === way
const beneficiary = first(isPaidBy('account'))
const inCash = first(isPaidBy('cash'))
const misspelt = first(isPaidBy('account', 'misspelt-name'))
const old = first(isPaidBy('account', 'old-number'))
const stranger = first(one => nation.benefitOf(one) === undefined)

const accountRequest = (person: Person) => {
  const { bank, number } = nation.benefitOf(person)?.account ?? { bank: '000001', number: '8812345678' }
  return { personalId: person.personalId, fullName: person.fullName, bank, accountNumber: number }
}

describe('benefit-status', () => {
  test('tells the benefit, and never the account', () => {
    const { account: _, ...benefit } = nation.benefitOf(beneficiary) ?? {}
    const { personalId, fullName, dateOfBirth } = beneficiary
    expect(statusOf({ personalId })).toEqual({ found: true, fullName, dateOfBirth, ...benefit })
    expect(statusOf({ personalId, fullName, dateOfBirth }, ['found', 'since'])).toEqual({
      found: true,
      since: nation.benefitOf(beneficiary)?.since,
    })
  })

  test('finds nobody who is paid none, under an old number or by another name', () => {
    expect(statusOf({ personalId: stranger.personalId })).toEqual({ found: false })
    expect(statusOf({ personalId: old.personalId })).toEqual({ found: false })
    expect(statusOf({ personalId: beneficiary.personalId, fullName: stranger.fullName })).toEqual({ found: false })
    expect(statusOf({ personalId: misspelt.personalId, fullName: misspelt.fullName })).toEqual({ found: false })
    expect(statusOf({ personalId: misspelt.personalId })).toMatchObject({
      found: true,
      fullName: nation.recordedIn('labour', misspelt).fullName,
    })
  })
})

describe('benefit-account-verification', () => {
  test('matches the account with its beneficiary', () => {
    expect(verify(accountRequest(beneficiary), ['matched'])).toEqual({ matched: true })
    const { fullName } = nation.recordedIn('labour', misspelt)
    expect(verify({ ...accountRequest(misspelt), fullName })).toMatchObject({ matched: true })
  })

  test('says no to another account, bank or name', () => {
    const request = accountRequest(beneficiary)
    const other = { personalId: true, fullName: true, account: false }
    expect(verify({ ...request, accountNumber: '8800000001' })).toEqual({ matched: false, attributes: other })
    expect(verify({ ...request, bank: '000009' })).toEqual({ matched: false, attributes: other })
    expect(verify({ ...request, fullName: stranger.fullName })).toEqual({
      matched: false,
      attributes: { personalId: true, fullName: false, account: true },
    })
    expect(verify(accountRequest(misspelt))).toMatchObject({ matched: false, attributes: { fullName: false } })
  })

  test('answers alike of whoever is paid in cash, paid nothing, or known by an old number', () => {
    const nothing = { matched: false, attributes: { personalId: false, fullName: false, account: false } }
    for (const person of [inCash, stranger, old]) expect(verify(accountRequest(person))).toEqual(nothing)
  })
})
