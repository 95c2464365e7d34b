// The hashes of an RFC 6962 tree (section 2.1): SHA-256 of 0x00 and an entry is a leaf, of 0x01 and two children a node. A tree of
// no entries has the hash of nothing.
import { hash } from 'node:crypto'

export const hashBytes = 32
export const emptyRoot: Buffer = sha256('')

export const leafHash = (entry: string): Buffer => sha256(`\0${entry}`)

/** Used again and again: hashing is done when the call returns. */
const twoChildren = Buffer.alloc(1 + 2 * hashBytes, 0x01)

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  if (left.length !== hashBytes || right.length !== hashBytes) throw new RangeError('a child is no SHA-256 hash')
  left.copy(twoChildren, 1)
  right.copy(twoChildren, 1 + hashBytes)
  return sha256(twoChildren)
}

/** By way of a string: a Buffer made by `hash` itself takes five times as long. */
function sha256(data: string | Buffer): Buffer {
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1')
}

/** Sizes and indexes are JavaScript's whole numbers; nothing here shifts bits, so all can be used. Throws RangeError for others. */
export function checkSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`no tree size: ${size}`)
}
