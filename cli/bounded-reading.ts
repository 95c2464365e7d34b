// Files and answers from elsewhere, read no further than a bound: what names a key may be a disk, and a ledger need not be one.
import { closeSync, openSync, readSync } from 'node:fs'
import { CommandError } from './command.ts'

/** Of any answer that is kept whole. */
export const answerBytesMax = 64 * 1024 * 1024
const chunkBytes = 64 * 1024

/** Throws what the file system throws; CommandError when it is longer. */
export function readFileWithin(path: string, bytesMax: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const chunks: Buffer[] = []
    for (let bytes = 0; ; ) {
      const chunk = Buffer.alloc(chunkBytes)
      const count = readSync(file, chunk)
      if (count === 0) return Buffer.concat(chunks)
      bytes += count
      if (bytes > bytesMax) throw new CommandError(`${path} is longer than ${bytesMax} bytes, which no such file is.`)
      chunks.push(chunk.subarray(0, count))
    }
  } finally {
    closeSync(file)
  }
}

/** As UTF-8. Throws CommandError when it is longer; what the connection throws. */
export async function readAnswer({ body }: Response, bytesMax = answerBytesMax): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new CommandError(`an answer is longer than ${bytesMax} bytes, which none is.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
