// Reads a file as it grows, whatever its writer does to it: not there yet, truncated, renamed away and made anew. Looks at it a
// few times a second, since notifications of file systems do not reach every mount. Yields bytes, and `restart` where another
// file begins, so that half a line of the old one is not joined to the new one.
import { constants, createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'

export const restart = Symbol('restart')
export type Chunk = Buffer | typeof restart

export interface FollowOptions {
  /** False: to the end, once. */
  keepsOn: boolean
  /** Begin with the last lines within this many bytes of the end; not given: with the first line. */
  tailBytes?: number
  onWaiting(): void
}

const lookEveryMs = 100
const chunkBytes = 64 * 1024

/** Ends only when `keepsOn` is false, or the path is something that ends by itself. Throws what the file system throws. */
export async function* follow(path: string, options: FollowOptions): AsyncGenerator<Chunk> {
  let file = await openFile(path, options)
  try {
    const { size, isFile } = await sizeOf(file)
    if (!isFile) {
      yield* createReadStream(path)
      return
    }
    let position =
      options.tailBytes === undefined ? 0 : await findLineStart(file, Math.max(0, size - options.tailBytes))
    for (;;) {
      const bytes = await read(file, position)
      if (bytes.length > 0) {
        position += bytes.length
        yield bytes
        continue
      }
      if (!options.keepsOn) return
      const next = await openIfReplaced(path, file)
      if (next !== undefined) {
        for (let rest = await read(file, position); rest.length > 0; rest = await read(file, position)) {
          position += rest.length
          yield rest
        }
        await file.close()
        file = next
      }
      if (next !== undefined || (await sizeOf(file)).size < position) {
        position = 0
        yield restart
        continue
      }
      await pause()
    }
  } finally {
    await file.close()
  }
}

async function openFile(path: string, { keepsOn, onWaiting }: FollowOptions): Promise<FileHandle> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await open(path, constants.O_RDONLY)
    } catch (error) {
      if (!keepsOn || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      if (isFirst) onWaiting()
      await pause()
    }
  }
}

/** The file that has taken the path since; undefined while it is the same, or none. */
async function openIfReplaced(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [own, other] = await Promise.all([file.stat(), stat(path).catch(() => undefined)])
  if (other === undefined || (own.ino === other.ino && own.dev === other.dev)) return undefined
  return open(path, constants.O_RDONLY).catch(() => undefined)
}

/** The first position from `from` on at which a line begins. */
async function findLineStart(file: FileHandle, from: number): Promise<number> {
  if (from === 0) return 0
  for (let position = from - 1; ; ) {
    const bytes = await read(file, position)
    const newline = bytes.indexOf('\n')
    if (newline !== -1) return position + newline + 1
    if (bytes.length === 0) return position
    position += bytes.length
  }
}

async function read(file: FileHandle, position: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position)
  return buffer.subarray(0, bytesRead)
}

async function sizeOf(file: FileHandle): Promise<{ size: number; isFile: boolean }> {
  const status = await file.stat()
  return { size: status.size, isFile: status.isFile() }
}

const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, lookEveryMs))
