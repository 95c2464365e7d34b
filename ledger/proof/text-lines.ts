// Bytes to lines, strictly: valid UTF-8, every line ended by one newline, none too long. What a file says is thereby what its lines
// say, to the byte, so an altered byte cannot hide in the reading. What is not so is told by line and in plain words.
import { isUtf8 } from 'node:buffer'
import { entryBytesMax } from '#ledger/event.ts'
import { noteBytesMax } from '#ledger/notes/note.ts'
import { describeStart, windowsLineEnds } from './re-encoding.ts'

/** The text is not lines of UTF-8. */
export class LineError extends Error {
  /** From 1. */
  readonly line: number
  /** What that line is, without its end, when it can be read at all. */
  readonly text: string | undefined
  /** The file ends in it. */
  readonly isUnended: boolean

  constructor(
    message: string,
    { line, text, isUnended = false }: { line: number; text?: string; isUnended?: boolean },
  ) {
    super(message)
    this.name = 'LineError'
    this.line = line
    this.text = text
    this.isUnended = isUnended
  }
}

const checkpointStart = Buffer.from('checkpoint ')
/** Before an entry stand its index and its hash in base 64, each with a space. */
export const entryLineBytesMax = 16 + 1 + 44 + 1 + entryBytesMax
/** A note as a JSON string: at worst every character has an escape. */
export const checkpointLineBytesMax = checkpointStart.length + 2 * noteBytesMax + 2
const newline = 0x0a
const carriageReturn = 0x0d

/** Lines without their ends. Throws LineError, after all lines before. */
export async function* readLines(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  let line = 0
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      yield decode(bytes.subarray(start, end), ++line)
      start = end + 1
    }
    rest = bytes.subarray(start)
    checkLength(rest, line + 1)
  }
  if (rest.length > 0) throw asUnended(rest, line + 1)
}

function decode(bytes: Buffer, line: number): string {
  checkStart(bytes, line)
  checkLength(bytes, line)
  const text = isUtf8(bytes) ? { text: bytes.toString('utf8') } : {}
  if (bytes.includes(0)) throw new LineError(`line ${line} holds zero bytes: part of the file was lost`, { line })
  if (bytes.at(-1) === carriageReturn) throw new LineError(windowsLineEnds(line), { line, ...text })
  if (text.text === undefined)
    throw new LineError(`line ${line} is not UTF-8: it was damaged, or saved in another encoding`, { line })
  return text.text
}

function checkStart(bytes: Buffer, line: number): void {
  const start = line === 1 ? describeStart(bytes) : undefined
  if (start !== undefined) throw new LineError(start, { line })
}

function checkLength(bytes: Buffer, line: number): void {
  const isCheckpoint = bytes.subarray(0, checkpointStart.length).equals(checkpointStart)
  const bytesMax = isCheckpoint ? checkpointLineBytesMax : entryLineBytesMax
  if (bytes.length <= bytesMax) return
  checkStart(bytes, line)
  const why = bytes.includes(carriageReturn)
    ? `the file has no line ends but old Macintosh’s (CR) from line ${line}: convert it back, or export it again`
    : `line ${line} is longer than ${bytesMax} bytes, which no such line is`
  throw new LineError(why, { line })
}

function asUnended(bytes: Buffer, line: number): LineError {
  checkStart(bytes, line)
  const text = isUtf8(bytes) ? { text: bytes.toString('utf8') } : {}
  return new LineError(`the file ends in the middle of line ${line}: it was cut`, { line, isUnended: true, ...text })
}
