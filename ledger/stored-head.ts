// What can be said of a ledger's file without opening it as a store: its last checkpoint, whatever the format of the rest, for a
// ledger that cannot be opened any more; and how many entries a copy has.
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** Undefined: there is no file, or it cannot be read. Throws when a ledger has it open. */
export function readStoredNote(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN IMMEDIATE; COMMIT')
    const row = database.prepare('SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1').get()
    return typeof row?.['note'] === 'string' ? row['note'] : undefined
  } catch (cause) {
    if (cause instanceof Error && /locked|busy/.test(cause.message))
      throw new Error(`${path} is in use by a ledger; stop it first`, { cause })
    return undefined
  } finally {
    database.close()
  }
}

/** Entries in it. Throws what SQLite throws. */
export function readStoredSize(path: string): number {
  const database = new DatabaseSync(path)
  try {
    const row = database.prepare('SELECT first + count AS size FROM entry ORDER BY first DESC LIMIT 1').get()
    return Number(row?.['size'] ?? 0)
  } finally {
    database.close()
  }
}
