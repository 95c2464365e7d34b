// The register's store of births registered since the nation's date (SQLite), of the work taken on, and of the errands that each
// piece of work has sent to other registers. One birth certificate has one entry, whoever asks and however often; an errand is
// here before it is asked, so that whoever takes the work up asks the same.
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { type DatabaseSync } from 'node:sqlite'
import { isSameName } from '#contracts/person-name.ts'
import { type Sex } from '#contracts/personal-id.ts'
import { birthSerialMax } from '#nation/civil-status.ts'
import { type Settlement } from '../adapter.ts'
import { createWorkStore, inTransaction, openRegister, type WorkStore } from '../work-store.ts'

/** The request of the contract. */
export interface Child {
  birthCertificate: string
  fullName: string
  /** `yyyy-mm-dd` */
  dateOfBirth: string
  sex: Sex
  provinceCode: string
  motherId: string
  fatherId?: string
}

export interface Birth {
  registrationNumber: string
  registeredOn: string
  child: Child
  personalId?: string
  insuranceCard?: string
}

/** What the other registers give: the column it is kept in, and the errand's name. */
export type Step = 'personal_id' | 'insurance_card'

export interface StoredErrand {
  /** From 1; an errand that came to nothing is followed by another. */
  attempt: number
  envelope: string
  /** When it was first asked, epoch ms. */
  begunMs: number
  /** Of its exchange, once known. */
  exchangeId?: string
}

export interface Births {
  work: WorkStore
  /** Enters the birth, if it is not entered yet. @throws {OtherChildError} it is, and of another child */
  register(child: Child, registeredOn: string): Birth
  /** The entry of the child with that personal number. */
  findChild(personalId: string): Birth | undefined
  /** What a child whose entry is complete, or differs, comes to. */
  recall(child: Child): Settlement | undefined
  /** What another register gave; the first counts. */
  keep(birthCertificate: string, step: Step, value: string): void
  errand(exchangeId: string, step: Step): StoredErrand | undefined
  putErrand(exchangeId: string, step: Step, errand: StoredErrand): void
  close(): void
}

const tables = `
CREATE TABLE IF NOT EXISTS birth (
  birth_certificate TEXT PRIMARY KEY,
  registration_number TEXT NOT NULL UNIQUE,
  registered_on TEXT NOT NULL,
  child TEXT NOT NULL,
  personal_id TEXT UNIQUE,
  insurance_card TEXT UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS errand (
  exchange_id TEXT,
  step TEXT,
  attempt INTEGER NOT NULL,
  envelope TEXT NOT NULL,
  begun_ms INTEGER NOT NULL,
  errand_exchange_id TEXT,
  PRIMARY KEY (exchange_id, step)
) STRICT, WITHOUT ROWID;
`

const fileName = 'civil-status.sqlite'
const serialSpan = 10_000_000
/** Some thousand births a year and province: a draw nearly never misses. */
const drawsMax = 100

/** @param dataDir of the registers */
export function openBirths(dataDir: string): Births {
  const db = openRegister(join(dataDir, fileName), tables)
  const statements = prepare(db)
  const find = (birthCertificate: string): Birth | undefined => toBirth(statements.birth.get(birthCertificate))

  function enter(child: Child, registeredOn: string): Birth {
    const isTaken = (number: string): boolean => statements.isTaken.get(number) !== undefined
    const registrationNumber = chooseNumber(child, registeredOn.slice(0, 4), isTaken)
    statements.enter.run(child.birthCertificate, registrationNumber, registeredOn, JSON.stringify(child))
    return { registrationNumber, registeredOn, child }
  }

  return {
    work: createWorkStore(db),
    register: (child, registeredOn) =>
      inTransaction(db, () => {
        const birth = find(child.birthCertificate) ?? enter(child, registeredOn)
        if (!isSameChild(birth.child, child)) throw new OtherChildError()
        return birth
      }),
    findChild: personalId => toBirth(statements.childOf.get(personalId)),
    recall: child => {
      const birth = find(child.birthCertificate)
      if (birth === undefined) return undefined
      return isSameChild(birth.child, child) ? replyOf(birth) : { failure: 'already-registered-differently' }
    },
    keep: (birthCertificate, step, value) => void statements.keep[step].run(value, birthCertificate),
    errand: (exchangeId, step) => toErrand(statements.errand.get(exchangeId, step)),
    putErrand: (exchangeId, step, { attempt, envelope, begunMs, exchangeId: own = null }) =>
      void statements.putErrand.run(exchangeId, step, attempt, envelope, Math.floor(begunMs), own),
    close: () => db.close(),
  }
}

/** The certificate has its entry, of a child described differently. */
export class OtherChildError extends Error {
  constructor() {
    super('the certificate is another child’s')
    this.name = 'OtherChildError'
  }
}

/** Undefined as long as something is missing. */
export function replyOf({
  registrationNumber,
  registeredOn,
  personalId,
  insuranceCard,
}: Birth): Settlement | undefined {
  if (personalId === undefined || insuranceCard === undefined) return undefined
  return { reply: { registrationNumber, registeredOn, personalId, insuranceCard } }
}

const isSameChild = (known: Child, asked: Child): boolean =>
  isSameName(known.fullName, asked.fullName, { diacritics: 'keep' }) &&
  known.dateOfBirth === asked.dateOfBirth &&
  known.sex === asked.sex &&
  known.provinceCode === asked.provinceCode &&
  known.motherId === asked.motherId &&
  known.fatherId === asked.fatherId

/** Drawn from the certificate, so that the same one draws the same, above the numbers of the nation's own births. */
function chooseNumber(
  { birthCertificate, provinceCode }: Child,
  year: string,
  isTaken: (number: string) => boolean,
): string {
  for (let draw = 0; draw < drawsMax; draw++) {
    const digest = hash('sha256', JSON.stringify(['birth-registration', birthCertificate, draw]), 'hex')
    const serial = birthSerialMax + 1 + (Number.parseInt(digest.slice(0, 12), 16) % (serialSpan - birthSerialMax - 1))
    const number = `TP.${provinceCode}/${year}-${serial}`
    if (!isTaken(number)) return number
  }
  throw new RangeError('no number is free')
}

const prepare = (db: DatabaseSync) => ({
  birth: db.prepare('SELECT * FROM birth WHERE birth_certificate = ?'),
  childOf: db.prepare('SELECT * FROM birth WHERE personal_id = ?'),
  isTaken: db.prepare('SELECT 1 FROM birth WHERE registration_number = ?'),
  enter: db.prepare(
    'INSERT INTO birth (birth_certificate, registration_number, registered_on, child) VALUES (?, ?, ?, ?)',
  ),
  keep: {
    personal_id: db.prepare('UPDATE birth SET personal_id = ? WHERE birth_certificate = ? AND personal_id IS NULL'),
    insurance_card: db.prepare(
      'UPDATE birth SET insurance_card = ? WHERE birth_certificate = ? AND insurance_card IS NULL',
    ),
  },
  errand: db.prepare('SELECT * FROM errand WHERE exchange_id = ? AND step = ?'),
  putErrand: db.prepare('INSERT OR REPLACE INTO errand VALUES (?, ?, ?, ?, ?, ?)'),
})

interface BirthRow {
  registration_number: string
  registered_on: string
  child: string
  personal_id: string | null
  insurance_card: string | null
}

function toBirth(found: unknown): Birth | undefined {
  if (found === undefined) return undefined
  const row = found as BirthRow
  return {
    registrationNumber: row.registration_number,
    registeredOn: row.registered_on,
    child: JSON.parse(row.child) as Child,
    ...(row.personal_id === null ? {} : { personalId: row.personal_id }),
    ...(row.insurance_card === null ? {} : { insuranceCard: row.insurance_card }),
  }
}

interface ErrandRow {
  attempt: number
  envelope: string
  begun_ms: number
  errand_exchange_id: string | null
}

function toErrand(found: unknown): StoredErrand | undefined {
  if (found === undefined) return undefined
  const { attempt, envelope, begun_ms: begunMs, errand_exchange_id: own } = found as ErrandRow
  return { attempt, envelope, begunMs, ...(own === null ? {} : { exchangeId: own }) }
}
