// Codes of agencies, procedures and officers.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalAgencyCode, isAgencyCode, isOfficerCode, isProcedureCode } from '#contracts/agency-code.ts'

const digits = (length: number) =>
  fc.integer({ min: 0, max: 10 ** length - 1 }).map(number => String(number).padStart(length, '0'))
const levelOne = fc.tuple(fc.constantFrom(...'ABCGHK'), digits(2)).map(parts => parts.join(''))

describe('agency code', () => {
  it('is one agency in both official forms', () => {
    fc.assert(
      fc.property(levelOne, digits(2), digits(2), digits(3), (one, two, three, four) => {
        const canonical = canonicalAgencyCode(`${four}.${three}.${two}.${one}`)
        expect(canonical).toBeDefined()
        expect(canonicalAgencyCode(`${one}.${two}.${three}.${four}`)).toBe(canonical)
        expect(canonicalAgencyCode(canonical ?? '')).toBe(canonical)
      }),
    )
  })

  it('names another agency whenever a level differs', () => {
    const levels = fc.tuple(levelOne, digits(2), digits(2), digits(3))
    fc.assert(
      fc.property(
        levels,
        levels,
        (a, b) =>
          (a.join() === b.join()) ===
          (canonicalAgencyCode(a.join('.')) === canonicalAgencyCode(b.toReversed().join('.'))),
      ),
    )
  })

  it.each([
    ['000.00.00.G12', 'G12'],
    ['000.00.18.G12', 'G12.18'],
    ['001.02.18.G12', 'G12.18.02.001'],
    ['000.05.00.H49', 'H49.00.05'],
    ['G12', 'G12'],
    ['G12.18', 'G12.18'],
    ['G12.00', 'G12'],
    ['G09.20', 'G09.20'],
    ['G24.63.01', 'G24.63.01'],
    ['0100109106', '0100109106'],
    ['0100109101', '0100109101'],
    [`G12${'.18'.repeat(10)}`, `G12${'.18'.repeat(10)}`],
  ])('%s is %s', (value, canonical) => expect(canonicalAgencyCode(value)).toBe(canonical))

  it.each([
    '',
    'G1',
    'g12',
    'G12.',
    '.G12',
    'G12..18',
    'G12.1',
    'G12.1234',
    '00.00.18.G12',
    '000.00.18.12',
    '000.00.18.G12 ',
    'G12\n',
    '0100109105',
    '010010910',
    'VN:COM:0100109106',
    `G12${'.18'.repeat(11)}`,
  ])('%j is none', value => expect(isAgencyCode(value)).toBe(false))
})

describe('procedure code', () => {
  it.each(['1.002759', '2.000635', '1.002759.H49', `1.002759${'.000'.repeat(3)}`])('is %j', value =>
    expect(isProcedureCode(value)).toBe(true),
  )
  it.each([
    '',
    '1002759',
    '1.02759',
    '1.0027590',
    '1.002759.',
    'A.002759',
    '1.002759 ',
    `1.002759${'.000'.repeat(3)}.1`,
    `1.002759${'.00'.repeat(5)}`,
  ])('is not %j', value => expect(isProcedureCode(value)).toBe(false))
})

describe('officer code', () => {
  it.each(['G24.63-0412', '1', 'A_1', '12345678901234567890'])('is %j', value =>
    expect(isOfficerCode(value)).toBe(true),
  )
  it.each(['', '-1', '1-', 'A..1', 'a1', 'A 1', 'A1\n', '123456789012345678901', 'Nguyễn'])('is not %j', value =>
    expect(isOfficerCode(value)).toBe(false),
  )
})
