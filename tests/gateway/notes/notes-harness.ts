// A folder, a broker that can be away, and gateways that note into the one and send to the other. Reads what the broker has as the
// ledger does: what came twice is dropped by its number.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { type ExchangeId } from '#bus/message.ts'
import { isNote, type Note, readNotes } from '#bus/note.ts'
import { type NoteEvents, type Notes, type NotesParts, startNotes } from '#gateway/notes/notes.ts'

export interface ReadRun {
  /** By number; a hole is a hole. */
  notes: Note[]
  /** How often the end was told. */
  ends: number
  /** The number the last end was told with. */
  end?: number
}

export class NotesHarness {
  readonly directory = mkdtempSync(join(tmpdir(), 'ndx-notes-'))
  isAway = false
  nowMs = Date.parse('2028-05-01T10:00:00Z')
  sheets = 0
  readonly runs = new Map<string, ReadRun>()
  readonly faults: unknown[] = []
  readonly leftRuns: { source: string; notes: number; error?: unknown }[] = []
  readonly tallies: object[] = []
  lost = 0
  rejections = 0
  readonly #started: Notes[] = []

  start(parts: Partial<NotesParts> & Pick<NotesParts, 'run'>): Notes {
    const notes = startNotes({
      directory: this.directory,
      instance: 'gw',
      publish: record => this.publish(record),
      now: () => this.nowMs,
      lingerMs: 0,
      on: this.#events,
      ...parts,
    })
    this.#started.push(notes)
    return notes
  }

  async publish(record: OutgoingRecord): Promise<void> {
    if (this.isAway) throw new PublishError('away', false)
    const value = Buffer.from(record.value)
    const incoming = { ...record, topic: 'ndx.note', partition: 0, offset: '0', timestampMs: 0, value }
    const { source, first = 0, isLast, notes } = readNotes(incoming)
    const run = this.runs.get(source) ?? { notes: [], ends: 0 }
    this.runs.set(source, run)
    this.sheets++
    for (const [i, note] of notes.entries()) {
      if (!isNote(note)) throw note
      run.notes[first + i] ??= note
    }
    if (isLast) Object.assign(run, { ends: run.ends + 1, end: first + notes.length })
  }

  of(run: string, instance = 'gw'): ReadRun {
    return this.runs.get(`/gateway/${instance}/${run}`) ?? { notes: [], ends: 0 }
  }

  /** As if all processes died, and no trace is left. */
  remove(): void {
    for (const notes of this.#started) notes.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  readonly #events: NoteEvents = {
    fault: error => void this.faults.push(error),
    lost: count => {
      this.lost += count
    },
    rejection: () => {
      this.rejections++
    },
    leftRun: (source, notes, error) => void this.leftRuns.push({ source, notes, error }),
    tally: tally => void this.tallies.push(tally),
  }
}

export const exchangeOf = (n: number): ExchangeId =>
  `0198c7a0-0000-7000-8000-${String(n).padStart(12, '0')}` as ExchangeId

export const refusal = (n: number) => ({
  kind: 'refused' as const,
  exchangeId: exchangeOf(n),
  facts: { client: 'bank', code: 'NDX_RATE_EXCEEDED', status: 429, sent: false },
})

export const answer = (n: number) => ({
  kind: 'delivered' as const,
  exchangeId: exchangeOf(n),
  facts: { client: 'bank', status: 200 },
})

/** 0, 1, … below `count`. */
export const upTo = (count: number): number[] => [...Array(count).keys()]
