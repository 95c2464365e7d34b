// What a run has noted, on disk: segments named by the number of their first note, appended to, and deleted when the broker has all
// that is in them. A written line survives the end of the process; the disk has it after about a tenth of a second, so that a
// power cut loses that much and what the disk itself forgets.
import { closeSync, fdatasync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface NoteFileOptions {
  folder: string
  segmentBytesMax: number
  /** The disk did not take what had been written. */
  onFault(error: Error): void
}

interface Segment {
  first: number
  path: string
  bytes: number
}

const flushAfterMs = 100
const segmentName = /^([0-9]{1,16})\.notes$/

export class NoteFile {
  readonly #folder: string
  readonly #segmentBytesMax: number
  readonly #onFault: (error: Error) => void
  readonly #segments: Segment[] = []
  #file: number
  #timer: NodeJS.Timeout | undefined
  #isDirty = false
  #flushed: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor({ folder, segmentBytesMax, onFault }: NoteFileOptions) {
    this.#folder = folder
    this.#segmentBytesMax = segmentBytesMax
    this.#onFault = onFault
    this.#file = this.#open(0)
    this.#afterFlush(() => Promise.all([flushFolder(folder), flushFolder(dirname(folder))]))
  }

  /** Of all segments. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get isSegmentFull(): boolean {
    return this.#current.bytes >= this.#segmentBytesMax
  }

  /** Whole lines. All or nothing: throws when they cannot be written, and leaves what was there before. */
  append(lines: string): void {
    const bytes = Buffer.byteLength(lines)
    try {
      if (writeSync(this.#file, lines) !== bytes) throw new Error('the disk took a part of what was to be written')
    } catch (error) {
      this.#cutBack()
      throw error
    }
    this.#current.bytes += bytes
    this.#isDirty = true
    this.#flushSoon()
  }

  /** Goes on in a new segment. `number`: of the next note. Throws, and goes on in the old one. */
  rotate(number: number): void {
    if (number <= this.#current.first) return
    const old = this.#file
    this.#file = this.#open(number)
    this.#afterFlush(async () => {
      await flush(old)
      closeSync(old)
      await flushFolder(this.#folder)
    })
  }

  /** The broker has all notes before this number. */
  acknowledge(number: number): void {
    while ((this.#segments[1]?.first ?? Number.POSITIVE_INFINITY) <= number) {
      const [oldest] = this.#segments.splice(0, 1) as [Segment]
      rmSync(oldest.path, { force: true })
    }
  }

  close(): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    this.#isClosed = true
    this.#afterFlush(async () => closeSync(this.#file))
  }

  get #current(): Segment {
    return this.#segments.at(-1) as Segment
  }

  #open(first: number): number {
    const path = join(this.#folder, `${first}.notes`)
    const file = openSync(path, 'a', 0o600)
    this.#segments.push({ first, path, bytes: 0 })
    return file
  }

  /** Half a line would make the next one unreadable. */
  #cutBack(): void {
    try {
      ftruncateSync(this.#file, this.#current.bytes)
    } catch {
      // A reader drops what is not whole.
    }
  }

  #flushSoon(): void {
    if (this.#timer !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#isDirty = false
      this.#afterFlush(async () => {
        await flush(this.#file)
        this.#timer = undefined
        if (this.#isDirty) this.#flushSoon()
      })
    }, flushAfterMs).unref()
  }

  /** One after the other, so that no file is closed while it is flushed. */
  #afterFlush(act: () => Promise<unknown>): void {
    this.#flushed = this.#flushed.then(act).catch(error => {
      this.#timer = undefined
      this.#onFault(error)
    })
  }
}

/** The segments in a folder, oldest first. */
export function listSegments(folder: string): { first: number; read(): string }[] {
  return readdirSync(folder)
    .flatMap(name => {
      const first = segmentName.exec(name)?.[1]
      return first === undefined ? [] : [{ first: Number(first), read: () => readFileSync(join(folder, name), 'utf8') }]
    })
    .sort((one, other) => one.first - other.first)
}

/** A name that was made or changed in it is on the disk. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

const flush = promisify(fdatasync)
