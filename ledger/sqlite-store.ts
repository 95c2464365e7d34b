// The ledger's store on SQLite (node:sqlite), the only file that speaks SQL here. Write-ahead log, synchronous=FULL: what a
// transaction wrote is on disk when append() returns. Entries are kept a batch in a row, views as JSON beside the few columns
// that are asked for. A second process on the same file is refused (fencing by an exclusive lock on a file beside it).
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type ExchangeId } from '#bus/message.ts'
import { type ExchangeView, gapOf, parentOf, stateOf } from './exchange-view.ts'
import {
  type Batch,
  type Callback,
  givenUpMs,
  type LedgerStore,
  type OverduePlace,
  type Position,
  type StoredCheckpoint,
  type Tally,
} from './store.ts'

/** Rows are small on purpose: a proof reads one. */
const entriesPerRowMax = 256
/** SQLite's own format number; the one before is brought up to it, a database of another is refused. */
const formatVersion = 2

const tallyTable = `
  CREATE TABLE tally (provider TEXT, client TEXT, service TEXT, state TEXT, count INTEGER NOT NULL, PRIMARY KEY (provider, client, service, state)) WITHOUT ROWID;`

/** Format 1 had no service in its tallies: they are counted anew. */
const fromFormat1 = `
  DROP TABLE tally;
  ${tallyTable}
  INSERT INTO tally
    SELECT coalesce(view->>'$.request.provider', view->>'$.refused.provider', '') AS provider,
      coalesce(view->>'$.request.client', view->>'$.refused.client', '') AS client,
      coalesce(view->>'$.request.service', view->>'$.refused.service', '') AS service, state, count(*)
    FROM exchange GROUP BY 1, 2, 3, 4;
  PRAGMA user_version = ${formatVersion};
`

const tables = `
  CREATE TABLE position (road TEXT, topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (road, topic, partition)) WITHOUT ROWID;
  CREATE TABLE entry (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, lines TEXT NOT NULL);
  CREATE TABLE tile (level INTEGER, number INTEGER, hashes BLOB NOT NULL, PRIMARY KEY (level, number)) WITHOUT ROWID;
  CREATE TABLE exchange (id TEXT PRIMARY KEY, state TEXT NOT NULL, due INTEGER NOT NULL, key TEXT, gap TEXT, view TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX exchange_open ON exchange (due) WHERE state = 'accepted';
  CREATE INDEX exchange_gap ON exchange (due) WHERE gap IS NOT NULL;
  CREATE INDEX exchange_key ON exchange (key, due) WHERE key IS NOT NULL;
  ${tallyTable}
  CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL);
  CREATE TABLE callback (exchange TEXT PRIMARY KEY, client TEXT NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${formatVersion};
`
/**
 * Came later than the others, so that they may be missing. A child costs only exchanges that have a parent; callbacks are found by
 * client, however many one client has.
 */
const laterTables = `
  CREATE TABLE IF NOT EXISTS child (parent TEXT, exchange TEXT, PRIMARY KEY (parent, exchange)) WITHOUT ROWID;
  DROP INDEX IF EXISTS callback_due;
  CREATE INDEX IF NOT EXISTS callback_client ON callback (client, due);
  CREATE INDEX IF NOT EXISTS callback_given_up ON callback (exchange) WHERE due = ${givenUpMs};
`

/** @param path of the database file, made when missing, or `:memory:`. Throws when another process has it. */
export function openSqliteStore(path: string): LedgerStore {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return new SqliteStore(path)
}

class SqliteStore implements LedgerStore {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #statements: ReturnType<typeof prepareAll>
  #size: number

  constructor(path: string) {
    this.#path = path
    this.#database = openDatabase(path)
    this.#statements = prepareAll(this.#database)
    this.#size = this.#readSize()
  }

  get size(): number {
    return this.#size
  }

  append(batch: Batch): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      this.#write(batch)
      this.#database.exec('COMMIT')
      this.#size = batch.first + batch.entries.length
    } catch (error) {
      // A failed COMMIT (a full disk) may have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #write({ first, entries, tiles, views, tallies, positions, callbacks }: Batch): void {
    if (first !== this.#size) throw new Error(`the log has ${this.#size} entries, the batch begins at ${first}`)
    const { addEntries, putTile, putView, putChild, addTally, putPosition, putCallback } = this.#statements
    for (let i = 0; i < entries.length; i += entriesPerRowMax) {
      const row = entries.slice(i, i + entriesPerRowMax)
      addEntries.run(first + i, row.length, row.join('\n'))
    }
    for (const { level, index, bytes } of tiles) putTile.run(level, index, bytes)
    for (const view of views) {
      putView.run(
        view.exchange,
        stateOf(view),
        Math.round(dueOf(view)),
        keyOf(view),
        gapOf(view) ?? null,
        JSON.stringify(view),
      )
      const parent = parentOf(view)
      if (parent !== undefined) putChild.run(parent, view.exchange)
    }
    for (const { provider, client, service, state, count } of tallies)
      addTally.run(provider, client, service, state, count)
    for (const { road, topic, partition, next } of positions) putPosition.run(road, topic, partition, next)
    for (const { exchange, client, dueMs, tries } of callbacks) putCallback.run(exchange, client, dueMs, tries)
  }

  positions(road: string): Position[] {
    return this.#statements.positions.all(road) as unknown as Position[]
  }

  view(exchange: string): ExchangeView | undefined {
    return parseView(this.#statements.view.get(exchange))
  }

  newestExchange(): string | undefined {
    return (this.#statements.newestExchange.get() as { id: string } | undefined)?.id
  }

  viewByKey(key: string): ExchangeView | undefined {
    return parseView(this.#statements.viewByKey.get(key))
  }

  children(exchange: string, max: number): ExchangeView[] {
    return this.#statements.children.all(exchange, max).flatMap(row => parseView(row) ?? [])
  }

  entries(from: number, max: number): string[] {
    const found: string[] = []
    for (const row of this.#statements.entries.iterate(from - entriesPerRowMax, from + max) as Iterable<{
      first: number
      lines: string
    }>) {
      const lines = row.lines.split('\n')
      found.push(...lines.slice(Math.max(0, from - row.first)))
      if (found.length >= max) break
    }
    return found.slice(0, max)
  }

  tile(level: number, index: number): Buffer | undefined {
    const row = this.#statements.tile.get(level, index) as { hashes: Uint8Array } | undefined
    return row === undefined ? undefined : Buffer.from(row.hashes)
  }

  overdue(beforeMs: number, max: number, after?: OverduePlace): ExchangeView[] {
    const { dueMs, exchange } = after ?? { dueMs: Number.MIN_SAFE_INTEGER, exchange: '' }
    return this.#statements.overdue.all(beforeMs, Math.round(dueMs), exchange, max).flatMap(row => parseView(row) ?? [])
  }

  gaps(beforeMs: number, max: number): ExchangeView[] {
    return this.#statements.gaps.all(beforeMs, max).flatMap(row => parseView(row) ?? [])
  }

  tallies(): Tally[] {
    return this.#statements.tallies.all() as unknown as Tally[]
  }

  forgetKeys(beforeMs: number): void {
    this.#statements.forgetKeys.run(beforeMs)
  }

  addCheckpoint({ size, atMs, note }: StoredCheckpoint): void {
    this.#statements.addCheckpoint.run(size, atMs, note)
  }

  lastCheckpoint(): StoredCheckpoint | undefined {
    return this.#statements.lastCheckpoint.get() as unknown as StoredCheckpoint | undefined
  }

  checkpoints(size: number, max: number): StoredCheckpoint[] {
    return this.#statements.checkpoints.all(size, max) as unknown as StoredCheckpoint[]
  }

  callbackClients(beforeMs: number): string[] {
    return this.#statements.callbackClients.all(beforeMs).map(row => (row as { client: string }).client)
  }

  dueCallbacks(client: string, beforeMs: number, max: number): Callback[] {
    return this.#statements.dueCallbacks.all(client, beforeMs, max) as unknown as Callback[]
  }

  givenUpCallbacks(max: number): Callback[] {
    return this.#statements.givenUpCallbacks.all(max) as unknown as Callback[]
  }

  callback(exchange: ExchangeId): Callback | undefined {
    return this.#statements.callback.get(exchange) as unknown as Callback | undefined
  }

  putCallback(exchange: ExchangeId, callback: Callback | undefined): void {
    if (callback === undefined) this.#statements.dropCallback.run(exchange)
    else this.#statements.putCallback.run(exchange, callback.client, callback.dueMs, callback.tries)
  }

  bytes(): number {
    if (this.#path === ':memory:') return 0
    const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
    return sizeOf(this.#path) + sizeOf(`${this.#path}-wal`)
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #readSize(): number {
    const row = this.#statements.lastEntries.get() as { first: number; count: number } | undefined
    return row === undefined ? 0 : row.first + row.count
  }
}

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // Exclusive for as long as it is open: two ledgers on one log would fork it.
    database.exec(
      'PRAGMA page_size = 8192; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;',
    )
    database.exec('BEGIN IMMEDIATE; COMMIT;')
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
    if (version === 0) database.exec(`BEGIN; ${tables} COMMIT;`)
    else if (version === 1) database.exec(`BEGIN IMMEDIATE; ${fromFormat1} COMMIT;`)
    else if (version !== formatVersion)
      throw new Error(`${path} has format ${version}; this NDX reads ${formatVersion}`)
    database.exec(laterTables)
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof Error && /locked/.test(cause.message))
      throw new Error(`${path} is in use by another ledger; only one may write a log`, { cause })
    throw cause
  }
}

function prepareAll(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql)
  return {
    addEntries: prepare('INSERT INTO entry VALUES (?, ?, ?)'),
    lastEntries: prepare('SELECT first, count FROM entry ORDER BY first DESC LIMIT 1'),
    entries: prepare('SELECT first, lines FROM entry WHERE first > ? AND first < ? ORDER BY first'),
    putTile: prepare('INSERT OR REPLACE INTO tile VALUES (?, ?, ?)'),
    tile: prepare('SELECT hashes FROM tile WHERE level = ? AND number = ?'),
    putPosition: prepare('INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)'),
    positions: prepare('SELECT road, topic, partition, next FROM position WHERE road = ?'),
    putView: prepare('INSERT OR REPLACE INTO exchange VALUES (?, ?, ?, ?, ?, ?)'),
    view: prepare('SELECT view FROM exchange WHERE id = ?'),
    newestExchange: prepare('SELECT id FROM exchange ORDER BY id DESC LIMIT 1'),
    viewByKey: prepare('SELECT view FROM exchange WHERE key = ? ORDER BY due LIMIT 1'),
    putChild: prepare('INSERT OR IGNORE INTO child VALUES (?, ?)'),
    children: prepare(
      'SELECT view FROM child JOIN exchange ON id = exchange WHERE parent = ? ORDER BY exchange LIMIT ?',
    ),
    overdue: prepare(
      "SELECT view FROM exchange WHERE state = 'accepted' AND due < ? AND (due, id) > (?, ?) ORDER BY due, id LIMIT ?",
    ),
    gaps: prepare('SELECT view FROM exchange WHERE gap IS NOT NULL AND due < ? ORDER BY due LIMIT ?'),
    forgetKeys: prepare(
      "UPDATE exchange SET key = NULL, view = json_remove(view, '$.request.idempotency') WHERE key IS NOT NULL AND due < ?",
    ),
    addTally: prepare(
      'INSERT INTO tally VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
    ),
    tallies: prepare(
      'SELECT provider, client, service, state, count FROM tally WHERE count <> 0 ORDER BY provider, client, service, state',
    ),
    addCheckpoint: prepare('INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)'),
    lastCheckpoint: prepare('SELECT size, at AS atMs, note FROM checkpoint ORDER BY size DESC LIMIT 1'),
    checkpoints: prepare('SELECT size, at AS atMs, note FROM checkpoint WHERE size > ? ORDER BY size LIMIT ?'),
    putCallback: prepare('INSERT OR REPLACE INTO callback VALUES (?, ?, ?, ?)'),
    callback: prepare('SELECT exchange, client, due AS dueMs, tries FROM callback WHERE exchange = ?'),
    dropCallback: prepare('DELETE FROM callback WHERE exchange = ?'),
    // One look into the index a client, not one a callback.
    callbackClients: prepare(
      `WITH RECURSIVE one (client) AS (
        SELECT min(client) FROM callback
        UNION ALL SELECT (SELECT min(client) FROM callback WHERE client > one.client) FROM one WHERE one.client IS NOT NULL
      ) SELECT client FROM one WHERE client IS NOT NULL
        AND EXISTS (SELECT 1 FROM callback WHERE callback.client = one.client AND due < ?) ORDER BY client`,
    ),
    dueCallbacks: prepare(
      'SELECT exchange, client, due AS dueMs, tries FROM callback WHERE client = ? AND due < ? ORDER BY due LIMIT ?',
    ),
    givenUpCallbacks: prepare(
      `SELECT exchange, client, due AS dueMs, tries FROM callback WHERE due = ${givenUpMs} ORDER BY exchange LIMIT ?`,
    ),
  }
}

function parseView(row: unknown): ExchangeView | undefined {
  return row === undefined ? undefined : (JSON.parse((row as { view: string }).view) as ExchangeView)
}

/** Of one accepted: its deadline; of others: when it was first seen. */
const dueOf = ({ request, firstMs }: ExchangeView): number => request?.deadlineMs ?? firstMs

/** `<client>/<service>/<digest>` */
const keyOf = ({ request }: ExchangeView): string | null =>
  request?.idempotency === undefined ? null : `${request.client}/${request.service}/${request.idempotency.key}`
