// The pseudonym keys as files, one a version: `<data>/secrets/pseudonym-keys/<version>`, 32 random bytes as base64url. A new one
// every month, made a month ahead; a key that leaked is replaced at once; one that is no longer needed is destroyed, and with it
// the way from a number to what stands for it. Processes that run follow within a minute.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isVersion, type KeySource, keyBytesMin, monthOf, nextMonthMs, versionAt } from './key-versions.ts'
import { destroySecretFile, readSecretFile, writeWhole } from './secret-file.ts'

/** What was read of the folder, and is read again. */
export interface PseudonymKeys extends KeySource {
  refresh(nowMs: number): string | undefined
}

const folder = 'secrets/pseudonym-keys'
const refreshMs = 60_000
const keyForm = /^[\w-]{43}$/

/** Makes the keys of this month and the next where a month has none. Returns the names of the files made. */
export const makePseudonymKeys = (dataDir: string, nowMs: number): string[] => {
  const versions = listPseudonymKeys(dataDir)
  return [monthOf(nowMs), monthOf(nextMonthMs(nowMs))]
    .filter(month => !versions.some(version => version.startsWith(month)))
    .map(month => makeKey(dataDir, month))
}

/** A new key for now. Returns its version. */
export function rotatePseudonymKey(dataDir: string, nowMs: number): string {
  const month = monthOf(nowMs)
  const newest = listPseudonymKeys(dataDir).findLast(version => version.startsWith(month))
  const version = newest === undefined ? month : month + letterAfter(newest.slice(month.length))
  makeKey(dataDir, version)
  return version
}

/** What was made under this version can never be made again. Throws when it is in use, or there is no such version. */
export function destroyPseudonymKey(dataDir: string, version: string, nowMs: number): void {
  const versions = listPseudonymKeys(dataDir)
  if (!versions.includes(version)) throw new Error(`there is no pseudonym key ${version}`)
  if (version === versionAt(nowMs, versions))
    throw new Error(`the pseudonym key ${version} is in use; \`npx ndx secrets --rotate\` makes another first`)
  destroySecretFile(join(dataDir, folder, version))
}

/** Versions in the order of use. */
export function listPseudonymKeys(dataDir: string): string[] {
  try {
    return readdirSync(join(dataDir, folder)).filter(isVersion).toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Reads the folder. Throws with what to do when there is no key, or one cannot be read. */
export function readPseudonymKeys(dataDir: string): PseudonymKeys {
  const keys = new Map<string, Buffer>()
  let readMs = Number.NaN
  const first = readInto(keys, dataDir)
  if (first !== undefined) throw first
  return {
    get: version => keys.get(version),
    keys: () => keys.keys(),
    refresh(nowMs) {
      if (nowMs >= readMs && nowMs < readMs + refreshMs) return undefined
      readMs = nowMs
      return readInto(keys, dataDir)?.message
    },
  }
}

/** Takes up versions that came, drops those that went; what cannot be read is left out. Returns the last fault. */
function readInto(keys: Map<string, Buffer>, dataDir: string): Error | undefined {
  let fault: Error | undefined
  try {
    const versions = listPseudonymKeys(dataDir)
    if (versions.length === 0)
      return new Error(`there is no key in ${join(dataDir, folder)}; \`npx ndx secrets\` makes what is missing`)
    for (const version of keys.keys()) if (!versions.includes(version)) keys.delete(version)
    for (const version of versions) {
      if (keys.has(version)) continue
      try {
        keys.set(version, readKey(dataDir, version))
      } catch (error) {
        fault = error as Error
      }
    }
  } catch (error) {
    fault = error as Error
  }
  return fault
}

function makeKey(dataDir: string, version: string): string {
  mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 })
  const name = `${folder}/${version}`
  writeWhole(join(dataDir, name), randomBytes(keyBytesMin).toString('base64url'))
  return name
}

function readKey(dataDir: string, version: string): Buffer {
  const path = join(dataDir, folder, version)
  const text = readSecretFile(path).trim()
  if (!keyForm.test(text)) throw new Error(`${path} is no pseudonym key`)
  return Buffer.from(text, 'base64url')
}

/** '' is followed by b. */
function letterAfter(letter: string): string {
  if (letter === 'z') throw new Error('a month has at most 25 pseudonym keys')
  return letter === '' ? 'b' : String.fromCharCode(letter.charCodeAt(0) + 1)
}
