// Files that hold one secret: written whole and for the owner alone, read with a hint when missing, destroyed by overwriting.
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Throws with what to do when it cannot be read. */
export function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`cannot read the secret ${path}; \`npx ndx secrets\` makes what is missing`, { cause })
  }
}

/** Never half a file: written beside, then renamed. */
export function writeWhole(path: string, content: string, mode = 0o600): void {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  writeFileSync(beside, `${content}\n`, { mode, flag: 'wx' })
  renameSync(beside, path)
}

/**
 * Renamed, so that nobody reads half of it, overwritten, removed. Copies that a file system, a disk or a backup made of it are
 * out of reach.
 */
export function destroySecretFile(path: string): void {
  const hidden = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  renameSync(path, hidden)
  const file = openSync(hidden, 'r+')
  try {
    writeSync(file, randomBytes(statSync(hidden).size), 0)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  unlinkSync(hidden)
}
