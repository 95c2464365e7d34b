// Bytes to lines, within bounds: of a line too long only the beginning is kept. Decoded line by line, so that a character is
// never torn; broken UTF-8 becomes U+FFFD.
import { type Chunk, restart } from './follow.ts'

export interface Line {
  text: string
  /** The line was longer than `lineBytesMax`. */
  isCut: boolean
}

export const lineBytesMax = 256 * 1024
const newline = 0x0a

/** The lines of each chunk together; a last line without an end comes when the chunks end or another file begins. */
export async function* splitLines(chunks: AsyncIterable<Chunk>): AsyncGenerator<Line[]> {
  const collector = new LineCollector()
  for await (const chunk of chunks) {
    const lines = chunk === restart ? collector.end() : collector.add(chunk)
    if (lines.length > 0) yield lines
  }
  const last = collector.end()
  if (last.length > 0) yield last
}

class LineCollector {
  #parts: Buffer[] = []
  #keptBytes = 0
  #isCut = false

  add(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, at))
      lines.push(this.#take())
      start = at + 1
    }
    this.#keep(chunk.subarray(start))
    return lines
  }

  end(): Line[] {
    return this.#keptBytes === 0 ? [] : [this.#take()]
  }

  #keep(bytes: Buffer): void {
    const room = lineBytesMax - this.#keptBytes
    if (bytes.length > room) this.#isCut = true
    const kept = bytes.subarray(0, room)
    if (kept.length === 0) return
    this.#parts.push(kept)
    this.#keptBytes += kept.length
  }

  #take(): Line {
    const line = { text: Buffer.concat(this.#parts).toString('utf8'), isCut: this.#isCut }
    this.#parts = []
    this.#keptBytes = 0
    this.#isCut = false
    return line
  }
}
