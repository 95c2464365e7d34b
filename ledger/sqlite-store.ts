// The ledger's store on SQLite (node:sqlite), with sqlite-schema.ts the only file that speaks SQL here. What a transaction wrote is on
// disk when append() returns. Of an exchange only the places of its entries are kept, and while it is open when it is due: its
// view is made again from the entries whenever somebody asks. A second process on the same file is refused.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, type DatabaseSync, type StatementSync } from 'node:sqlite'
import { type ExchangeId } from '#bus/message.ts'
import { bundleEntries, EntryBundles, type EntryRow } from './entry-bundles.ts'
import { decodeEntry } from './event.ts'
import { type ExchangeView, gapOf, parentOf, stateOf, viewOf } from './exchange-view.ts'
import { decodeLeaves, encodeLeaves } from './leaves.ts'
import { type NoteSource } from './note-numbers.ts'
import { openDatabase } from './sqlite-schema.ts'
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
import { readStoredSize } from './stored-head.ts'

/** Places kept in an exchange's row; of one that is read again and again, further ones have a row each. */
const leavesMax = 256
/** Of a copy, between two turns of the event loop: 2 MiB. */
const pagesAtOnce = 256

/** @param path of the database file, made when missing, or `:memory:`. Throws when another process has it. */
export function openSqliteStore(path: string): LedgerStore {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  return new SqliteStore(path)
}

class SqliteStore implements LedgerStore {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #statements: ReturnType<typeof prepareAll>
  readonly #bundles: EntryBundles
  #size: number

  constructor(path: string) {
    this.#path = path
    this.#database = openDatabase(path)
    this.#statements = prepareAll(this.#database)
    this.#size = this.#readSize()
    this.#bundles = new EntryBundles(this.#size, bundle => {
      const first = bundle * bundleEntries
      return this.#statements.entries.all(first, first + bundleEntries) as unknown as EntryRow[]
    })
  }

  get size(): number {
    return this.#size
  }

  append(batch: Batch): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      this.#write(batch)
      this.#database.exec('COMMIT')
    } catch (error) {
      // A failed COMMIT (a full disk) may have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
    this.#size = batch.first + batch.entries.length
    this.#bundles.appended(batch.first, batch.entries)
  }

  #write({ first, entries, tiles, views, tallies, positions, sources, callbacks, keys, gaps }: Batch): void {
    if (first !== this.#size) throw new Error(`the log has ${this.#size} entries, the batch begins at ${first}`)
    const { addEntries, dropEntries, putTile, addTally, putPosition, putSource, putCallback, putKey, putGap } =
      this.#statements
    for (const row of this.#bundles.rows(first, entries)) {
      if (row.count === bundleEntries) dropEntries.run(row.first, row.first + bundleEntries)
      addEntries.run(row.first, row.count, row.lines)
    }
    for (const { level, index, bytes } of tiles) putTile.run(level, index, bytes)
    for (const view of views) this.#putView(view, first)
    for (const { provider, client, service, state, count } of tallies)
      addTally.run(provider, client, service, state, count)
    for (const { road, topic, partition, next, topicId, leaderEpoch } of positions)
      putPosition.run(road, topic, partition, next, topicId ?? null, leaderEpoch ?? null)
    for (const { source, next, isEnded } of sources) putSource.run(source, next, isEnded ? 1 : 0)
    for (const { exchange, client, dueMs, tries } of callbacks) putCallback.run(exchange, client, dueMs, tries)
    for (const { key, acceptedMs, exchange, body } of keys) putKey.run(key, acceptedMs, bytesOf(exchange), body)
    for (const entry of gaps) putGap.run(entry)
  }

  #putView(view: ExchangeView, first: number): void {
    const { putExchange, putFurther, putChild } = this.#statements
    const id = bytesOf(view.exchange)
    const gap = gapOf(view)
    const due = stateOf(view) === 'accepted' ? dueOf(view) : null
    const since = gap === undefined ? null : dueOf(view)
    putExchange.run(id, due, gap ?? null, since, encodeLeaves(view.leaves.slice(0, leavesMax)))
    for (const leaf of view.leaves.slice(leavesMax)) if (leaf >= first) putFurther.run(id, leaf)
    const parent = parentOf(view)
    if (parent !== undefined) putChild.run(bytesOf(parent), id)
  }

  positions(road: string): Position[] {
    return (this.#statements.positions.all(road) as unknown as PositionRow[]).map(
      ({ topic, partition, next, topicId, leaderEpoch }) => ({
        road,
        topic,
        partition,
        next,
        ...(topicId === null ? {} : { topicId }),
        ...(leaderEpoch === null ? {} : { leaderEpoch }),
      }),
    )
  }

  sources(): NoteSource[] {
    const rows = this.#statements.sources.all() as unknown as { source: string; next: number; ended: number }[]
    return rows.map(({ source, next, ended }) => ({ source, next, isEnded: ended === 1 }))
  }

  view(exchange: string): ExchangeView | undefined {
    const id = bytesOf(exchange)
    const row = this.#statements.leaves.get(id) as { leaves: Uint8Array } | undefined
    return row === undefined ? undefined : this.#viewOf({ id, ...row })
  }

  newestExchange(): string | undefined {
    const row = this.#statements.newestExchange.get() as { id: Uint8Array } | undefined
    return row && textOf(row.id)
  }

  viewByKey(key: string): { view: ExchangeView; body: string } | undefined {
    const row = this.#statements.byKey.get(key) as { id: Uint8Array; body: string } | undefined
    const view = row && this.view(textOf(row.id))
    return view && { view, body: row.body }
  }

  children(exchange: string, max: number): ExchangeView[] {
    return this.#viewsOf(this.#statements.children.all(bytesOf(exchange), max))
  }

  entries(from: number, max: number): string[] {
    const found: string[] = []
    const end = Math.min(this.#size, from + max)
    for (let at = from; at < end; at = from + found.length)
      found.push(...this.#bundles.read(at, this.#size).slice(0, end - at))
    return found
  }

  tile(level: number, index: number): Buffer | undefined {
    const row = this.#statements.tile.get(level, index) as { hashes: Uint8Array } | undefined
    return row === undefined ? undefined : Buffer.from(row.hashes)
  }

  overdue(beforeMs: number, max: number, after?: OverduePlace): ExchangeView[] {
    const { dueMs, exchange } = after ?? { dueMs: Number.MIN_SAFE_INTEGER, exchange: '' }
    return this.#viewsOf(this.#statements.overdue.all(beforeMs, Math.round(dueMs), bytesOf(exchange), max))
  }

  contradicted(beforeMs: number, max: number): ExchangeView[] {
    return this.#viewsOf(this.#statements.contradicted.all(beforeMs, max))
  }

  gaps(max: number): { index: number; entry: string }[] {
    const rows = this.#statements.gaps.all(max) as unknown as { entry: number }[]
    return rows.map(({ entry: index }) => ({ index, entry: this.entries(index, 1)[0] ?? '' }))
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

  async copyTo(path: string): Promise<number> {
    await backup(this.#database, path, { rate: pagesAtOnce })
    return readStoredSize(path)
  }

  bytes(): number {
    if (this.#path === ':memory:') return 0
    const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
    return sizeOf(this.#path) + sizeOf(`${this.#path}-wal`)
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #viewsOf(rows: readonly unknown[]): ExchangeView[] {
    return (rows as ExchangeRow[]).flatMap(row => this.#viewOf(row) ?? [])
  }

  #viewOf({ id, leaves: bytes }: ExchangeRow): ExchangeView | undefined {
    const leaves = decodeLeaves(bytes)
    if (leaves.length === leavesMax) {
      const further = this.#statements.further.all(id) as unknown as { leaf: number }[]
      leaves.push(...further.map(({ leaf }) => leaf))
    }
    const events = leaves.flatMap(leaf => decodeEntry(this.entries(leaf, 1)[0] ?? '') ?? [])
    return viewOf(events, leaves)
  }

  #readSize(): number {
    const row = this.#statements.lastEntries.get() as { first: number; count: number } | undefined
    return row === undefined ? 0 : row.first + row.count
  }
}

interface ExchangeRow {
  id: Uint8Array
  leaves: Uint8Array
}

interface PositionRow {
  topic: string
  partition: number
  next: number
  topicId: string | null
  leaderEpoch: number | null
}

function prepareAll(database: DatabaseSync) {
  const prepare = (sql: string): StatementSync => database.prepare(sql)
  return {
    addEntries: prepare('INSERT INTO entry VALUES (?, ?, ?)'),
    dropEntries: prepare('DELETE FROM entry WHERE first >= ? AND first < ?'),
    lastEntries: prepare('SELECT first, count FROM entry ORDER BY first DESC LIMIT 1'),
    entries: prepare('SELECT first, count, lines FROM entry WHERE first >= ? AND first < ? ORDER BY first'),
    putTile: prepare('INSERT OR REPLACE INTO tile VALUES (?, ?, ?)'),
    tile: prepare('SELECT hashes FROM tile WHERE level = ? AND number = ?'),
    putPosition: prepare('INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?, ?, ?)'),
    positions: prepare(
      'SELECT topic, partition, next, topic_id AS topicId, leader_epoch AS leaderEpoch FROM position WHERE road = ?',
    ),
    putSource: prepare('INSERT OR REPLACE INTO source VALUES (?, ?, ?)'),
    sources: prepare('SELECT source, next, ended FROM source'),
    putExchange: prepare('INSERT OR REPLACE INTO exchange VALUES (?, ?, ?, ?, ?)'),
    leaves: prepare('SELECT leaves FROM exchange WHERE id = ?'),
    putFurther: prepare('INSERT OR IGNORE INTO further_leaf VALUES (?, ?)'),
    further: prepare('SELECT leaf FROM further_leaf WHERE id = ? ORDER BY leaf'),
    newestExchange: prepare('SELECT id FROM exchange ORDER BY id DESC LIMIT 1'),
    putKey: prepare('INSERT OR REPLACE INTO key VALUES (?, ?, ?, ?)'),
    byKey: prepare('SELECT id, body FROM key WHERE key = ? ORDER BY accepted LIMIT 1'),
    forgetKeys: prepare('DELETE FROM key WHERE accepted < ?'),
    putChild: prepare('INSERT OR IGNORE INTO child VALUES (?, ?)'),
    children: prepare(
      'SELECT exchange.id, leaves FROM child JOIN exchange ON exchange.id = child.id WHERE parent = ? ORDER BY child.id LIMIT ?',
    ),
    overdue: prepare(
      'SELECT id, leaves FROM exchange WHERE due IS NOT NULL AND due < ? AND (due, id) > (?, ?) ORDER BY due, id LIMIT ?',
    ),
    contradicted: prepare('SELECT id, leaves FROM exchange WHERE gap IS NOT NULL AND since < ? ORDER BY since LIMIT ?'),
    putGap: prepare('INSERT INTO gap VALUES (?)'),
    gaps: prepare('SELECT entry FROM gap ORDER BY entry DESC LIMIT ?'),
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

/** Of one accepted: its deadline; of others: when it was first seen. */
const dueOf = ({ request, firstMs }: ExchangeView): number => Math.round(request?.deadlineMs ?? firstMs)

/** A UUID as its 16 bytes, which sort as its text does. */
const bytesOf = (exchange: string): Buffer => Buffer.from(exchange.replaceAll('-', ''), 'hex')

function textOf(id: Uint8Array): string {
  const hex = Buffer.from(id).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
