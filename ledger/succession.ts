// A log that cannot go on (its copy is older than what was signed, its disk is lost) gets a successor: a new log of a new name and
// key, whose first entry commits to the last signed head of the old one. The old files are set aside, not removed. What is begun and
// interrupted is finished by doing it again.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type LedgerEvent } from './event.ts'
import { type SignedCheckpoint } from './notes/checkpoint.ts'
import { writeDurably } from './notes/durable-file.ts'
import { logKeyPath, makeNoteKey, publicSuffix, readNoteKey } from './notes/keys.ts'
import { appendOwnEvents } from './own-events.ts'
import { openSqliteStore } from './sqlite-store.ts'

export interface SuccessionParts {
  /** The ledger's data directory; nobody may work on it meanwhile. */
  dataDir: string
  /** NDX_LOG_ORIGIN: of the first log. */
  logOrigin: string
  /** The largest head of the predecessor that is known, with its note. */
  head: SignedCheckpoint & { note: string }
  /** For whoever reads it in years. */
  reason: string
  /** `/ledger/<instance>` */
  source: string
  /** Epoch ms. */
  nowMs: number
}

export interface Succession {
  /** Name of the successor. */
  origin: string
  /** Where the old files are now. */
  asideDir: string
}

const keyName = 'log-key'
const storeName = 'ledger.sqlite'
export const reasonLengthMax = 500
export const storePath = (dataDir: string): string => join(dataDir, 'ledger', storeName)

/**
 * NDX_LOG_ORIGIN names the first log; the key that is there may be of one of its successors, `<origin>/2` and so on. Throws when a
 * succession was begun and not finished: then the key may be missing, and no other must be made in its place.
 */
export function logOriginOf({ dataDir, logOrigin }: { dataDir: string; logOrigin: string }): string {
  if (isSuccessionBegun(dataDir))
    throw new Error('a successor log was begun and not finished: run `npx ndx ledger succeed` again')
  const path = logKeyPath(dataDir)
  const name = existsSync(path) ? readNoteKey(path).verifier.name : logOrigin
  return numberOf(name, logOrigin) === undefined ? logOrigin : name
}

/** Throws when the old files cannot be set aside, or are there already. */
export function succeed(parts: SuccessionParts): Succession {
  const { logOrigin, head } = parts
  const number = numberOf(head.origin, logOrigin)
  if (number === undefined) throw new RangeError(`${head.origin} is neither ${logOrigin} nor a successor of it`)
  prepare(`${logOrigin}/${number + 1}`, parts)
  return finishSuccession(parts)
}

/** One was begun and not finished. */
export const isSuccessionBegun = (dataDir: string): boolean => existsSync(join(newDirOf(dataDir), keyName))

export function finishSuccession({ dataDir, logOrigin }: { dataDir: string; logOrigin: string }): Succession {
  const [ledgerDir, newDir] = [join(dataDir, 'ledger'), newDirOf(dataDir)]
  const origin = readNoteKey(join(newDir, keyName)).verifier.name
  const number = numberOf(origin, logOrigin) ?? 1
  const asideDir = asideDirOf(dataDir, number === 2 ? logOrigin : `${logOrigin}/${number - 1}`)
  // While the new store is still beside, what is in its place is the old one.
  if (existsSync(join(newDir, storeName))) moveAll(ledgerDir, asideDir)
  moveAll(newDir, ledgerDir)
  rmSync(newDir, { recursive: true })
  return { origin, asideDir }
}

const newDirOf = (dataDir: string): string => join(dataDir, 'ledger', 'successor')
const asideDirOf = (dataDir: string, origin: string): string =>
  join(dataDir, 'ledger', 'predecessors', origin.replaceAll('/', '_'))

/** Of a log by that name: 1 for the first, 2 for its successor; undefined for another. */
function numberOf(name: string, logOrigin: string): number | undefined {
  if (name === logOrigin) return 1
  const number = name.startsWith(`${logOrigin}/`) ? name.slice(logOrigin.length + 1) : ''
  return /^([2-9]|[1-9]\d{1,3})$/.test(number) ? Number(number) : undefined
}

/** The key is made last: until it is there, nothing was begun. */
function prepare(origin: string, { dataDir, head, reason, source, nowMs }: SuccessionParts): void {
  const [newDir, asideDir] = [newDirOf(dataDir), asideDirOf(dataDir, head.origin)]
  rmSync(newDir, { recursive: true, force: true })
  const store = openSqliteStore(join(newDir, storeName))
  try {
    appendOwnEvents(store, [successionEvent(head, { reason, source, nowMs })])
  } finally {
    store.close()
  }
  mkdirSync(asideDir, { recursive: true, mode: 0o700 })
  writeDurably(join(asideDir, 'last-checkpoint.note'), head.note)
  makeNoteKey(join(newDir, keyName), origin)
}

function successionEvent(
  { origin, size, root, note }: SuccessionParts['head'],
  { reason, source, nowMs }: Pick<SuccessionParts, 'reason' | 'source' | 'nowMs'>,
): LedgerEvent {
  const predecessor = { predecessor: origin, size, root: root.toString('base64'), checkpoint: note }
  return { kind: 'succession', exchange: '', at: nowMs, source, origin: '', ...predecessor, reason }
}

/** The store first. Throws when a file of that name is there. */
function moveAll(from: string, to: string): void {
  for (const name of [storeName, `${storeName}-wal`, `${storeName}-shm`, `${keyName}${publicSuffix}`, keyName]) {
    if (!existsSync(join(from, name))) continue
    if (existsSync(join(to, name))) throw new Error(`${join(to, name)} is there already; nothing is overwritten`)
    renameSync(join(from, name), join(to, name))
  }
}
