// Structure of personal numbers, and that no number is both a simulated and a living person's.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatPersonalId,
  type IdScheme,
  isPersonalId,
  parsePersonalId,
  personalIdDisagreement,
  type Sex,
} from '#contracts/personal-id.ts'
import { findProvince, provinces } from '#contracts/provinces.ts'

const schemes = fc.constantFrom<IdScheme>('simulated', 'real')
const partsOf = fc.record({
  province: fc.constantFrom(...provinces.map(({ code }) => code)),
  sex: fc.constantFrom<Sex>('male', 'female'),
  birthYear: fc.integer({ min: 1900, max: 2099 }),
  serial: fc.integer({ min: 0, max: 999_999 }),
})
const digits = fc.integer({ min: 0, max: 999_999_999_999 }).map(number => String(number).padStart(12, '0'))

describe('personal number', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(partsOf, schemes, (parts, scheme) => {
        expect(parsePersonalId(formatPersonalId(parts, scheme), scheme)).toEqual(parts)
      }),
    )
  })

  it('writes what it read, for any twelve digits it accepts', () => {
    fc.assert(
      fc.property(digits, schemes, (value, scheme) => {
        const parts = parsePersonalId(value, scheme)
        if (parts !== undefined) expect(formatPersonalId(parts, scheme)).toBe(value)
      }),
      { numRuns: 2000 },
    )
  })

  it('is of one scheme at most', () => {
    fc.assert(fc.property(digits, value => !(isPersonalId(value, 'simulated') && isPersonalId(value, 'real'))))
    fc.assert(fc.property(partsOf, parts => !isPersonalId(formatPersonalId(parts, 'real'), 'simulated')))
    fc.assert(fc.property(partsOf, parts => !isPersonalId(formatPersonalId(parts, 'simulated'), 'real')))
  })

  it('is refused when it is anything but twelve ASCII digits', () => {
    fc.assert(
      fc.property(fc.string(), value => {
        fc.pre(!/^\d{12}$/.test(value))
        expect(isPersonalId(value, 'simulated') || isPersonalId(value, 'real')).toBe(false)
      }),
    )
    for (const value of [
      '',
      '04049000001',
      '0404900000123',
      '04049000001a',
      ' 40490000012',
      '٠٤٠٤٩٠٠٠٠٠١٢',
      '-40490000012',
      '04049000.012',
    ])
      expect(isPersonalId(value, 'simulated')).toBe(false)
  })

  it.each([
    ['040490000123', 'simulated', { province: '040', sex: 'male', birthYear: 1990, serial: 123 }],
    ['001507000000', 'simulated', { province: '001', sex: 'female', birthYear: 1907, serial: 0 }],
    ['096600999999', 'simulated', { province: '096', sex: 'male', birthYear: 2000, serial: 999_999 }],
    ['079725000001', 'simulated', { province: '079', sex: 'female', birthYear: 2025, serial: 1 }],
    ['040090000123', 'simulated', undefined],
    ['040390000123', 'simulated', undefined],
    ['040890000123', 'simulated', undefined],
    ['003490000123', 'simulated', undefined],
    ['000490000123', 'simulated', undefined],
    ['999490000123', 'simulated', undefined],
    ['040090000123', 'real', { province: '040', sex: 'male', birthYear: 1990, serial: 123 }],
    ['040301000123', 'real', { province: '040', sex: 'female', birthYear: 2001, serial: 123 }],
    ['040490000123', 'real', undefined],
    ['040990000123', 'real', undefined],
  ] as const)('reads %s under %s', (value, scheme, parts) => expect(parsePersonalId(value, scheme)).toEqual(parts))

  it.each([
    { province: '003', sex: 'male', birthYear: 1990, serial: 1 },
    { province: '040', sex: 'male', birthYear: 1899, serial: 1 },
    { province: '040', sex: 'male', birthYear: 2100, serial: 1 },
    { province: '040', sex: 'male', birthYear: 1990.5, serial: 1 },
    { province: '040', sex: 'male', birthYear: 1990, serial: 1_000_000 },
    { province: '040', sex: 'male', birthYear: 1990, serial: -1 },
  ] as const)('is not written from %o', parts => expect(() => formatPersonalId(parts, 'real')).toThrow(RangeError))

  it.each([
    [{}, undefined],
    [{ dateOfBirth: '1990-01-31', sex: 'male' }, undefined],
    [{ dateOfBirth: '1990' }, undefined],
    [{ dateOfBirth: '1991-01-31', sex: 'male' }, 'dateOfBirth'],
    [{ dateOfBirth: '1990-02-30' }, 'dateOfBirth'],
    [{ dateOfBirth: '2090-01-31' }, 'dateOfBirth'],
    [{ dateOfBirth: '1990-01-31', sex: 'female' }, 'sex'],
  ] as const)('says what disagrees with a man born in 1990: %o', (known, field) =>
    expect(personalIdDisagreement('040490000123', known, 'simulated')).toBe(field),
  )

  it('is itself what disagrees when it is of the other scheme', () => {
    expect(personalIdDisagreement('040490000123', { dateOfBirth: '1990' }, 'real')).toBe('personalId')
  })
})

describe('provinces', () => {
  it('are 63, frozen, in the order of their codes, each found by its code', () => {
    const codes = provinces.map(({ code }) => code)
    expect(provinces).toHaveLength(63)
    expect(codes).toEqual([...new Set(codes)].sort())
    expect(Object.isFrozen(provinces) && provinces.every(Object.isFrozen)).toBe(true)
    for (const province of provinces) expect(findProvince(province.code)).toBe(province)
    expect(findProvince('001')).toEqual({ code: '001', name: 'Hà Nội' })
    expect(findProvince('096')).toEqual({ code: '096', name: 'Cà Mau' })
    for (const code of ['003', '1', '0001', '', 'abc']) expect(findProvince(code)).toBeUndefined()
  })
})
