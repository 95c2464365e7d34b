// Dates of birth, full and of a year only.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agreesWithBirthDate, isBirthDate, yearOfBirthDate } from '#contracts/birth-date.ts'

const date = fc
  .date({ min: new Date('1800-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map(day => day.toISOString().slice(0, 10))

describe('birth date', () => {
  it('is every date of the calendar, and its year', () => {
    fc.assert(
      fc.property(
        date,
        value =>
          isBirthDate(value) && isBirthDate(value.slice(0, 4)) && yearOfBirthDate(value) === Number(value.slice(0, 4)),
      ),
    )
  })

  it('is exactly what the calendar has', () => {
    const part = (max: number) => fc.integer({ min: 0, max }).map(number => String(number).padStart(2, '0'))
    fc.assert(
      fc.property(fc.integer({ min: 1800, max: 2099 }), part(14), part(33), (year, month, day) => {
        const value = `${year}-${month}-${day}`
        const parsed = new Date(`${value}T00:00:00Z`)
        expect(isBirthDate(value)).toBe(!Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(value))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    '',
    '90',
    '1799',
    '2100',
    '1990-1-31',
    '31/01/1990',
    '1990-01-31T00:00',
    '1990-13-01',
    '1990-00-10',
    '1990-01-00',
    '1990-02-29',
    '1900-02-29',
    '1990-01',
    '19900131',
    ' 1990',
    '1990\n',
  ])('is not %j', value => expect(isBirthDate(value)).toBe(false))

  it.each(['1990', '1990-01-31', '2000-02-29', '1996-02-29', '1800', '2099-12-31'])('is %j', value =>
    expect(isBirthDate(value)).toBe(true),
  )
})

describe('two birth dates agree', () => {
  it.each([
    ['1990-01-31', '1990-01-31', true],
    ['1990-01-31', '1990-01-30', false],
    ['1990', '1990-01-31', true],
    ['1990-01-31', '1990', true],
    ['1990', '1990', true],
    ['1990', '1991-01-31', false],
    ['1990', '1991', false],
    ['1990-02-30', '1990', false],
    ['', '', false],
  ])('%j with %j: %s', (asked, known, agrees) => expect(agreesWithBirthDate(asked, known)).toBe(agrees))

  it('whichever is asked and whichever is known', () => {
    const either = fc.oneof(
      date,
      date.map(value => value.slice(0, 4)),
    )
    fc.assert(fc.property(either, either, (a, b) => agreesWithBirthDate(a, b) === agreesWithBirthDate(b, a)))
  })
})
