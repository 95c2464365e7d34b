// Convictions on record: of adults, as terms and the law on striking off allow them, in the past, the newest first.
import { describe, expect, it } from 'vitest'
import { type Conviction } from '#nation/convictions.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'

const nation = createNation({ seed: 7 })
const sample = 300_000
const convicts: { person: Person; convictions: readonly Conviction[] }[] = []
const adults = { male: 0, female: 0 }
for (let index = 0; index < sample; index++) {
  const person = nation.person(index)
  const convictions = nation.convictionsOf(person)
  if (convictions.length > 0) convicts.push({ person, convictions })
  if (Number(person.dateOfBirth.slice(0, 4)) <= 2006 && Number(person.dateOfBirth.slice(0, 4)) >= 1950)
    adults[person.sex]++
}

/** Months from a day to the nation's date, and a part of one. */
const monthsSince = (day: string): number =>
  (2026 - Number(day.slice(0, 4))) * 12 + 1 - Number(day.slice(5, 7)) - (Number(day.slice(8)) - 1) / 31

describe('convictions', () => {
  it('are of nine men in a thousand, and of few women', () => {
    for (const [sex, rate] of [
      ['male', 0.009],
      ['female', 0.0008],
    ] as const) {
      const expected = adults[sex] * rate
      const found = convicts.filter(({ person }) => person.sex === sex).length
      expect(Math.abs(found - expected)).toBeLessThan(4 * Math.sqrt(expected))
    }
  })

  it('are one to three of a person, newest first, all in the past and of an adult', () => {
    for (const { person, convictions } of convicts) {
      expect(convictions.length).toBeLessThanOrEqual(3)
      const days = convictions.map(({ convictedOn }) => convictedOn)
      expect(days).toEqual(days.toSorted().reverse())
      for (const day of days) {
        expect(new Date(day).toISOString().slice(0, 10)).toBe(day)
        expect(day < '2026-01-01').toBe(true)
        expect(Number(day.slice(0, 4)) - Number(person.dateOfBirth.slice(0, 4))).toBeGreaterThanOrEqual(18)
      }
    }
    expect(new Set(convicts.map(({ convictions }) => convictions.length))).toEqual(new Set([1, 2, 3]))
  })

  it('have a term unless they are a fine, and drugs mean prison', () => {
    for (const { article, sentence, months } of convicts.flatMap(({ convictions }) => convictions)) {
      expect(months === undefined).toBe(sentence === 'fine')
      if (months !== undefined) expect(months).toBeGreaterThanOrEqual(6)
      if (article === '249' || article === '251') expect(sentence).toBe('imprisonment')
    }
  })

  it('are on record still: the newest by its own time, older ones since each new one began it anew', () => {
    for (const { convictions } of convicts) {
      const [newest, ...older] = convictions as [Conviction, ...Conviction[]]
      const { months = 0, sentence } = newest
      const probation = sentence !== 'imprisonment' ? 12 : months <= 60 ? 24 : 36
      expect(monthsSince(newest.convictedOn)).toBeLessThanOrEqual(months + probation)
      older.forEach(({ convictedOn, months: term = 0 }, at) => {
        const gap = monthsSince(convictedOn) - monthsSince(convictions[at]!.convictedOn)
        expect(gap).toBeGreaterThan(term - 1)
      })
    }
  })
})
