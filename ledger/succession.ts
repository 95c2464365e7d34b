// The name of the log that a ledger keeps.
import { existsSync } from 'node:fs'
import { logKeyPath, readNoteKey } from './notes/keys.ts'

/** NDX_LOG_ORIGIN names the first log; the key that is there may be of one of its successors, `<origin>/2` and so on. */
export function logOriginOf({ dataDir, logOrigin }: { dataDir: string; logOrigin: string }): string {
  const path = logKeyPath(dataDir)
  const name = existsSync(path) ? readNoteKey(path).verifier.name : logOrigin
  return isSuccessorOf(name, logOrigin) ? name : logOrigin
}

const isSuccessorOf = (name: string, origin: string): boolean =>
  name.startsWith(`${origin}/`) && /^([2-9]|[1-9]\d{1,3})$/.test(name.slice(origin.length + 1))
