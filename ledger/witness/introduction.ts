// Introduces a ledger and a witness to each other: makes the keys that are missing and gives each the other's public one. Whoever
// runs them apart copies the two `.pub` files by hand (ledger/README.md says where).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeNoteKey, publicSuffix } from '#ledger/notes/keys.ts'
import { logOriginOf } from '#ledger/succession.ts'
import { logKeyPath, witnessKeyPath, witnessKeysDir, witnessLogsDir } from './places.ts'

export interface Introduction {
  /** Data directory of the ledger, and of the witness. */
  ledgerDir: string
  witnessDir: string
  /** NDX_LOG_ORIGIN; a successor of that log is introduced by its own name. */
  origin: string
  witnessName: string
}

/** Idempotent. Throws KeyError when a key there is another log's or witness's. */
export function introduce({ ledgerDir, witnessDir, origin, witnessName }: Introduction): void {
  makeNoteKey(logKeyPath(ledgerDir), logOriginOf({ dataDir: ledgerDir, logOrigin: origin }))
  makeNoteKey(witnessKeyPath(witnessDir), witnessName, 'witness')
  give(logKeyPath(ledgerDir), witnessLogsDir(witnessDir), 'ledger')
  give(witnessKeyPath(witnessDir), witnessKeysDir(ledgerDir), 'witness')
}

function give(keyPath: string, folder: string, name: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Not copied: a copy takes the file's mode along, which only its owner may.
  writeFileSync(join(folder, `${name}${publicSuffix}`), readFileSync(`${keyPath}${publicSuffix}`))
}
