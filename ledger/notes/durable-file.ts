// A file that is either the old one or the new one, whatever ends the process or the machine: written beside, flushed, renamed,
// and the folder flushed. Returns when all of it is on the disk.
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What a write that did not end leaves behind; harmless. */
export const unfinishedSuffix = '.tmp'

/** One writer at a time for a path. Throws what the file system throws; then the old file may be there or the new one. */
export function writeDurably(path: string, content: string, mode = 0o644): void {
  const beside = `${path}${unfinishedSuffix}`
  const file = openSync(beside, 'w', mode)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
  flushFolder(dirname(path))
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
