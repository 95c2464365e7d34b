// What a witness must never forget: the last checkpoint it cosigned of each log, a file each, with its own cosignature on it, so
// that a file which was altered is found at start. One process at a time works on a folder.
import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Checkpoint, parseCheckpoint } from '#ledger/notes/checkpoint.ts'
import { unfinishedSuffix, writeDurably } from '#ledger/notes/durable-file.ts'
import { type VerifierKey } from '#ledger/notes/keys.ts'
import { NoteError, parseNote, verifySignatures } from '#ledger/notes/note.ts'
import { holdFile } from '#runtime/file-lock.ts'

export interface Witnessed extends Checkpoint {
  /** Of our last cosignature, epoch seconds. */
  timeS: number
  /** The log's and our own signature on it. */
  note: string
}

export interface WitnessState {
  /** `undefined`: nothing of this log was ever cosigned. */
  last(origin: string): Witnessed | undefined
  /** `note` carries our cosignature. On the disk when it returns; throws when that is not sure, and then forgets nothing. */
  store(note: string): void
  close(): void
}

const suffix = '.checkpoint'

/** Where a witness keeps the last checkpoint of a log that it cosigned. */
export const witnessedPath = (folder: string, origin: string): string => join(folder, fileOf(origin))

/** Throws when another process holds the folder, or a file in it is not a checkpoint that this key cosigned. */
export function openWitnessState(folder: string, key: VerifierKey): WitnessState {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const release = holdFolder(folder)
  try {
    const witnessed = readState(folder, key)
    return {
      last: origin => witnessed.get(origin),
      store: note => {
        const checkpoint = readWitnessed(note, key)
        writeDurably(witnessedPath(folder, checkpoint.origin), note, 0o600)
        witnessed.set(checkpoint.origin, checkpoint)
      },
      close: release,
    }
  } catch (error) {
    release()
    throw error
  }
}

function readState(folder: string, key: VerifierKey): Map<string, Witnessed> {
  const witnessed = new Map<string, Witnessed>()
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (name.endsWith(suffix + unfinishedSuffix)) rmSync(path)
    if (!name.endsWith(suffix)) continue
    const checkpoint = orExplain(path, () => readWitnessed(readFileSync(path, 'utf8'), key))
    if (fileOf(checkpoint.origin) !== name) throw new Error(`${path} is of another log: ${checkpoint.origin}`)
    witnessed.set(checkpoint.origin, checkpoint)
  }
  return witnessed
}

/** Throws NoteError. */
function readWitnessed(text: string, key: VerifierKey): Witnessed {
  const note = parseNote(text)
  const { origin, size, root } = parseCheckpoint(note.text)
  const [own] = verifySignatures(note, [key])
  if (own?.timeS === undefined) throw new NoteError('unsigned', 'this witness did not cosign it')
  return { origin, size, root, timeS: own.timeS, note: text }
}

/** The origin may hold anything; its hash may be a file's name. */
const fileOf = (origin: string): string => `${hash('sha256', origin, 'hex')}${suffix}`

function holdFolder(folder: string): () => void {
  try {
    return holdFile(join(folder, 'lock'))
  } catch (cause) {
    throw new Error(`another witness works on ${folder}; two on one folder could forget what one of them saw`, {
      cause,
    })
  }
}

function orExplain<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause
    throw new Error(
      `${path} is not as this witness left it (${cause.message}). Do not delete it: without it a log could show another past.`,
      { cause },
    )
  }
}
