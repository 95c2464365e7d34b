// Bytes to lines, strictly: valid UTF-8, every line ended, none too long. What a file says is thereby what its lines say, to the
// byte, so an altered byte cannot hide in the reading.
import { isUtf8 } from 'node:buffer'

/** The text is not lines of UTF-8. */
export class LineError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'LineError'
  }
}

export const lineBytesMax = 256 * 1024
const newline = 0x0a

/** Lines without their ends. Throws LineError, after all lines before. */
export async function* readLines(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      yield decode(bytes.subarray(start, end))
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > lineBytesMax) throw new LineError(`a line is longer than ${lineBytesMax} bytes`)
  }
  if (rest.length > 0) throw new LineError('the last line has no end')
}

function decode(line: Buffer): string {
  if (line.length > lineBytesMax) throw new LineError(`a line is longer than ${lineBytesMax} bytes`)
  if (!isUtf8(line)) throw new LineError('a line is not UTF-8')
  return line.toString('utf8')
}
