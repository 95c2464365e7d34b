// The ten-digit enterprise code, which is also its tax code: a nine-digit body and a check digit. The simulated scheme ends in
// another digit than the law's, so no simulated code is any enterprise's. The three-digit suffix of a branch is refused: a
// branch is no enterprise of its own.
import { type IdScheme } from '#contracts/personal-id.ts'

export type EnterpriseCode = string & { readonly __brand: 'EnterpriseCode' }

const bodyMax = 999_999_999
const weights = Object.freeze([31, 29, 23, 19, 17, 13, 7, 5, 3])
const simulatedShift = 5

/**
 * Whether the value is a ten-digit code with the scheme's check digit.
 * Source: circular 105/2020/TT-BTC article 5 (structure of the tax code), with the weights in common use.
 */
export function isEnterpriseCode(value: string, scheme: IdScheme): value is EnterpriseCode {
  return /^\d{10}$/.test(value) && checkDigitOf(value, scheme) === value.charCodeAt(9) - 48
}

/**
 * Writes the code of a body (0–999999999), e.g. 10010910 → `0100109106` in the real scheme.
 * @throws {RangeError} body out of range, or one the law gives no code (its check digit would be 10)
 */
export function formatEnterpriseCode(body: number, scheme: IdScheme): EnterpriseCode {
  if (!Number.isInteger(body) || body < 0 || body > bodyMax)
    throw new RangeError('the body of an enterprise code is 0 to 999999999')
  const digits = String(body).padStart(9, '0')
  const checkDigit = checkDigitOf(digits, scheme)
  if (checkDigit > 9) throw new RangeError('no enterprise code has this body')
  return `${digits}${checkDigit}` as EnterpriseCode
}

/**
 * Real: 10 − (Σ weight × digit mod 11), where 10 means that the body is never given out. Simulated: that plus 5, last digit
 * kept, which is always another digit than the real one.
 */
function checkDigitOf(digits: string, scheme: IdScheme): number {
  const real = 10 - (weights.reduce((sum, weight, at) => sum + weight * (digits.charCodeAt(at) - 48), 0) % 11)
  return scheme === 'real' ? real : (real + simulatedShift) % 10
}
