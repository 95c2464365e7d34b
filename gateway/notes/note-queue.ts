// Notes that the broker has not acknowledged, in the order of their numbers. A number may be missing: what it was for is lost.
import { sheetBytesMax, sheetNotesMax } from '#bus/note.ts'
import { type NumberedNote } from './note-line.ts'

/** What one record takes. */
export interface Batch {
  first: number
  notes: string[]
}

/** Taken entries are cut off when there are so many. */
const takenMax = 4096

export class NoteQueue {
  #entries: NumberedNote[] = []
  #taken = 0
  #bytes = 0
  #pushed = 0

  /** Of all notes. They are ASCII, for the forms of facts are (bus/forms.ts). */
  get bytes(): number {
    return this.#bytes
  }

  /** Notes that ever came in. */
  get pushed(): number {
    return this.#pushed
  }

  get size(): number {
    return this.#entries.length - this.#taken
  }

  /** Waiting longer would not make the next batch larger. */
  get hasFullBatch(): boolean {
    return this.size >= sheetNotesMax || this.#bytes >= sheetBytesMax
  }

  push(entry: NumberedNote): void {
    this.#entries.push(entry)
    this.#pushed++
    this.#bytes += entry.note.length
  }

  /** The next ones, without a hole among them; they stay until `drop`. undefined: there is none. */
  batch(): Batch | undefined {
    const { number: first } = this.#entries[this.#taken] ?? {}
    if (first === undefined) return undefined
    const notes: string[] = []
    let bytes = 0
    for (let i = this.#taken; notes.length < sheetNotesMax; i++) {
      const entry = this.#entries[i]
      if (entry === undefined || entry.number !== first + notes.length) break
      bytes += entry.note.length + 1
      if (bytes > sheetBytesMax && notes.length > 0) break
      notes.push(entry.note)
    }
    return { first, notes }
  }

  /** So many are acknowledged. */
  drop(count: number): void {
    for (let i = 0; i < count; i++) this.#bytes -= this.#entries[this.#taken + i]?.note.length ?? 0
    this.#taken += count
    if (this.#taken < takenMax && this.#taken < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#taken)
    this.#taken = 0
  }

  from(number: number): NumberedNote[] {
    return this.#entries.slice(this.#taken).filter(entry => entry.number >= number)
  }
}
