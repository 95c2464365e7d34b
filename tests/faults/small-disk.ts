// A disk of its own for one folder, which can be made full and roomy again: a tmpfs, where we may mount one. Unmounted when we
// end, however we end.
import { execFile } from 'node:child_process'
import { mkdirSync, statfsSync } from 'node:fs'
import { promisify } from 'node:util'
import { createGuard, quote } from '#tests/stack/guard.ts'

export interface SmallDisk {
  /** Leaves no free byte but what is left of the last page. */
  fill(): Promise<void>
  empty(): Promise<void>
  stop(): Promise<void>
}

const run = promisify(execFile)
const roomyBytes = 2 * 1024 ** 3

/** The disk, or why there can be none here. */
export async function mountSmallDisk(folder: string): Promise<SmallDisk | { missing: string }> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return { missing: 'a tmpfs can be mounted by root on Linux only' }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const guard = createGuard()
  guard.onLoss(`sleep 2; umount -l ${quote(folder)}`)
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${roomyBytes},mode=700`, 'ndx-faults', folder])
  } catch (error) {
    guard.dismiss()
    return { missing: `mount: ${(error as Error).message.split('\n').at(-1)}` }
  }
  const resize = (bytes: number) => run('mount', ['-o', `remount,size=${bytes}`, folder])
  return {
    fill: async () => {
      const { blocks, bfree, bsize } = statfsSync(folder)
      await resize(Math.max(1, blocks - bfree) * bsize)
    },
    empty: async () => void (await resize(roomyBytes)),
    stop: async () => {
      await run('umount', ['-l', folder])
      guard.dismiss()
    },
  }
}
