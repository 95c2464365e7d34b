// A desk's store (SQLite; what is said to be stored is on the disk): questions it has taken on, and what it has issued. Several
// adapters may share the file: a question is claimed for some seconds, so that it is worked on once, and again when who claimed
// it died. What a question came to is kept for as long as its record can be delivered again; what was issued, for ever.
import { DatabaseSync } from 'node:sqlite'
import { type JsonObject } from '#contracts/json.ts'
import { type Settlement, type Ticket } from './adapter.ts'

/** A question that was deferred. */
export interface Taken {
  exchangeId: string
  request: JsonObject
  /** Of the reply, that the asker was granted. */
  fields: readonly string[]
  ticket: Ticket
}

/** What a key was given: one number, that nobody else has. */
export interface Issued {
  number: string
  request: JsonObject
  reply: JsonObject
}

export interface DeskStore {
  /** Stores a question; one that is there already stays as it is. */
  accept(question: Taken, dueMs: number): void
  /** What an exchange came to, once it is settled; `open` while it is worked on. */
  find(exchangeId: string): Settlement | 'open' | undefined
  /** Questions that are due, claimed until then. */
  claim(nowMs: number, untilMs: number, max: number): Taken[]
  /** To be tried again from then on. */
  putBack(exchangeId: string, dueMs: number): void
  /** Its reply was published. */
  finish(exchangeId: string, settlement: Settlement, nowMs: number): void
  /** Drops what was settled before. */
  forget(beforeMs: number): void
  /** When the next question is due. */
  nextDueMs(): number | undefined
  issued(key: string): Issued | undefined
  isTaken(number: string): boolean
  /** Throws when the key has something, or the number is somebody's. */
  issue(key: string, issued: Issued): void
  /** Holds the store's lock from its beginning, so that two processes cannot both find that nothing was issued yet. */
  inTransaction<T>(act: () => T): T
  close(): void
}

const schema = `
CREATE TABLE IF NOT EXISTS question (
  exchange_id TEXT PRIMARY KEY,
  request TEXT NOT NULL,
  fields TEXT NOT NULL,
  ticket TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  settled_ms INTEGER,
  settlement TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS question_open ON question (due_ms) WHERE settled_ms IS NULL;
CREATE INDEX IF NOT EXISTS question_settled ON question (settled_ms) WHERE settled_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS issued (
  key TEXT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  request TEXT NOT NULL,
  reply TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`

/** Another process with the same file writes for milliseconds. */
const busyTimeoutMs = 2000

export function openDeskStore(file: string): DeskStore {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs })
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
  db.exec(schema)
  const statements = prepare(db)
  return {
    accept: ({ exchangeId, request, fields, ticket }, dueMs) =>
      void statements.accept.run(exchangeId, asText(request), asText(fields), asText(ticket), Math.ceil(dueMs)),
    find: exchangeId => {
      const found = statements.find.get(exchangeId) as { settlement: string | null } | undefined
      if (found === undefined) return undefined
      return found.settlement === null ? 'open' : (JSON.parse(found.settlement) as Settlement)
    },
    claim: (nowMs, untilMs, max) =>
      (statements.claim.all(Math.ceil(untilMs), Math.floor(nowMs), max) as Row[]).map(
        ({ exchange_id, ...others }) => ({ exchangeId: exchange_id, ...parseAll(others) }) as unknown as Taken,
      ),
    putBack: (exchangeId, dueMs) => void statements.putBack.run(Math.ceil(dueMs), exchangeId),
    finish: (exchangeId, settlement, nowMs) =>
      void statements.finish.run(Math.floor(nowMs), asText(settlement), exchangeId),
    forget: beforeMs => void statements.forget.run(Math.floor(beforeMs)),
    nextDueMs: () => (statements.next.get() as { due: number | null }).due ?? undefined,
    issued: key => {
      const { number, ...others } = (statements.issued.get(key) ?? {}) as Row
      return number === undefined ? undefined : ({ number, ...parseAll(others) } as unknown as Issued)
    },
    isTaken: number => statements.isTaken.get(number) !== undefined,
    issue: (key, { number, request, reply }) => void statements.issue.run(key, number, asText(request), asText(reply)),
    inTransaction: act => inTransaction(db, act),
    close: () => db.close(),
  }
}

/** Columns by name. All but numbers and ids are JSON. */
type Row = Record<string, string>

const asText = (value: unknown): string => JSON.stringify(value)

const parseAll = (row: Row): JsonObject =>
  Object.fromEntries(Object.entries(row).map(([name, text]) => [name, JSON.parse(text)]))

const prepare = (db: DatabaseSync) => ({
  accept: db.prepare(
    'INSERT INTO question (exchange_id, request, fields, ticket, due_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  ),
  find: db.prepare('SELECT settlement FROM question WHERE exchange_id = ?'),
  claim: db.prepare(
    `UPDATE question SET due_ms = ? WHERE exchange_id IN (SELECT exchange_id FROM question
     WHERE settled_ms IS NULL AND due_ms <= ? ORDER BY due_ms LIMIT ?) RETURNING exchange_id, request, fields, ticket`,
  ),
  putBack: db.prepare('UPDATE question SET due_ms = ? WHERE exchange_id = ? AND settled_ms IS NULL'),
  finish: db.prepare('UPDATE question SET settled_ms = ?, settlement = ? WHERE exchange_id = ? AND settled_ms IS NULL'),
  forget: db.prepare('DELETE FROM question WHERE settled_ms IS NOT NULL AND settled_ms < ?'),
  next: db.prepare('SELECT min(due_ms) AS due FROM question WHERE settled_ms IS NULL'),
  issued: db.prepare('SELECT number, request, reply FROM issued WHERE key = ?'),
  isTaken: db.prepare('SELECT 1 FROM issued WHERE number = ?'),
  issue: db.prepare('INSERT INTO issued (key, number, request, reply) VALUES (?, ?, ?, ?)'),
})

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
