// Copies of a running ledger's store. Its file is open to nobody else, so the ledger makes them itself, while it goes on: what it
// takes meanwhile is in the copy too. A copy has its name when it is whole and on the disk. The last few are kept.
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type LedgerStore } from './store.ts'

export interface Backup {
  file: string
  /** Entries in it. */
  size: number
}

export interface Backups {
  /** Undefined: one is being made already. Throws what the disk does; then no copy has that name. */
  take(): Promise<Backup | undefined>
  /** Resolves when none is being made. */
  idle(): Promise<void>
}

export const backupsDir = (dataDir: string): string => join(dataDir, 'ledger', 'backups')
const keptMax = 3
const suffix = '.sqlite'

/** @param now epoch ms */
export function createBackups(store: Pick<LedgerStore, 'copyTo'>, folder: string, now: () => number): Backups {
  let making: Promise<Backup> | undefined

  async function make(): Promise<Backup> {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const file = join(folder, `${new Date(now()).toISOString().replaceAll(':', '-')}${suffix}`)
    const size = await store.copyTo(`${file}.part`)
    flush(`${file}.part`)
    renameSync(`${file}.part`, file)
    flush(folder)
    removeOld(folder)
    return { file, size }
  }

  return {
    async take() {
      if (making !== undefined) return undefined
      making = make()
      try {
        return await making
      } finally {
        making = undefined
      }
    },
    idle: () =>
      Promise.resolve(making).then(
        () => {},
        () => {},
      ),
  }
}

/** Names are times, so their order is that of age. What an interrupted copy left goes too. */
function removeOld(folder: string): void {
  const names = readdirSync(folder).sort()
  const old = names.filter(name => name.endsWith(suffix)).slice(0, -keptMax)
  for (const name of [...old, ...names.filter(name => name.includes('.part'))]) rmSync(join(folder, name))
}

function flush(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
