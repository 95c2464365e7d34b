// The health register, asked by its contracts: a card is matched with its holder and the day, a summary is told to whoever
// treats, and faults are answered as if nobody were there.
import { describe, expect, test } from 'vitest'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault } from '#nation/records.ts'
import { directAsker } from './direct-asker.ts'

const nation = createNation({ seed: 1 })
const verify = await directAsker('health/insurance-card-verification', nation)
const summaryOf = await directAsker('health/health-summary', nation)

function first(holds: (person: Person) => boolean): Person {
  for (let index = 0; ; index++) if (holds(nation.person(index))) return nation.person(index)
}
const faultOf = (person: Person): RecordFault | undefined => nation.recordedIn('health', person).fault
const cardOf = (person: Person) => nation.insuranceOf(person)?.card
const hasCard = (person: Person): boolean => cardOf(person) !== undefined
const holder = first(one => faultOf(one) === undefined && cardOf(one)?.validTo !== undefined)
const misspelt = first(one => hasCard(one) && faultOf(one) === 'misspelt-name')
const misdated = first(one => hasCard(one) && faultOf(one) === 'wrong-birth-year')
const old = first(one => hasCard(one) && faultOf(one) === 'old-number')
const stranger = first(one => nation.insuranceOf(one) === undefined)

const cardRequest = (person: Person, validOn = '2026-01-12') => ({
  cardNumber: cardOf(person)?.number ?? '',
  fullName: person.fullName,
  dateOfBirth: person.dateOfBirth,
  validOn,
})
const nextDay = (date: string, days: number): string =>
  new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)

describe('insurance-card-verification', () => {
  test('matches a card with its holder on its first and its last day, and on neither day beside them', () => {
    const { validFrom, validTo = '' } = cardOf(holder) ?? { validFrom: '' }
    for (const day of [validFrom, validTo, '2026-01-12'])
      expect(verify(cardRequest(holder, day), ['matched'])).toEqual({ matched: true })
    for (const day of [nextDay(validFrom, -1), nextDay(validTo, 1)])
      expect(verify(cardRequest(holder, day))).toEqual({
        matched: false,
        attributes: { cardNumber: true, fullName: true, dateOfBirth: true, validOn: false },
      })
  })

  test('says which part does not agree, and no more than no to whom that was not granted', () => {
    const request = { ...cardRequest(holder), fullName: stranger.fullName }
    expect(verify(request)).toEqual({
      matched: false,
      attributes: { cardNumber: true, fullName: false, dateOfBirth: true, validOn: true },
    })
    expect(verify(request, ['matched'])).toEqual({ matched: false })
  })

  test('knows no card of another group, province or code', () => {
    const nothing = { cardNumber: false, fullName: false, dateOfBirth: false, validOn: false }
    const { cardNumber, ...rest } = cardRequest(holder)
    const others = [`XX9${cardNumber.slice(3)}`, `${cardNumber.slice(0, 3)}00${cardNumber.slice(5)}`]
    for (const other of [...others, 'GD4790099999999', 'GD4790112345678'])
      if (other !== cardNumber)
        expect(verify({ cardNumber: other, ...rest })).toEqual({ matched: false, attributes: nothing })
  })

  test('compares with what hospitals have recorded, and joins no card to an old number', () => {
    expect(verify(cardRequest(misspelt))).toMatchObject({ matched: false, attributes: { fullName: false } })
    expect(verify(cardRequest(misdated))).toMatchObject({ matched: false, attributes: { dateOfBirth: false } })
    expect(verify(cardRequest(old))).toMatchObject({ matched: false, attributes: { cardNumber: false } })
    const { fullName } = nation.recordedIn('health', misspelt)
    expect(verify({ ...cardRequest(misspelt), fullName })).toMatchObject({ matched: true })
  })
})

describe('health-summary', () => {
  test('tells what the nation knows of the patient', () => {
    const { bloodGroup, allergies, chronicConditions, lastVisits } = nation.healthOf(holder) ?? {}
    const { personalId, fullName, dateOfBirth } = holder
    expect(summaryOf({ personalId, fullName, dateOfBirth })).toEqual({
      found: true,
      fullName,
      dateOfBirth,
      bloodGroup,
      allergies,
      chronicConditions,
      lastVisits,
    })
    expect(summaryOf({ personalId }, ['found', 'bloodGroup'])).toEqual({ found: true, bloodGroup })
  })

  test('finds nobody under an old number, another name, or who is not insured', () => {
    expect(summaryOf({ personalId: old.personalId })).toEqual({ found: false })
    expect(summaryOf({ personalId: stranger.personalId })).toEqual({ found: false })
    expect(summaryOf({ personalId: holder.personalId, fullName: stranger.fullName })).toEqual({ found: false })
    expect(summaryOf({ personalId: misspelt.personalId, fullName: misspelt.fullName })).toEqual({ found: false })
  })

  test('tells the name and the year that are recorded', () => {
    for (const person of [misspelt, misdated]) {
      const { fullName, dateOfBirth } = nation.recordedIn('health', person)
      expect(summaryOf({ personalId: person.personalId })).toMatchObject({ found: true, fullName, dateOfBirth })
    }
  })
})
