// The people whom the civil-status register finds by their personal number, as it has recorded them, its faults and all.
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { isSameName } from '#contracts/person-name.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordedPerson } from '#nation/records.ts'

export interface Entry {
  person: Person
  recorded: RecordedPerson
}

export function findEntry(nation: Nation, personalId: string | undefined): Entry | undefined {
  const person = personalId === undefined ? undefined : nation.findPerson(personalId)
  if (person === undefined) return undefined
  const recorded = nation.recordedIn('civil-status', person)
  return recorded.number === person.personalId ? { person, recorded } : undefined
}

/** Whether what was sent of a person agrees with the entry; clients send capitals without diacritics, and years alone. */
export function agrees(
  recorded: { fullName: string; dateOfBirth: string },
  { fullName, dateOfBirth }: { fullName?: string | undefined; dateOfBirth?: string | undefined },
): boolean {
  if (fullName !== undefined && !isSameName(fullName, recorded.fullName, { diacritics: 'fold' })) return false
  return dateOfBirth === undefined || agreesWithBirthDate(dateOfBirth, recorded.dateOfBirth)
}
