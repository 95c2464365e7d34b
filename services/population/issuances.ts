// The register's store of issued numbers (SQLite; what is said to be stored is on the disk), beside the work it has taken on
// (work-store.ts). One birth registration has one number, whoever asks and however often.
import { isSameName } from '#contracts/person-name.ts'
import { type Sex } from '#contracts/personal-id.ts'
import { type Settlement } from '../adapter.ts'
import { createWorkStore, inTransaction, openRegister, type WorkStore } from '../work-store.ts'

/** The request of the contract. */
export interface BirthRegistration {
  birthRegistration: string
  fullName: string
  /** `yyyy-mm-dd` */
  dateOfBirth: string
  sex: Sex
  provinceCode: string
}

export interface Issuances {
  work: WorkStore
  /** What a registration that has its number, or differs from one that has, comes to. */
  recall(registration: BirthRegistration): Settlement | undefined
  /** Issues the number, if none was issued. `choose` gets a test for numbers that are taken. */
  decide(
    registration: BirthRegistration,
    issuedOn: string,
    choose: (isTaken: (personalId: string) => boolean) => string,
  ): Settlement
  close(): void
}

const tables = `
CREATE TABLE IF NOT EXISTS number (
  birth_registration TEXT PRIMARY KEY,
  personal_id TEXT NOT NULL UNIQUE,
  full_name TEXT NOT NULL,
  date_of_birth TEXT NOT NULL,
  sex TEXT NOT NULL,
  province_code TEXT NOT NULL,
  issued_on TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`

export function openIssuances(file: string): Issuances {
  const db = openRegister(file, tables)
  const numberOf = db.prepare('SELECT * FROM number WHERE birth_registration = ?')
  const taken = db.prepare('SELECT 1 FROM number WHERE personal_id = ?')
  const issue = db.prepare('INSERT INTO number VALUES (?, ?, ?, ?, ?, ?, ?)')

  function recall(registration: BirthRegistration): Settlement | undefined {
    const issued = numberOf.get(registration.birthRegistration) as Issued | undefined
    if (issued === undefined) return undefined
    return isOfSamePerson(issued, registration)
      ? { reply: { personalId: issued.personal_id, issuedOn: issued.issued_on } }
      : { failure: 'already-registered-differently' }
  }

  return {
    work: createWorkStore(db),
    recall,
    decide: (registration, issuedOn, choose) =>
      inTransaction(db, () => {
        const known = recall(registration)
        if (known !== undefined) return known
        const personalId = choose(candidate => taken.get(candidate) !== undefined)
        const { birthRegistration, fullName, dateOfBirth, sex, provinceCode } = registration
        issue.run(birthRegistration, personalId, fullName, dateOfBirth, sex, provinceCode, issuedOn)
        return { reply: { personalId, issuedOn } }
      }),
    close: () => db.close(),
  }
}

interface Issued {
  personal_id: string
  full_name: string
  date_of_birth: string
  sex: string
  province_code: string
  issued_on: string
}

const isOfSamePerson = (issued: Issued, asked: BirthRegistration): boolean =>
  isSameName(issued.full_name, asked.fullName, { diacritics: 'keep' }) &&
  issued.date_of_birth === asked.dateOfBirth &&
  issued.sex === asked.sex &&
  issued.province_code === asked.provinceCode
