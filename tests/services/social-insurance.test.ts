// Social insurance, asked by its contracts: who is found, what is told, and that an old number, a wrong name and a stranger come
// to the same.
import { describe, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault } from '#nation/records.ts'
import { directAsker } from './direct-asker.ts'

const nation = createNation({ seed: 1 })
const statusOf = await directAsker('social-insurance/insurance-status', nation)
const historyOf = await directAsker('social-insurance/contribution-history', nation)

/** The first of the nation for whom it holds. */
function first(holds: (person: Person) => boolean): Person {
  for (let index = 0; ; index++) if (holds(nation.person(index))) return nation.person(index)
}
const faultOf = (person: Person): RecordFault | undefined => nation.recordedIn('social-insurance', person).fault
const isInsured = (person: Person): boolean => nation.insuranceOf(person) !== undefined
const worker = first(one => nation.insuranceOf(one)?.status === 'compulsory' && faultOf(one) === undefined)
const misspelt = first(one => isInsured(one) && faultOf(one) === 'misspelt-name')
const misdated = first(one => isInsured(one) && faultOf(one) === 'wrong-birth-year')
const old = first(one => isInsured(one) && faultOf(one) === 'old-number')
const stranger = first(one => !isInsured(one))

const asks: [string, typeof statusOf][] = [
  ['insurance-status', statusOf],
  ['contribution-history', historyOf],
]

describe.each(asks)('%s', (_, ask) => {
  test('tells of a person with the number alone, and with name and date of birth as clients send them', () => {
    const { personalId, fullName, dateOfBirth } = worker
    const told = ask({ personalId })
    expect(told).toMatchObject({ found: true, fullName, dateOfBirth })
    const sent = fullName.toUpperCase().normalize('NFD').replace(/\p{M}/gu, '').replace(/Đ/g, 'D')
    expect(ask({ personalId, fullName: sent, dateOfBirth: dateOfBirth.slice(0, 4) })).toEqual(told)
  })

  test('finds nobody under a wrong name, a wrong day, an old number, no number of the nation’s, and no insured one', () => {
    const day = worker.dateOfBirth.endsWith('-01-01') ? '02-02' : '01-01'
    const wrong: JsonObject[] = [
      { personalId: worker.personalId, fullName: stranger.fullName },
      { personalId: worker.personalId, dateOfBirth: `${worker.dateOfBirth.slice(0, 4)}-${day}` },
      { personalId: old.personalId },
      { personalId: stranger.personalId },
      { personalId: '001599999999' },
    ]
    for (const request of wrong) expect(ask(request)).toEqual({ found: false })
  })

  test('tells and compares what it has recorded, faults and all', () => {
    const named = nation.recordedIn('social-insurance', misspelt)
    expect(ask({ personalId: misspelt.personalId })).toMatchObject({ fullName: named.fullName })
    expect(ask({ personalId: misspelt.personalId, fullName: named.fullName })).toMatchObject({ found: true })
    expect(ask({ personalId: misspelt.personalId, fullName: misspelt.fullName })).toEqual({ found: false })
    const { dateOfBirth } = nation.recordedIn('social-insurance', misdated)
    expect(ask({ personalId: misdated.personalId })).toMatchObject({ dateOfBirth })
    expect(ask({ personalId: misdated.personalId, dateOfBirth: misdated.dateOfBirth })).toEqual({ found: false })
  })

  test('tells only what was granted', () => {
    expect(ask({ personalId: worker.personalId }, ['found'])).toEqual({ found: true })
  })
})

test('status, code, card and history of one person agree', () => {
  const status = statusOf({ personalId: worker.personalId })
  const history = historyOf({ personalId: worker.personalId })
  expect(status['insuranceCode']).toBe(history['insuranceCode'])
  const periods = history['periods'] as { from: string; to?: string; months: number }[]
  expect(status['period']).toEqual({ from: periods.at(-1)?.from })
  expect(periods.at(-1)).not.toHaveProperty('to')
  expect(history['months']).toBe(periods.reduce((sum, { months }) => sum + months, 0))
})

test('whoever is insured without ever having paid has an empty history', () => {
  const child = first(one => one.dateOfBirth > '2015' && faultOf(one) === undefined && isInsured(one))
  expect(historyOf({ personalId: child.personalId })).toMatchObject({ found: true, months: 0, periods: [] })
})
