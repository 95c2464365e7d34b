// One batch on its way into the log: the exchanges it touches, before and after, and what it adds to the log. Nothing of it counts
// until it is stored; a batch that is not stored is thrown away.
import { type IncomingRecord } from '#bus/bus.ts'
import { type ExchangeId } from '#bus/message.ts'
import { encodeEvent, entryBytesMax, joinEntry, type LedgerEvent } from './event.ts'
import { eventOf, eventsOf } from './exchange-events.ts'
import { type ExchangeView, emptyView, evolve, stateOf } from './exchange-view.ts'
import { type MissingNotes, type NoteSource, numberNotes } from './note-numbers.ts'
import {
  type NoteRead,
  type Reading,
  type ReadingTools,
  readRecord,
  type SheetRead,
  unreadableRecord,
} from './reading.ts'
import { type Callback, type ExchangeKey, type Tally } from './store.ts'

export interface BatchWorkParts {
  tools: ReadingTools
  /** An exchange as it was before this batch; may be changed. */
  viewOf(exchange: ExchangeId): ExchangeView | undefined
  sourceOf(source: string): NoteSource | undefined
  /** Runs of the same gateway, this one left out. */
  othersOf(source: string): readonly NoteSource[]
}

interface Touched {
  view: ExchangeView
  /** How it was counted; undefined: it is new. */
  before: Omit<Tally, 'count'> | undefined
  wasSettled: boolean
  /** Its news, encoded. */
  events: string[]
}

/** What an entry has beside its events. */
const entryFrameBytes = 100
const eventBytesMax = entryBytesMax - entryFrameBytes

export class BatchWork {
  readonly #parts: BatchWorkParts
  readonly #touched = new Map<ExchangeId, Touched>()
  readonly #sources = new Map<string, NoteSource>()
  readonly #tallies = new Map<string, Tally>()
  /** News of no exchange, an entry each. */
  readonly #single: string[] = []
  readonly #isGap: boolean[] = []
  readonly keys: ExchangeKey[] = []
  eventCount = 0

  constructor(parts: BatchWorkParts) {
    this.#parts = parts
  }

  /** Throws only what the store throws: a reading that cannot be recorded is told as one that cannot be read. */
  take(record: IncomingRecord): void {
    const reading = readRecord(record, this.#parts.tools)
    if (reading.is === 'sheet') this.#takeSheet(reading)
    else this.#take(reading)
  }

  setAside(record: IncomingRecord, reason: string): void {
    this.#take(unreadableRecord(record, this.#parts.tools, reason))
  }

  /** Something that no record told. */
  note(reading: NoteRead): void {
    this.#take(reading)
  }

  /** Something is missing. */
  gap(event: LedgerEvent): void {
    this.#add(event, true)
  }

  /** A note that is no news changes nothing. */
  get #changed(): Touched[] {
    return [...this.#touched.values()].filter(({ events }) => events.length > 0)
  }

  get sources(): NoteSource[] {
    return [...this.#sources.values()]
  }

  get views(): ExchangeView[] {
    return this.#changed.map(({ view }) => view)
  }

  /** The entries, and which of them tell of something missing; views learn where theirs are. */
  entries(first: number): { entries: string[]; gaps: number[] } {
    const entries = [...this.#single]
    const gaps = this.#isGap.flatMap((isGap, i) => (isGap ? [first + i] : []))
    for (const { view, events } of this.#changed) {
      for (const some of packed(events)) {
        view.leaves.push(first + entries.length)
        entries.push(joinEntry(view.exchange, some))
      }
    }
    return { entries, gaps }
  }

  tallies(): Tally[] {
    for (const { view, before } of this.#changed) {
      if (before !== undefined) this.#count(before, -1)
      this.#count(tallyOf(view), 1)
    }
    return [...this.#tallies.values()].filter(({ count }) => count !== 0)
  }

  /** Exchanges that this batch settled and whose client wants to be called. */
  callbacks(dueMs: number): Callback[] {
    return this.#changed.flatMap(({ wasSettled, view: { exchange, request, outcome } }) =>
      request?.callback === true && outcome !== undefined && !wasSettled
        ? [{ exchange, client: request.client, dueMs, tries: 0 }]
        : [],
    )
  }

  #takeSheet(sheet: SheetRead): void {
    const { source, origin, at } = sheet
    const sourceOf = (name: string) => this.#sources.get(name) ?? this.#parts.sourceOf(name)
    const others = this.#parts.othersOf(source).map(other => this.#sources.get(other.source) ?? other)
    const numbered = numberNotes(sheet, sourceOf(source), others)
    if (numbered === undefined) {
      this.#take({ is: 'unreadable', exchange: '', at, source, origin, reason: 'its number cannot be' })
      return
    }
    for (const missing of numbered.missing) this.gap(missingEvent(missing, sheet))
    for (const changed of numbered.changed) this.#sources.set(changed.source, changed)
    for (const note of numbered.fresh) this.#take(note)
  }

  #take(reading: Reading): void {
    // Garbage, and a refusal of nobody known, is an event and no exchange: a flood of them must not fill the exchanges.
    const touched = isOfNobody(reading) ? undefined : this.#find(reading.exchange as ExchangeId, reading.at)
    const news = newsOf(touched?.view ?? nobody, reading)
    if (touched === undefined || news.isUnrecorded) {
      for (const event of news.events) this.#add(event)
      return
    }
    for (const event of news.events) evolve(touched.view, event)
    touched.events.push(...news.texts)
    this.eventCount += news.events.length
    if (reading.is === 'request' && reading.idempotency !== undefined && news.events[0]?.kind === 'accepted')
      this.keys.push(keyOf(reading.exchange, reading.idempotency, reading))
  }

  #add(event: LedgerEvent, isGap = false): void {
    this.#single.push(joinEntry(event.exchange, [encodeEvent(event)]))
    this.#isGap.push(isGap)
    this.eventCount++
    if (event.kind === 'unidentified') this.#count(unidentified, Number(event['count']))
  }

  #find(exchange: ExchangeId, atMs: number): Touched {
    const found = this.#touched.get(exchange)
    if (found !== undefined) return found
    const known = this.#parts.viewOf(exchange)
    const touched: Touched = {
      view: known ?? emptyView(exchange, atMs),
      before: known && tallyOf(known),
      wasSettled: known?.outcome !== undefined,
      events: [],
    }
    this.#touched.set(exchange, touched)
    return touched
  }

  #count(tally: Omit<Tally, 'count'>, by: number): void {
    const name = `${tally.provider}\n${tally.client}\n${tally.service}\n${tally.state}`
    const change = this.#tallies.get(name)
    if (change === undefined) this.#tallies.set(name, { ...tally, count: by })
    else change.count += by
  }
}

const isOfNobody = (reading: Reading): boolean =>
  reading.exchange === '' ||
  reading.is === 'unreadable' ||
  (reading.is === 'note' && reading.kind === 'refused' && reading.facts['client'] === undefined)

const nobody = emptyView('' as ExchangeId, 0)

/** Forms bound every value, so no event is near the limit; if one were, or if there is a fault of ours, that is said instead. */
function newsOf(
  view: ExchangeView,
  reading: Reading,
): { events: LedgerEvent[]; texts: string[]; isUnrecorded: boolean } {
  try {
    const events = eventsOf(view, reading)
    const texts = events.map(encodeEvent)
    if (texts.every(text => Buffer.byteLength(text) <= eventBytesMax)) return { events, texts, isUnrecorded: false }
  } catch {}
  const { exchange, at, source, origin } = reading
  const events = [eventOf('unreadable', { exchange, at, source, origin }, { reason: 'it cannot be recorded' })]
  return { events, texts: [], isUnrecorded: true }
}

/** As few lists as hold them all, each short enough for an entry. */
function* packed(events: readonly string[]): Generator<readonly string[]> {
  // A character has three bytes at most.
  if (events.reduce((sum, { length }) => sum + length + 1, 0) * 3 <= eventBytesMax) {
    yield events
    return
  }
  let some: string[] = []
  let bytes = 0
  for (const event of events) {
    const more = Buffer.byteLength(event) + 1
    if (some.length > 0 && bytes + more > eventBytesMax) {
      yield some
      some = []
      bytes = 0
    }
    some.push(event)
    bytes += more
  }
  if (some.length > 0) yield some
}

const missingEvent = ({ source, from, to }: MissingNotes, { at, origin }: SheetRead): LedgerEvent =>
  eventOf('gap', { exchange: '', at, source, origin }, { of: 'notes', from, to })

const keyOf = (
  exchange: ExchangeId,
  { key, body }: { key: string; body: string },
  { client, service, at }: { client: string; service: string; at: number },
): ExchangeKey => ({ exchange, key: `${client}/${service}/${key}`, body, acceptedMs: at })

const unidentified = { provider: '', client: '', service: '', state: 'unidentified' }

const tallyOf = (view: ExchangeView): Omit<Tally, 'count'> => ({
  provider: view.request?.provider ?? view.refused?.provider ?? '',
  client: view.request?.client ?? view.refused?.client ?? '',
  service: view.request?.service ?? view.refused?.service ?? '',
  state: stateOf(view),
})
