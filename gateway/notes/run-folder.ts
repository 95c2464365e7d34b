// A folder for each run of a gateway, `<instance>~<run>`, locked while its process lives. What a process leaves behind without a lock
// is taken over by the next one that starts on the same data directory; several may work there at once.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { holdFile } from '#runtime/file-lock.ts'

export interface RunFolder {
  /** `/gateway/<instance>/<run>` */
  source: string
  path: string
  /** Lets it go; whatever is in it is the next one's. */
  release(): void
  /** It is gone when this returns, be it only in part: what could not be deleted nobody takes for a run. */
  remove(): void
}

const nameForm = /^([A-Za-z0-9._-]{1,60})~([a-z0-9]{6,16})$/
/** Of folders that are being made or deleted. */
const passing = /^\.(new|old)-/
const passingMs = 60_000
const lockName = 'lock'

/** Throws what the file system throws: evidence that cannot be kept is a gateway that does not start. */
export function makeRunFolder(directory: string, instance: string, run: string): RunFolder {
  const name = `${instance}~${run}`
  const unfinished = join(directory, `.new-${name}`)
  mkdirSync(unfinished, { recursive: true, mode: 0o700 })
  const release = holdFile(join(unfinished, lockName))
  renameSync(unfinished, join(directory, name))
  return folderOf(directory, name, release)
}

/** Folders of processes that are gone, oldest first; now ours. */
export function takeLeftFolders(directory: string, nowMs: number): RunFolder[] {
  const names = readdirSync(directory)
  for (const name of names) if (passing.test(name)) clearAway(join(directory, name), nowMs)
  return names
    .filter(name => nameForm.test(name))
    .sort((one, other) => runOf(one).localeCompare(runOf(other)))
    .flatMap(name => {
      const release = holdOrLeave(join(directory, name, lockName))
      return release === undefined ? [] : [folderOf(directory, name, release)]
    })
}

function folderOf(directory: string, name: string, release: () => void): RunFolder {
  const path = join(directory, name)
  return {
    source: `/gateway/${name.replace('~', '/')}`,
    path,
    release,
    remove() {
      const old = join(directory, `.old-${name}`)
      try {
        renameSync(path, old)
      } finally {
        release()
      }
      rmSync(old, { recursive: true, force: true })
    },
  }
}

const runOf = (name: string): string => nameForm.exec(name)?.[2] ?? ''

function holdOrLeave(path: string): (() => void) | undefined {
  try {
    return holdFile(path)
  } catch {
    return undefined
  }
}

/** Not at once: another process may be at it. */
function clearAway(path: string, nowMs: number): void {
  try {
    if (statSync(path).mtimeMs < nowMs - passingMs) rmSync(path, { recursive: true, force: true })
  } catch {
    // Gone meanwhile.
  }
}
