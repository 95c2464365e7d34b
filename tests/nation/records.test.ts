// How registers have recorded people: at most one fault each, of the kinds and about as often as the table says, the same always.
import { describe, expect, it } from 'vitest'
import { isBirthDate } from '#contracts/birth-date.ts'
import { isSameName } from '#contracts/person-name.ts'
import { createNation } from '#nation/nation.ts'
import { faultRates, type RecordFault, type RegisterName } from '#nation/records.ts'

const nation = createNation({ seed: 7 })
const people = Array.from({ length: 50_000 }, (_, index) => nation.person(index))
const registers = Object.keys(faultRates) as RegisterName[]

describe.each(registers)('%s', register => {
  it('has each person as the population register does, but for one fault at most, which it tells', () => {
    const wrong: string[] = []
    for (const person of people) {
      const { number, fullName, dateOfBirth, fault } = nation.recordedIn(register, person)
      const differs: RecordFault[] = []
      if (number !== person.personalId) differs.push('old-number')
      if (!isSameName(fullName, person.fullName, { diacritics: 'fold' })) differs.push('misspelt-name')
      if (dateOfBirth !== person.dateOfBirth) differs.push('wrong-birth-year')
      const isTold = differs.join() === (fault ?? '')
      const isInForm = isBirthDate(dateOfBirth) && (fault !== 'old-number' || /^\d{9}$/.test(number))
      if (!isTold || !isInForm) wrong.push(`person ${person.index}: ${differs.join()}, told: ${fault}`)
    }
    expect(wrong).toEqual([])
  })

  it('has faults about as often as the table says', () => {
    const counts = { 'old-number': 0, 'misspelt-name': 0, 'wrong-birth-year': 0 }
    for (const person of people) {
      const { fault } = nation.recordedIn(register, person)
      if (fault !== undefined) counts[fault]++
    }
    const had = people.filter(({ dateOfBirth }) => Number(dateOfBirth.slice(0, 4)) <= 2006).length
    for (const [fault, rate] of Object.entries(faultRates[register]) as [RecordFault, number][]) {
      const expected = ((fault === 'old-number' ? had : people.length) * rate) / 10_000
      expect(Math.abs(counts[fault] - expected)).toBeLessThanOrEqual(4 * Math.sqrt(expected) + 1)
    }
  })
})

it('gives another seed other faults, and the same seed the same', () => {
  const faultsOf = (seed: number): string => {
    const other = createNation({ seed })
    return JSON.stringify(
      people.slice(0, 5_000).map(({ index }) => other.recordedIn('land', other.person(index)).fault ?? ''),
    )
  }
  expect(faultsOf(7)).toBe(faultsOf(7))
  expect(faultsOf(7)).not.toBe(faultsOf(8))
})
