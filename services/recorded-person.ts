// Who a question is about, as a register of people finds them: in its own records, seeded faults and all (nation/records.ts).
// Whoever it knows by an old number alone is not found, and what is sent along must agree with what it has recorded. An unknown
// number and a wrong name come to the same.
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { isSameName } from '#contracts/person-name.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordedPerson, type RegisterName } from '#nation/records.ts'

interface Described {
  fullName?: string
  dateOfBirth?: string
}

export interface AskedPerson extends Described {
  personalId: string
}

export interface FoundPerson {
  /** As the population register has them: what the rest of the nation is computed from. */
  person: Person
  /** As this register has them: what it compares and tells. */
  recorded: RecordedPerson
}

export function findRecorded(nation: Nation, register: RegisterName, asked: AskedPerson): FoundPerson | undefined {
  const found = recordOf(nation, register, nation.findPerson(asked.personalId))
  if (found === undefined) return undefined
  return agrees(asked, found.recorded) ? found : undefined
}

/** The register's record, unless it has none that can be joined to a personal number. */
export function recordOf(nation: Nation, register: RegisterName, person: Person | undefined): FoundPerson | undefined {
  if (person === undefined) return undefined
  const recorded = nation.recordedIn(register, person)
  return recorded.fault === 'old-number' ? undefined : { person, recorded }
}

/** Whether all that was sent of a person agrees with what is recorded. */
export function agrees(asked: Described, recorded: Pick<RecordedPerson, 'fullName' | 'dateOfBirth'>): boolean {
  const { fullName, dateOfBirth } = compareRecorded(asked, recorded)
  return fullName && dateOfBirth
}

/** What of it agrees; what was not asked does. Clients send names in capitals without diacritics, so these do not count. */
export function compareRecorded(
  { fullName, dateOfBirth }: Described,
  recorded: Pick<RecordedPerson, 'fullName' | 'dateOfBirth'>,
): { fullName: boolean; dateOfBirth: boolean } {
  return {
    fullName: fullName === undefined || isSameName(fullName, recorded.fullName, { diacritics: 'fold' }),
    dateOfBirth: dateOfBirth === undefined || agreesWithBirthDate(dateOfBirth, recorded.dateOfBirth),
  }
}

export type AskedIdentity = AskedPerson & { fullName: string }

/** The same, attribute by attribute. All is false of who is not found, so that no name is confirmed to whoever guessed a number. */
export function compareIdentity(
  asked: AskedIdentity,
  found: FoundPerson | undefined,
): { personalId: boolean; fullName: boolean; dateOfBirth?: boolean } {
  const { fullName, dateOfBirth } =
    found === undefined ? { fullName: false, dateOfBirth: false } : compareRecorded(asked, found.recorded)
  return { personalId: found !== undefined, fullName, ...(asked.dateOfBirth === undefined ? {} : { dateOfBirth }) }
}
