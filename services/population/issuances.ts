// The register's store of issued numbers and of the work it has taken on (SQLite; what is said to be stored is on the disk).
// One birth registration has one number, whoever asks and however often; one exchange is one piece of work. Several adapters may
// share the file: work is claimed for some seconds, so that it is done once, and again when who claimed it died.
import { DatabaseSync } from 'node:sqlite'
import { isSameName } from '#contracts/person-name.ts'
import { type Sex } from '#contracts/personal-id.ts'
import { type Settlement, type Ticket } from '../adapter.ts'

/** The request of the contract. */
export interface BirthRegistration {
  birthRegistration: string
  fullName: string
  /** `yyyy-mm-dd` */
  dateOfBirth: string
  sex: Sex
  provinceCode: string
}

export interface Work {
  exchangeId: string
  registration: BirthRegistration
  ticket: Ticket
}

export interface Issuances {
  /** Stores a piece of work; one that is there already stays as it is. */
  accept(work: Work, dueMs: number): void
  /** What an exchange came to, once it is settled; `open` while it is worked on. */
  find(exchangeId: string): Settlement | 'open' | undefined
  /** What a registration that has its number, or differs from one that has, comes to. */
  recall(registration: BirthRegistration): Settlement | undefined
  /** Work that is due, claimed until then. */
  claim(nowMs: number, untilMs: number, max: number): Work[]
  /** Issues the number, if none was issued. `choose` gets a test for numbers that are taken. */
  decide(work: Work, issuedOn: string, choose: (isTaken: (personalId: string) => boolean) => string): Settlement
  /** Its reply was published. */
  finish(exchangeId: string, settlement: Settlement, nowMs: number): void
  /** To be tried again from then on. */
  putBack(exchangeId: string, dueMs: number): void
  /** When the next piece of work is due. */
  nextDueMs(): number | undefined
  close(): void
}

const schema = `
CREATE TABLE IF NOT EXISTS number (
  birth_registration TEXT PRIMARY KEY,
  personal_id TEXT NOT NULL UNIQUE,
  full_name TEXT NOT NULL,
  date_of_birth TEXT NOT NULL,
  sex TEXT NOT NULL,
  province_code TEXT NOT NULL,
  issued_on TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS work (
  exchange_id TEXT PRIMARY KEY,
  registration TEXT NOT NULL,
  ticket TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  settled_ms INTEGER,
  settlement TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS work_open ON work (due_ms) WHERE settled_ms IS NULL;
`

/** Another process with the same file writes for milliseconds. */
const busyTimeoutMs = 2000
const localOffsetMs = 7 * 3_600_000

export function openIssuances(file: string): Issuances {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs })
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  db.exec(schema)
  const statements = prepare(db)

  function recall(registration: BirthRegistration): Settlement | undefined {
    const issued = statements.number.get(registration.birthRegistration) as Issued | undefined
    if (issued === undefined) return undefined
    return isOfSamePerson(issued, registration)
      ? { reply: { personalId: issued.personal_id, issuedOn: issued.issued_on } }
      : { failure: 'already-registered-differently' }
  }

  return {
    accept: ({ exchangeId, registration, ticket }, dueMs) =>
      void statements.accept.run(exchangeId, JSON.stringify(registration), JSON.stringify(ticket), Math.ceil(dueMs)),
    find: exchangeId => {
      const found = statements.work.get(exchangeId) as { settlement: string | null } | undefined
      if (found === undefined) return undefined
      return found.settlement === null ? 'open' : (JSON.parse(found.settlement) as Settlement)
    },
    recall,
    claim: (nowMs, untilMs, max) =>
      (statements.claim.all(Math.ceil(untilMs), Math.floor(nowMs), max) as unknown as WorkRow[]).map(toWork),
    decide: ({ registration }, issuedOn, choose) =>
      inTransaction(db, () => {
        const known = recall(registration)
        if (known !== undefined) return known
        const personalId = choose(candidate => statements.isTaken.get(candidate) !== undefined)
        const { birthRegistration, fullName, dateOfBirth, sex, provinceCode } = registration
        statements.issue.run(birthRegistration, personalId, fullName, dateOfBirth, sex, provinceCode, issuedOn)
        return { reply: { personalId, issuedOn } }
      }),
    finish: (exchangeId, settlement, nowMs) =>
      void statements.finish.run(Math.floor(nowMs), JSON.stringify(settlement), exchangeId),
    putBack: (exchangeId, dueMs) => void statements.putBack.run(Math.ceil(dueMs), exchangeId),
    nextDueMs: () => (statements.next.get() as { due: number | null }).due ?? undefined,
    close: () => db.close(),
  }
}

/** The date in Vietnam, `yyyy-mm-dd`. */
export const localDateOf = (ms: number): string => new Date(ms + localOffsetMs).toISOString().slice(0, 10)

interface Issued {
  personal_id: string
  full_name: string
  date_of_birth: string
  sex: string
  province_code: string
  issued_on: string
}

interface WorkRow {
  exchange_id: string
  registration: string
  ticket: string
}

const prepare = (db: DatabaseSync) => ({
  number: db.prepare('SELECT * FROM number WHERE birth_registration = ?'),
  isTaken: db.prepare('SELECT 1 FROM number WHERE personal_id = ?'),
  issue: db.prepare('INSERT INTO number VALUES (?, ?, ?, ?, ?, ?, ?)'),
  accept: db.prepare(
    'INSERT INTO work (exchange_id, registration, ticket, due_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  ),
  work: db.prepare('SELECT settlement FROM work WHERE exchange_id = ?'),
  claim: db.prepare(
    `UPDATE work SET due_ms = ? WHERE exchange_id IN (SELECT exchange_id FROM work
     WHERE settled_ms IS NULL AND due_ms <= ? ORDER BY due_ms LIMIT ?) RETURNING exchange_id, registration, ticket`,
  ),
  finish: db.prepare('UPDATE work SET settled_ms = ?, settlement = ? WHERE exchange_id = ? AND settled_ms IS NULL'),
  putBack: db.prepare('UPDATE work SET due_ms = ? WHERE exchange_id = ? AND settled_ms IS NULL'),
  next: db.prepare('SELECT min(due_ms) AS due FROM work WHERE settled_ms IS NULL'),
})

const toWork = ({ exchange_id, registration, ticket }: WorkRow): Work => ({
  exchangeId: exchange_id,
  registration: JSON.parse(registration) as BirthRegistration,
  ticket: JSON.parse(ticket) as Ticket,
})

const isOfSamePerson = (issued: Issued, asked: BirthRegistration): boolean =>
  isSameName(issued.full_name, asked.fullName, { diacritics: 'keep' }) &&
  issued.date_of_birth === asked.dateOfBirth &&
  issued.sex === asked.sex &&
  issued.province_code === asked.provinceCode

/** Takes the lock at its beginning, so that two processes cannot both find that there is no number yet. */
function inTransaction<T>(db: DatabaseSync, act: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = act()
    db.exec('COMMIT')
    return result
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}
