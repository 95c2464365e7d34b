// What this gateway tells and refuses, kept until the broker has it. All that is noted in one turn of the event loop is written with
// one write, and only then is anybody answered; so what a client was told survives its gateway. Numbers are used up even for what
// had to be dropped, so that the ledger sees that something is missing. An answer that cannot be written down is not given.
import { mkdirSync } from 'node:fs'
import { type OutgoingRecord } from '#bus/bus.ts'
import { encodeNote, type Note } from '#bus/note.ts'
import { encodeTally } from './left-run.ts'
import { sendLeftRuns } from './left-run-sending.ts'
import { NoteFile } from './note-file.ts'
import { type Tally, writeNoteLine, writeTallyLine } from './note-line.ts'
import { NoteQueue } from './note-queue.ts'
import { createNoteSender, type NoteSender } from './note-sender.ts'
import { RefusalTallies } from './refusal-tallies.ts'
import { makeRunFolder, type RunFolder, takeLeftFolders } from './run-folder.ts'

export interface NotesParts {
  /** Made when it is not there; shared with other gateways and with those that come after. */
  directory: string
  instance: string
  /** Names this run of the process: 6 to 16 of a–z and 0–9, never used before. */
  run: string
  publish(record: OutgoingRecord): Promise<void>
  /** Epoch ms. */
  now(): number
  /** How long a note waits for others to be sent with it; default 50. */
  lingerMs?: number
  /** Most bytes that are kept; default 64 MiB. */
  bytesMax?: number
  on: NoteEvents
}

/** For log and metrics. */
export interface NoteEvents {
  /** Why notes cannot be written; undefined: they can again. */
  fault(error: unknown): void
  /** So many notes were dropped: there was no room for them. */
  lost(count: number): void
  /** The broker did not take a sheet; it gets it again. */
  rejection(error: unknown): void
  /** What a run that is gone has left: was sent, or could not be. */
  leftRun(source: string, notes: number, error?: unknown): void
  /** A second of refusals without an identified client is over. */
  tally(tally: Tally): void
}

export interface Notes {
  /**
   * Resolves when it is written: true. False: it could not be. An answer's note (`delivered`) is then forgotten; every other
   * one is sent all the same, while there is room.
   */
  note(note: Omit<Note, 'notedMs'>): Promise<boolean>
  /** One refusal without an identified client. `nth` of its code in this second. */
  refuse(code: string): { nth: number; written: Promise<boolean> }
  /** Answers can be written down. */
  readonly isKept: boolean
  /** Notes that the broker has not acknowledged, and their bytes. */
  readonly waiting: { notes: number; bytes: number }
  /** Sends what there is, for some seconds, and says that the run is over. What could not be sent stays for the next start. */
  stop(): Promise<void>
  /** As if the process had died. */
  kill(): void
}

const lingerDefaultMs = 50
const bytesDefaultMax = 64 * 1024 * 1024
/** What the broker has is deleted a segment at a time. */
const segmentBytesMax = 4 * 1024 * 1024
const stopMaxMs = 5_000
const retryMs = 500
const secondMs = 1_000

/** Throws when the folder cannot be written. */
export function startNotes(parts: NotesParts): Notes {
  mkdirSync(parts.directory, { recursive: true, mode: 0o700 })
  const left = takeLeftFolders(parts.directory, parts.now())
  return new RunNotes(parts, makeRunFolder(parts.directory, parts.instance, parts.run), left)
}

interface Turn {
  notes: { text: string; isAnswer: boolean }[]
  written: Promise<boolean>
  end(isWritten: boolean): void
}

class RunNotes implements Notes {
  readonly #parts: NotesParts
  readonly #folder: RunFolder
  /** Of runs that are gone, taken over. */
  readonly #left: readonly RunFolder[]
  readonly #file: NoteFile
  readonly #queue = new NoteQueue()
  readonly #sender: NoteSender
  readonly #tallies = new RefusalTallies()
  readonly #bytesMax: number
  #next = 0
  #turn: Turn | undefined
  /** The first note that is only in memory, since when writing failed. */
  #unwrittenFrom: number | undefined
  #retryTimer: NodeJS.Timeout | undefined
  #secondTimer: NodeJS.Timeout | undefined
  #isOver = false
  readonly #flush = (): void => this.#writeTurn()

  constructor(parts: NotesParts, folder: RunFolder, left: readonly RunFolder[]) {
    this.#parts = parts
    this.#folder = folder
    this.#left = left
    this.#bytesMax = parts.bytesMax ?? bytesDefaultMax
    this.#file = new NoteFile({
      folder: folder.path,
      segmentBytesMax: Math.min(segmentBytesMax, this.#bytesMax / 16),
      onFault: error => this.#fail(error),
    })
    this.#sender = createNoteSender({
      source: folder.source,
      queue: this.#queue,
      publish: parts.publish,
      now: parts.now,
      lingerMs: parts.lingerMs ?? lingerDefaultMs,
      onAcknowledged: next => this.#acknowledge(next),
      onRejection: parts.on.rejection,
    })
    this.#sender.start(() => sendLeftRuns(left, this.#sender, parts.on.leftRun))
  }

  get isKept(): boolean {
    return this.#unwrittenFrom === undefined && !this.#isFull
  }

  get waiting() {
    return { notes: this.#queue.size, bytes: this.#queue.bytes }
  }

  note(note: Omit<Note, 'notedMs'>): Promise<boolean> {
    const turn = this.#thisTurn()
    const text = encodeNote({ ...note, notedMs: this.#parts.now() })
    turn.notes.push({ text, isAnswer: note.kind === 'delivered' })
    return turn.written
  }

  refuse(code: string) {
    const nowMs = this.#parts.now()
    if (this.#tallies.isOver(nowMs)) this.#endSecond()
    const nth = this.#tallies.add(code, nowMs)
    this.#secondTimer ??= setTimeout(() => this.#endSecond(), secondMs).unref()
    return { nth, written: this.#thisTurn().written }
  }

  async stop(): Promise<void> {
    if (this.#isOver) return
    this.#endSecond()
    this.#writeTurn()
    this.#isOver = true
    clearTimeout(this.#retryTimer)
    const isAllSent = (await this.#sender.drain(stopMaxMs)) && (await this.#close())
    this.#sender.kill()
    this.#file.close()
    if (!isAllSent) return this.#folder.release()
    try {
      this.#folder.remove()
    } catch (error) {
      // Harmless: who starts next sends what the broker has under the same numbers.
      this.#parts.on.fault(error)
    }
  }

  kill(): void {
    this.#isOver = true
    for (const timer of [this.#retryTimer, this.#secondTimer]) clearTimeout(timer)
    this.#sender.kill()
    this.#file.close()
    for (const folder of [this.#folder, ...this.#left]) folder.release()
  }

  get #isFull(): boolean {
    return Math.max(this.#file.bytes, this.#queue.bytes) >= this.#bytesMax
  }

  /** Tells the ledger that nothing comes any more. A run that noted nothing is known to nobody. */
  async #close(): Promise<boolean> {
    if (this.#next === 0) return true
    const sheet = { source: this.#folder.source, first: this.#next, notes: [], isLast: true }
    const late = AbortSignal.timeout(stopMaxMs)
    return Promise.race([
      this.#sender.deliver(sheet).then(
        () => true,
        () => false,
      ),
      new Promise<boolean>(resolve => late.addEventListener('abort', () => resolve(false), { once: true })),
    ])
  }

  /** The turn ends when the promises that are due have run (process.nextTick), so that all they note is in one write. */
  #thisTurn(): Turn {
    if (this.#turn !== undefined) return this.#turn
    const { promise: written, resolve: end } = Promise.withResolvers<boolean>()
    this.#turn = { notes: [], written, end }
    process.nextTick(this.#flush)
    return this.#turn
  }

  #writeTurn(): void {
    const turn = this.#turn
    this.#turn = undefined
    if (turn !== undefined) turn.end(this.#keep(turn.notes))
  }

  /** False: they could not be written. */
  #keep(notes: Turn['notes']): boolean {
    if (this.#isOver) return false
    if (this.#isFull) {
      this.#drop(notes.filter(({ isAnswer }) => !isAnswer).length)
      return false
    }
    const isWritten = this.#unwrittenFrom === undefined && this.#tryWrite(notes.map(({ text }) => text))
    for (const { text, isAnswer } of notes)
      if (isWritten || !isAnswer) this.#queue.push({ number: this.#next++, note: text })
    this.#sender.wake()
    return isWritten
  }

  #tryWrite(notes: readonly string[]): boolean {
    let lines = notes.map((note, i) => writeNoteLine({ number: this.#next + i, note })).join('')
    for (const tally of this.#tallies.changed()) lines += writeTallyLine(tally)
    try {
      if (this.#file.isSegmentFull) this.#rotate()
      this.#file.append(lines)
      return true
    } catch (error) {
      this.#fail(error)
      return false
    }
  }

  /** What an older segment says of this second must not go with it. */
  #rotate(): void {
    this.#file.rotate(this.#next)
    for (const tally of this.#tallies.open()) this.#file.append(writeTallyLine(tally))
  }

  /** Their numbers are used up, so that the ledger sees the hole. */
  #drop(count: number): void {
    this.#next += count
    if (count > 0) this.#parts.on.lost(count)
  }

  /** From now on notes are in memory only, and answers are not given, until the disk takes what it did not. */
  #fail(error: unknown): void {
    if (this.#isOver) return
    if (this.#unwrittenFrom === undefined) this.#parts.on.fault(error)
    this.#unwrittenFrom ??= this.#next
    this.#retryTimer ??= setTimeout(() => this.#writeUnwritten(), retryMs).unref()
  }

  #writeUnwritten(): void {
    this.#retryTimer = undefined
    const lines = this.#queue.from(this.#unwrittenFrom ?? 0).map(writeNoteLine)
    const tallies = this.#tallies.open().map(writeTallyLine)
    try {
      // The line feed ends what may have been left of a line, and tries a disk for which there is nothing else.
      this.#file.append(['\n', ...lines, ...tallies].join(''))
      this.#unwrittenFrom = undefined
      this.#parts.on.fault(undefined)
    } catch (error) {
      this.#fail(error)
    }
  }

  #endSecond(): void {
    clearTimeout(this.#secondTimer)
    this.#secondTimer = undefined
    for (const tally of this.#tallies.end()) {
      this.#thisTurn().notes.push({ text: encodeTally(tally), isAnswer: false })
      this.#parts.on.tally(tally)
    }
  }

  #acknowledge(next: number): void {
    try {
      this.#file.acknowledge(next)
    } catch (error) {
      this.#parts.on.fault(error)
    }
  }
}
