// The personal number: province of birth registration (3 digits), century and sex (1), year (2), serial (6). It has no check
// digit, so structure is all that can be checked before a register is asked. In the simulated scheme the century digit is
// shifted by 4; the two schemes accept disjoint sets of numbers, so no test datum can be a living person's, nor the reverse.
import { isBirthDate, yearOfBirthDate } from '#contracts/birth-date.ts'
import { provincePosition, provinces } from '#contracts/provinces.ts'

export type PersonalId = string & { readonly __brand: 'PersonalId' }
/** simulated: numbers of the synthetic nation · real: numbers people have. */
export type IdScheme = 'simulated' | 'real'
export type Sex = 'male' | 'female'

export interface PersonalIdParts {
  /** Three digits, one of `provinces`. */
  province: string
  sex: Sex
  /** 1900–2099: the centuries in which someone living was born. */
  birthYear: number
  /** 0–999999. */
  serial: number
}

/** A field that contradicts the number, or `personalId` when the number itself is not one. */
export type Disagreement = 'personalId' | 'dateOfBirth' | 'sex'

/**
 * By law digits 0–9 stand for the 1900s to the 2300s, two a century, male first. Only the 1900s and 2000s have begun, so a real
 * number has 0–3; the digits of centuries to come are free to mark what is simulated. To be moved before the year 2100.
 */
const firstCentury = 1900
const digitsBegun = 4
const digitShift = { real: 0, simulated: 4 } as const
const serialMax = 999_999

/**
 * Reads the parts of a personal number: `040` `4` `90` `000123` (simulated) is a man born in 1990, registered in Nghệ An.
 * Undefined for anything that is not 12 ASCII digits with a known province and a century digit of the scheme.
 * Source: decree 137/2015/NĐ-CP article 13, circular 07/2016/TT-BCA; kept by the Identity Law 2023 article 12.
 */
export function parsePersonalId(value: string, scheme: IdScheme): PersonalIdParts | undefined {
  if (value.length !== 12) return undefined
  const head = digitsAt(value, 0, 6)
  const serial = digitsAt(value, 6, 12)
  if (head < 0 || serial < 0) return undefined
  const province = provinces[provincePosition(Math.floor(head / 1000))]
  if (province === undefined) return undefined
  const digit = (Math.floor(head / 100) % 10) - digitShift[scheme]
  if (digit < 0 || digit >= digitsBegun) return undefined
  const birthYear = firstCentury + 100 * (digit >> 1) + (head % 100)
  return { province: province.code, sex: (digit & 1) === 0 ? 'male' : 'female', birthYear, serial }
}

/** Whether the value has the structure of a personal number of the scheme. Says nothing of a register having it. */
export function isPersonalId(value: string, scheme: IdScheme): value is PersonalId {
  return parsePersonalId(value, scheme) !== undefined
}

/**
 * Writes a personal number from its parts; the inverse of `parsePersonalId`.
 * @throws {RangeError} unknown province, year outside 1900–2099, serial outside 0–999999
 */
export function formatPersonalId(parts: PersonalIdParts, scheme: IdScheme): PersonalId {
  const { province, sex, birthYear, serial } = parts
  if (!Number.isInteger(serial) || serial < 0 || serial > serialMax) throw new RangeError('a serial is 0 to 999999')
  const value = `${personalIdHead(province, sex, birthYear, scheme)}${String(serial).padStart(6, '0')}`
  if (!isPersonalId(value, scheme)) throw new RangeError('no personal number has these parts')
  return value
}

/**
 * The first six digits: all that does not tell apart people of one province, sex and year of birth.
 * @throws {RangeError} year outside 1900–2099
 */
export function personalIdHead(province: string, sex: Sex, birthYear: number, scheme: IdScheme): string {
  const century = Math.floor((birthYear - firstCentury) / 100)
  const digit = century * 2 + (sex === 'male' ? 0 : 1)
  if (!Number.isInteger(birthYear) || digit < 0 || digit >= digitsBegun)
    throw new RangeError('a birth year is 1900 to 2099')
  return `${province}${digit + digitShift[scheme]}${String(birthYear % 100).padStart(2, '0')}`
}

/**
 * Names what contradicts the number: `dateOfBirth` (`yyyy-mm-dd` or `yyyy`) when of another year or no date at all, `sex`
 * when the other one, `personalId` when it is no number of the scheme. Undefined when all that is given agrees.
 */
export function personalIdDisagreement(
  personalId: string,
  known: { readonly dateOfBirth?: string; readonly sex?: Sex },
  scheme: IdScheme,
): Disagreement | undefined {
  const parts = parsePersonalId(personalId, scheme)
  if (parts === undefined) return 'personalId'
  const { dateOfBirth, sex } = known
  if (dateOfBirth !== undefined && !(isBirthDate(dateOfBirth) && yearOfBirthDate(dateOfBirth) === parts.birthYear))
    return 'dateOfBirth'
  return sex !== undefined && sex !== parts.sex ? 'sex' : undefined
}

/** The number that the digits of `value` from `start` to `end` spell, or -1 when one is not an ASCII digit. */
function digitsAt(value: string, start: number, end: number): number {
  let number = 0
  for (let at = start; at < end; at++) {
    const digit = value.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number
}
