// Which personal number a birth registration gets, in the simulated scheme, which nobody living has.
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { formatPersonalId, type PersonalId, type Sex } from '#contracts/personal-id.ts'
import { drawNumber } from '../drawn-number.ts'

/** The request of the contract. */
export interface BirthRegistration {
  birthRegistration: string
  fullName: string
  /** `yyyy-mm-dd` */
  dateOfBirth: string
  sex: Sex
  provinceCode: string
}

/** A province registers fewer than 100,000 births of one sex a year, so a draw misses one time in ten at most. */
const serialSpan = 1_000_000

/** @throws {RangeError} no draw hit a number that is free */
export function choosePersonalId(
  { birthRegistration, dateOfBirth, sex, provinceCode }: BirthRegistration,
  isTaken: (personalId: PersonalId) => boolean,
): PersonalId {
  const birthYear = yearOfBirthDate(dateOfBirth)
  return drawNumber({
    service: 'personal-id-issuance',
    reference: birthRegistration,
    span: serialSpan,
    format: serial => formatPersonalId({ province: provinceCode, sex, birthYear, serial }, 'simulated'),
    isTaken,
  })
}
