// Deferred questions as a register keeps them, beside its own data in one SQLite file; what is said to be stored is on the disk.
// One exchange is one piece of work. Several adapters may share the file: work is claimed for some seconds, so that it is done
// once, and again when who claimed it died. What it came to is kept for as long as its record can be delivered again.
import { DatabaseSync } from 'node:sqlite'
import { type JsonObject } from '#contracts/json.ts'
import { type Settlement, type Ticket } from './adapter.ts'

export interface Work {
  exchangeId: string
  request: JsonObject
  ticket: Ticket
  /** Of the reply, that the asker was granted; undefined: every reply has them all. */
  fields?: readonly string[]
}

export interface WorkStore {
  /** Stores a piece of work; one that is there already stays as it is. */
  accept(work: Work, dueMs: number): void
  /** What an exchange came to, once it is settled; `open` while it is worked on. */
  find(exchangeId: string): Settlement | 'open' | undefined
  /** Work that is due, claimed until then. */
  claim(nowMs: number, untilMs: number, max: number): Work[]
  /** Its reply was published. */
  finish(exchangeId: string, settlement: Settlement, nowMs: number): void
  /** Drops what was settled before. */
  forget(beforeMs: number): void
  /** To be looked at again from then on. */
  putBack(exchangeId: string, dueMs: number): void
  /** When the next piece of work is due. */
  nextDueMs(): number | undefined
}

const tables = `
CREATE TABLE IF NOT EXISTS work (
  exchange_id TEXT PRIMARY KEY,
  request TEXT NOT NULL,
  ticket TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  settled_ms INTEGER,
  settlement TEXT,
  fields TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS work_open ON work (due_ms) WHERE settled_ms IS NULL;
CREATE INDEX IF NOT EXISTS work_settled ON work (settled_ms) WHERE settled_ms IS NOT NULL;
`

/** Another process with the same file writes for milliseconds. */
const busyTimeoutMs = 2000

/** A register's file. @param ownTables of the register, each `IF NOT EXISTS` */
export function openRegister(file: string, ownTables: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs })
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  db.exec(ownTables)
  return db
}

export function createWorkStore(db: DatabaseSync): WorkStore {
  updateColumns(db)
  db.exec(tables)
  const statements = prepare(db)
  return {
    accept: ({ exchangeId, request, ticket, fields }, dueMs) =>
      void statements.accept.run(
        exchangeId,
        JSON.stringify(request),
        JSON.stringify(ticket),
        Math.ceil(dueMs),
        fields === undefined ? null : JSON.stringify(fields),
      ),
    find: exchangeId => {
      const found = statements.work.get(exchangeId) as { settlement: string | null } | undefined
      if (found === undefined) return undefined
      return found.settlement === null ? 'open' : (JSON.parse(found.settlement) as Settlement)
    },
    claim: (nowMs, untilMs, max) =>
      (statements.claim.all(Math.ceil(untilMs), Math.floor(nowMs), max) as unknown as WorkRow[]).map(toWork),
    finish: (exchangeId, settlement, nowMs) =>
      void statements.finish.run(Math.floor(nowMs), JSON.stringify(settlement), exchangeId),
    forget: beforeMs => void statements.forget.run(Math.floor(beforeMs)),
    putBack: (exchangeId, dueMs) => void statements.putBack.run(Math.ceil(dueMs), exchangeId),
    nextDueMs: () => (statements.next.get() as { due: number | null }).due ?? undefined,
  }
}

/** Takes the lock at its beginning, so that two processes cannot both find that there is nothing yet. */
export function inTransaction<T>(db: DatabaseSync, act: () => T): T {
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

/** Of a store from before: `request` was called `registration` while one register alone deferred, and all fields were granted. */
function updateColumns(db: DatabaseSync): void {
  inTransaction(db, () => {
    const columns = db.prepare("SELECT name FROM pragma_table_info('work')").all() as { name: string }[]
    const has = (column: string): boolean => columns.some(({ name }) => name === column)
    if (has('registration')) db.exec('ALTER TABLE work RENAME COLUMN registration TO request')
    if (columns.length > 0 && !has('fields')) db.exec('ALTER TABLE work ADD COLUMN fields TEXT')
  })
}

interface WorkRow {
  exchange_id: string
  request: string
  ticket: string
  fields: string | null
}

const prepare = (db: DatabaseSync) => ({
  accept: db.prepare(
    'INSERT INTO work (exchange_id, request, ticket, due_ms, fields) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  ),
  work: db.prepare('SELECT settlement FROM work WHERE exchange_id = ?'),
  claim: db.prepare(
    `UPDATE work SET due_ms = ? WHERE exchange_id IN (SELECT exchange_id FROM work
     WHERE settled_ms IS NULL AND due_ms <= ? ORDER BY due_ms LIMIT ?) RETURNING exchange_id, request, ticket, fields`,
  ),
  finish: db.prepare('UPDATE work SET settled_ms = ?, settlement = ? WHERE exchange_id = ? AND settled_ms IS NULL'),
  forget: db.prepare('DELETE FROM work WHERE settled_ms IS NOT NULL AND settled_ms < ?'),
  putBack: db.prepare('UPDATE work SET due_ms = ? WHERE exchange_id = ? AND settled_ms IS NULL'),
  next: db.prepare('SELECT min(due_ms) AS due FROM work WHERE settled_ms IS NULL'),
})

const toWork = ({ exchange_id, request, ticket, fields }: WorkRow): Work => ({
  exchangeId: exchange_id,
  request: JSON.parse(request) as JsonObject,
  ticket: JSON.parse(ticket) as Ticket,
  ...(fields === null ? {} : { fields: JSON.parse(fields) as string[] }),
})
