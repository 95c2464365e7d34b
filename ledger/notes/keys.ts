// Keys of signed notes (C2SP signed-note): Ed25519, of a log (type 0x01) or of a witness (0x04, tlog-cosignature). Public keys are
// the spec's one-line text, private ones that of golang.org/x/mod/sumdb/note, so that its tools can use them. A file each.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeDurably } from './durable-file.ts'
import { decodeBase64 } from './encoding.ts'

/** The signature types that are known here. */
export const keyTypes = Object.freeze({ log: 0x01, witness: 0x04 })
export type KeyType = keyof typeof keyTypes

export interface VerifierKey {
  name: string
  /** Eight hexadecimal digits. */
  id: string
  type: KeyType
  publicKey: KeyObject
}

export interface SignerKey {
  verifier: VerifierKey
  privateKey: KeyObject
}

/** A key's text or file is not one. `message` holds no part of it. */
export class KeyError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KeyError'
  }
}

/** Where a ledger keeps its log's key under the data directory; the public one is beside it. */
export const logKeyPath = (dataDir: string): string => join(dataDir, 'ledger', 'log-key')
export const publicSuffix = '.pub'

const privatePrefix = 'PRIVATE+KEY+'
const nameForm = /^[^\p{White_Space}+\p{Cc}]{1,200}$/u
/** What stands before 32 bytes in a PKCS #8 and in an SPKI key of Ed25519 (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Reads the key, or makes it: private at `path` for the owner alone, public at `path.pub`. Throws KeyError for another's. */
export function makeNoteKey(path: string, name: string, type: KeyType = 'log'): SignerKey {
  if (!isKeyName(name)) throw new KeyError(`no name of a key: ${JSON.stringify(name)}`)
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const { privateKey } = generateKeyPairSync('ed25519')
    writeDurably(path, `${formatSignerKey(signerOf(privateKey, name, type))}\n`, 0o600)
  }
  const key = readNoteKey(path)
  if (key.verifier.name !== name || key.verifier.type !== type)
    throw new KeyError(
      `${path} is the ${key.verifier.type} key of ${key.verifier.name}, not the ${type} key of ${name}`,
    )
  const publicPath = `${path}${publicSuffix}`
  const text = `${formatVerifierKey(key.verifier)}\n`
  // Another installation may have left its own there: the private key is what counts.
  if (!existsSync(publicPath) || readFileSync(publicPath, 'utf8') !== text) {
    writeDurably(publicPath, text)
    chmodSync(publicPath, 0o644)
  }
  return key
}

/** Throws KeyError; what the file system throws. */
export const readNoteKey = (path: string): SignerKey =>
  inFile(path, () => parseSignerKey(keyTextOf(readFileSync(path, 'utf8'))))

export const readVerifierKey = (path: string): VerifierKey =>
  inFile(path, () => parseVerifierKey(keyTextOf(readFileSync(path, 'utf8'))))

/** The key in what a file holds: its line's end, and what mail and Windows add to a text, are no part of it. */
export const keyTextOf = (content: string): string => content.replace(/^\ufeff/, '').replace(/[\r\n]+$/, '')

/** Every `*.pub` of a folder; none when there is no folder. */
export function readVerifierKeys(folder: string): VerifierKey[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter(name => name.endsWith(publicSuffix))
  return files.sort().map(name => readVerifierKey(join(folder, name)))
}

/** `name+id+base64(type || key)`. Throws KeyError. */
export function parseVerifierKey(text: string): VerifierKey {
  const { name, id, type, bytes } = parseKey(text)
  const publicKey = createPublicKey({ key: Buffer.concat([spkiPrefix, bytes]), format: 'der', type: 'spki' })
  if (id !== idOf(name, type, bytes)) throw new KeyError('a verifier key whose id is not that of its key')
  return { name, id, type, publicKey }
}

export const formatVerifierKey = ({ name, id, type, publicKey }: VerifierKey): string =>
  `${name}+${id}+${encodeTyped(type, rawOf(publicKey))}`

export const isKeyName = (name: string): boolean => nameForm.test(name) && name.isWellFormed()

/** A key is its name, its id and its type: two of the same count once. */
export const isSameKey = (a: VerifierKey, b: VerifierKey): boolean => a.name === b.name && a.id === b.id

function parseSignerKey(text: string): SignerKey {
  if (!text.startsWith(privatePrefix)) throw new KeyError('no private key of a note')
  const { name, id, type, bytes } = parseKey(text.slice(privatePrefix.length))
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, bytes]), format: 'der', type: 'pkcs8' })
  const key = signerOf(privateKey, name, type)
  if (id !== key.verifier.id) throw new KeyError('a private key whose id is not that of its key')
  return key
}

function formatSignerKey({ verifier: { name, id, type }, privateKey }: SignerKey): string {
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(pkcs8Prefix.length)
  return `${privatePrefix}${name}+${id}+${encodeTyped(type, seed)}`
}

function signerOf(privateKey: KeyObject, name: string, type: KeyType): SignerKey {
  const publicKey = createPublicKey(privateKey)
  return { verifier: { name, id: idOf(name, type, rawOf(publicKey)), type, publicKey }, privateKey }
}

/** The part that both kinds of text share. */
function parseKey(text: string): { name: string; id: string; type: KeyType; bytes: Buffer } {
  const [, name = '', id = '', encoded = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(text) ?? []
  const bytes = decodeBase64(encoded)
  if (!isKeyName(name) || bytes === undefined) throw new KeyError('no key of a note: name+id+base64')
  const type = typeOf(bytes[0])
  if (type === undefined || bytes.length !== 33) throw new KeyError('a key of a type that is not known here')
  return { name, id, type, bytes: bytes.subarray(1) }
}

const typeOf = (byte: number | undefined): KeyType | undefined =>
  (Object.keys(keyTypes) as KeyType[]).find(type => keyTypes[type] === byte)

const rawOf = (publicKey: KeyObject): Buffer =>
  publicKey.export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length)

const encodeTyped = (type: KeyType, bytes: Buffer): string =>
  Buffer.concat([Buffer.of(keyTypes[type]), bytes]).toString('base64')

const idOf = (name: string, type: KeyType, publicKey: Buffer): string =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(keyTypes[type]), publicKey]), 'hex').slice(0, 8)

function inFile<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof KeyError) throw new KeyError(`${path}: ${error.message}`)
    throw error
  }
}
