// Enterprise codes and their check digits in both schemes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatEnterpriseCode, isEnterpriseCode } from '#contracts/enterprise-code.ts'

const body = fc.integer({ min: 0, max: 999_999_999 })

describe('enterprise code', () => {
  it('has the law’s check digit in the real scheme', () => {
    for (const value of ['0100109106', '0301442379', '0100686209']) {
      expect(formatEnterpriseCode(Number(value.slice(0, 9)), 'real')).toBe(value)
      expect(isEnterpriseCode(value, 'real')).toBe(true)
      expect(isEnterpriseCode(value, 'simulated')).toBe(false)
    }
  })

  it('is accepted when written, and never by the other scheme', () => {
    fc.assert(
      fc.property(body, serial => {
        const value = formatEnterpriseCode(serial, 'simulated')
        expect(value).toHaveLength(10)
        expect(Number(value.slice(0, 9))).toBe(serial)
        expect(isEnterpriseCode(value, 'simulated')).toBe(true)
        expect(isEnterpriseCode(value, 'real')).toBe(false)
      }),
    )
  })

  it('has one check digit a body at most in each scheme', () => {
    fc.assert(
      fc.property(body, serial => {
        const codes = Array.from({ length: 10 }, (_, digit) => `${String(serial).padStart(9, '0')}${digit}`)
        expect(codes.filter(code => isEnterpriseCode(code, 'simulated'))).toHaveLength(1)
        expect(codes.filter(code => isEnterpriseCode(code, 'real')).length).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('is not written for a body the law leaves out, nor out of range', () => {
    for (const serial of [0, -1, 1_000_000_000, 1.5, Number.NaN])
      expect(() => formatEnterpriseCode(serial, 'real')).toThrow(RangeError)
    expect(formatEnterpriseCode(0, 'simulated')).toBe('0000000005')
  })

  it.each(['', '010010910', '01001091066', '0100109106-001', '0100109106 ', '010010910٦', 'O100109106'])(
    'is not %j',
    value => {
      expect(isEnterpriseCode(value, 'real') || isEnterpriseCode(value, 'simulated')).toBe(false)
    },
  )
})
