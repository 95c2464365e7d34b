// Which personal number a birth registration gets: drawn from its reference, so that the same one draws the same, and drawn again
// while the number is somebody's. In the simulated scheme, which nobody living has.
import { hash } from 'node:crypto'
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { formatPersonalId, type PersonalId } from '#contracts/personal-id.ts'
import { type BirthRegistration } from './issuances.ts'

const serialSpan = 1_000_000
/** A province registers fewer than 100,000 births of one sex a year, so a draw misses one time in ten at most. */
const drawsMax = 1000

/** @throws {RangeError} no draw hit a number that is free */
export function choosePersonalId(
  { birthRegistration, dateOfBirth, sex, provinceCode }: BirthRegistration,
  isTaken: (personalId: PersonalId) => boolean,
): PersonalId {
  for (let draw = 0; draw < drawsMax; draw++) {
    const digest = hash('sha256', JSON.stringify(['personal-id-issuance', birthRegistration, draw]), 'hex')
    const serial = Number.parseInt(digest.slice(0, 12), 16) % serialSpan
    const birthYear = yearOfBirthDate(dateOfBirth)
    const personalId = formatPersonalId({ province: provinceCode, sex, birthYear, serial }, 'simulated')
    if (!isTaken(personalId)) return personalId
  }
  throw new RangeError('no number is free')
}
