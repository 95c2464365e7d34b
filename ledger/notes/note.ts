// A signed note (C2SP signed-note): text, a blank line, signatures. Read strictly and within bounds; its text means nothing until
// a known key's signature was verified. Signatures of witnesses carry their time (tlog-cosignature, Ed25519).
import { sign, verify } from 'node:crypto'
import { decodeBase64 } from './encoding.ts'
import { isKeyName, isSameKey, type SignerKey, type VerifierKey } from './keys.ts'

export interface NoteSignature {
  name: string
  /** Eight hexadecimal digits. */
  id: string
  /** After the id. */
  bytes: Buffer
  /** As it stands in the note, without its end. */
  line: string
}

export interface Note {
  /** With its final newline. */
  text: string
  signatures: readonly NoteSignature[]
}

/** A signature that a known key made; `timeS` (epoch seconds) of a witness. */
export interface Verified {
  key: VerifierKey
  timeS?: number
}

export type NoteFault = 'malformed' | 'unsigned' | 'forged'

/** malformed: no note · unsigned: by no known key · forged: a signature in a known key's name is not that key's. */
export class NoteError extends Error {
  readonly fault: NoteFault

  constructor(fault: NoteFault, message: string) {
    super(message)
    this.name = 'NoteError'
    this.fault = fault
  }
}

export const noteBytesMax = 64 * 1024
export const signaturesMax = 32
const dash = '\u2014'
const timeBytes = 8
const ed25519Bytes = 64
// biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is checked
const control = /[\u0000-\u0009\u000b-\u001f]/

/** Throws NoteError `malformed`. */
export function parseNote(note: string): Note {
  if (note.length > noteBytesMax || Buffer.byteLength(note) > noteBytesMax) throw malformed('it is too long')
  if (!note.isWellFormed() || control.test(note)) throw malformed('it holds characters that no note holds')
  const end = note.lastIndexOf('\n\n')
  if (end === -1 || !note.endsWith('\n')) throw malformed('it has no signatures')
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > signaturesMax) throw malformed(`it has more than ${signaturesMax} signatures`)
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) }
}

/** Without its end. Throws NoteError `malformed`. */
export function parseSignature(line: string): NoteSignature {
  const [mark, name = '', encoded = '', ...more] = line.split(' ')
  const bytes = decodeBase64(encoded)
  if (mark !== dash || !isKeyName(name) || bytes === undefined || bytes.length < 5 || more.length > 0)
    throw malformed('a signature line is not one')
  return { name, id: bytes.subarray(0, 4).toString('hex'), bytes: bytes.subarray(4), line }
}

/**
 * Which of the keys signed it, each once. Signatures of others are no matter, but one in a known key's name that is not that
 * key's spoils the whole. Throws NoteError `forged`.
 */
export function verifySignatures({ text, signatures }: Note, keys: readonly VerifierKey[]): Verified[] {
  const verified: Verified[] = []
  for (const { name, id, bytes } of signatures) {
    const key = keys.find(known => known.name === name && known.id === id)
    if (key === undefined) continue
    const found = verifyWith(key, text, bytes)
    if (found === undefined) throw new NoteError('forged', `a signature in the name of ${name} is not of its key`)
    if (!verified.some(({ key: counted }) => isSameKey(counted, key))) verified.push(found)
  }
  return verified
}

/** `text` ends in a newline. */
export const signNote = (text: string, key: SignerKey): string =>
  `${text}\n${signatureOf(key, sign(null, Buffer.from(text), key.privateKey))}\n`

/** The line of a witness, without its end. */
export function cosignText(text: string, key: SignerKey, timeS: number): string {
  const time = Buffer.alloc(timeBytes)
  time.writeBigUInt64BE(BigInt(timeS))
  return signatureOf(key, Buffer.concat([time, sign(null, cosignedText(text, BigInt(timeS)), key.privateKey)]))
}

/** The same note with one more signature; as it was when it has that line already. */
export const addSignature = (note: string, line: string): string =>
  note.split('\n').includes(line) ? note : `${note}${line}\n`

function verifyWith(key: VerifierKey, text: string, bytes: Buffer): Verified | undefined {
  if (key.type === 'log') {
    const isRight = bytes.length === ed25519Bytes && verify(null, Buffer.from(text), key.publicKey, bytes)
    return isRight ? { key } : undefined
  }
  if (bytes.length !== timeBytes + ed25519Bytes) return undefined
  const time = bytes.readBigUInt64BE()
  if (time === 0n || time > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  const isRight = verify(null, cosignedText(text, time), key.publicKey, bytes.subarray(timeBytes))
  return isRight ? { key, timeS: Number(time) } : undefined
}

const cosignedText = (text: string, timeS: bigint): Buffer => Buffer.from(`cosignature/v1\ntime ${timeS}\n${text}`)

const signatureOf = ({ verifier: { name, id } }: SignerKey, bytes: Buffer): string =>
  `${dash} ${name} ${Buffer.concat([Buffer.from(id, 'hex'), bytes]).toString('base64')}`

const malformed = (why: string): NoteError => new NoteError('malformed', `no signed note: ${why}`)
