// Whether what is asked of a person is what a register has recorded of them. Everything is false of whoever the register does not
// know by that number, so that a name is never confirmed to somebody who has guessed a number wrong.
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { isSameName } from '#contracts/person-name.ts'
import { type RecordedPerson } from '#nation/records.ts'

export interface AskedIdentity {
  personalId: string
  fullName: string
  /** Compared where it is sent along. */
  dateOfBirth?: string
}

export type IdentityAttributes = { [name in keyof AskedIdentity]: boolean }

/** Clients send names in capitals without diacritics, so diacritics do not count; nor does a day that one side does not know. */
export function compareIdentity(
  { personalId, fullName, dateOfBirth }: AskedIdentity,
  recorded: RecordedPerson | undefined,
): IdentityAttributes {
  const isKnown = recorded?.number === personalId
  const attributes: IdentityAttributes = {
    personalId: isKnown,
    fullName: isKnown && isSameName(fullName, recorded.fullName, { diacritics: 'fold' }),
  }
  if (dateOfBirth !== undefined)
    attributes.dateOfBirth = isKnown && agreesWithBirthDate(dateOfBirth, recorded.dateOfBirth)
  return attributes
}
