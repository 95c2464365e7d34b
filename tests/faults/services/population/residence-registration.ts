// An effect, as an agency should write one: idempotent by exchange id, through a store that all adapters of the register share.
// Every effect gives another receipt, so an effect that happened twice shows in the answers too. Answering takes up to 20 ms,
// so that a killed adapter often leaves an effect behind that nobody was told of.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pass } from 'node:timers/promises'
import { type CreateHandler } from '#services/adapter.ts'
import { noteExecution } from '../executions.ts'

export const effectsFile = 'effects.sqlite'

/** One row an effect. */
export interface Effect {
  exchangeId: string
  registration: string
  receipt: string
}

const schema = 'CREATE TABLE IF NOT EXISTS effect (exchangeId TEXT PRIMARY KEY, registration TEXT, receipt TEXT) STRICT'
const busyTimeoutMs = 2_000
const answerMaxMs = 20

export const createHandler: CreateHandler = tools => {
  const db = new DatabaseSync(join(tools.dataDir, effectsFile), { timeout: busyTimeoutMs })
  // Processes are killed here, not machines: what SQLite handed to the system stays.
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ${schema};`)
  const write = db.prepare('INSERT INTO effect VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const read = db.prepare('SELECT registration, receipt FROM effect WHERE exchangeId = ?')
  tools.onStop(() => db.close())
  return async (request, question) => {
    noteExecution(tools, 'population/residence-registration', question)
    write.run(question.exchangeId, String(request['registration']), randomUUID())
    const { registration, receipt } = read.get(question.exchangeId) as unknown as Effect
    await pass(Math.random() * answerMaxMs)
    return { registration, receipt }
  }
}

/** Effects from this row on, and the row to read from next time. */
export function readEffects(dataDir: string, fromRow: number): { effects: Effect[]; nextRow: number } {
  const db = new DatabaseSync(join(dataDir, effectsFile), { timeout: busyTimeoutMs })
  try {
    db.exec(schema)
    const rows = db.prepare('SELECT rowid AS row, * FROM effect WHERE rowid >= ? ORDER BY rowid').all(fromRow)
    const effects = rows as unknown as (Effect & { row: number })[]
    return { effects, nextRow: (effects.at(-1)?.row ?? fromRow - 1) + 1 }
  } finally {
    db.close()
  }
}
