// The tables of the ledger's store on SQLite, and how its file is opened: write-ahead log, synchronous=FULL, and exclusively, since two
// ledgers on one log would fork it.
import { DatabaseSync } from 'node:sqlite'
import { givenUpMs } from './store.ts'

/** SQLite's own format number. 1 and 2 kept three entries and a document of each exchange. */
const formatVersion = 3

/**
 * What is kept of an exchange is where its entries are: all else is in them. `due` only while it is open, `since` only when it
 * contradicts itself (`gap`).
 */
const tables = `
  CREATE TABLE position (road TEXT, topic TEXT, partition INTEGER, next INTEGER NOT NULL, topic_id TEXT, leader_epoch INTEGER, PRIMARY KEY (road, topic, partition)) WITHOUT ROWID;
  CREATE TABLE source (source TEXT PRIMARY KEY, next INTEGER NOT NULL, ended INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE entry (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, lines BLOB NOT NULL);
  CREATE TABLE tile (level INTEGER, number INTEGER, hashes BLOB NOT NULL, PRIMARY KEY (level, number)) WITHOUT ROWID;
  CREATE TABLE exchange (id BLOB PRIMARY KEY, due INTEGER, gap TEXT, since INTEGER, leaves BLOB NOT NULL) WITHOUT ROWID;
  CREATE INDEX exchange_open ON exchange (due, id) WHERE due IS NOT NULL;
  CREATE INDEX exchange_gap ON exchange (since) WHERE gap IS NOT NULL;
  CREATE TABLE further_leaf (id BLOB, leaf INTEGER, PRIMARY KEY (id, leaf)) WITHOUT ROWID;
  CREATE TABLE key (key TEXT, accepted INTEGER, id BLOB, body TEXT NOT NULL, PRIMARY KEY (key, accepted, id)) WITHOUT ROWID;
  CREATE INDEX key_accepted ON key (accepted);
  CREATE TABLE child (parent BLOB, id BLOB, PRIMARY KEY (parent, id)) WITHOUT ROWID;
  CREATE TABLE gap (entry INTEGER PRIMARY KEY);
  CREATE TABLE tally (provider TEXT, client TEXT, service TEXT, state TEXT, count INTEGER NOT NULL, PRIMARY KEY (provider, client, service, state)) WITHOUT ROWID;
  CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL);
  CREATE TABLE callback (exchange TEXT PRIMARY KEY, client TEXT NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX callback_client ON callback (client, due);
  CREATE INDEX callback_given_up ON callback (exchange) WHERE due = ${givenUpMs};
  PRAGMA user_version = ${formatVersion};
`

/** Throws when another process has it, or it is of another format. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec(
      'PRAGMA page_size = 8192; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;',
    )
    database.exec('BEGIN IMMEDIATE; COMMIT;')
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
    if (version === 0) database.exec(`BEGIN; ${tables} COMMIT;`)
    else if (version !== formatVersion)
      throw new Error(
        `${path} has format ${version}; this NDX reads ${formatVersion}. Its log stays as it is, and can be verified; ` +
          'export it with the NDX that wrote it, then `npx ndx ledger succeed` begins its successor',
      )
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof Error && /locked/.test(cause.message))
      throw new Error(`${path} is in use by another ledger; only one may write a log`, { cause })
    throw cause
  }
}
