// The signed head of a log (C2SP tlog-checkpoint): whose log, how many entries, which root. A log's key has the log's name, so a
// checkpoint of one log signed for another is found.
import { decodeHash, decodeSize } from './encoding.ts'
import { type SignerKey, type VerifierKey } from './keys.ts'
import { NoteError, parseNote, signNote, type Verified, verifySignatures } from './note.ts'

export interface Checkpoint {
  origin: string
  size: number
  root: Buffer
  /** Lines of the log's own; nobody audits what they say. */
  extensions?: readonly string[]
}

export interface SignedCheckpoint extends Checkpoint {
  extensions: readonly string[]
  /** What was signed. */
  text: string
  /** By witnesses that were asked about, each once. */
  cosignatures: readonly Verified[]
}

const originLengthMax = 200
const extensionsMax = 16

export const formatCheckpoint = ({ origin, size, root, extensions = [] }: Checkpoint): string =>
  [origin, size, root.toString('base64'), ...extensions].map(line => `${line}\n`).join('')

/** Of a note's text. Throws NoteError `malformed`. */
export function parseCheckpoint(text: string): Checkpoint & { extensions: readonly string[] } {
  const [origin = '', sizeText = '', rootText = '', ...rest] = text.split('\n')
  const size = decodeSize(sizeText)
  const root = decodeHash(rootText)
  const extensions = rest.slice(0, -1)
  if (origin === '' || origin.length > originLengthMax || size === undefined || root === undefined)
    throw new NoteError('malformed', 'no checkpoint: origin, size and root are its first lines')
  if (rest.at(-1) !== '' || extensions.includes('') || extensions.length > extensionsMax)
    throw new NoteError('malformed', 'no checkpoint: an extension line is empty, or there are too many')
  return { origin, size, root, extensions }
}

/** The note; the key has the log's name. */
export function signCheckpoint(checkpoint: Checkpoint, key: SignerKey): string {
  if (key.verifier.name !== checkpoint.origin) throw new RangeError('the key is of another log')
  return signNote(formatCheckpoint(checkpoint), key)
}

/** Reads a checkpoint that one of the log's keys signed. Throws NoteError. */
export function openCheckpoint(
  text: string,
  logKeys: readonly VerifierKey[],
  witnessKeys: readonly VerifierKey[] = [],
): SignedCheckpoint {
  const note = parseNote(text)
  const checkpoint = parseCheckpoint(note.text)
  const own = logKeys.filter(({ name, type }) => type === 'log' && name === checkpoint.origin)
  if (verifySignatures(note, own).length === 0)
    throw new NoteError('unsigned', `no known key of ${checkpoint.origin} signed it`)
  const witnesses = witnessKeys.filter(({ type }) => type === 'witness')
  return { ...checkpoint, text: note.text, cosignatures: verifySignatures(note, witnesses) }
}
