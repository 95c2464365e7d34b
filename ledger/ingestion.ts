// From records to the log: reads a batch, adds its events to the exchanges concerned, appends the entries, and stores all of it with
// the offsets in one transaction. What fails is as if it had never been read: the same records come again. Single-threaded on
// purpose: the order of the log is the order in which batches were committed.
import { type BusGap, type IncomingRecord } from '#bus/bus.ts'
import { type ExchangeId } from '#bus/message.ts'
import { type NoteFacts, type NoteKind } from '#bus/note.ts'
import { isReplyTopic, isRequestTopic } from '#bus/topics.ts'
import { BatchWork } from './batch-work.ts'
import { type LedgerEvent } from './event.ts'
import { eventOf } from './exchange-events.ts'
import { type ExchangeView } from './exchange-view.ts'
import { type LogAppender } from './log-appender.ts'
import { instanceOf, type NoteSource } from './note-numbers.ts'
import { type ReadingTools } from './reading.ts'
import { type LedgerStore, type Position } from './store.ts'

/** Views kept at hand until nothing more is expected: replies and notes of an exchange come within a moment of its request. */
const viewsKeptMax = 15_000
/** One of more entries is asked for again and again, and long to be made again. */
const leavesFewMax = 8

export interface IngestionParts {
  store: LedgerStore
  appender: LogAppender
  tools: ReadingTools
  /** `/ledger/<instance>` */
  source: string
  /** Epoch ms on the bus's clock. */
  now(): number
  /** Committed; views as they are now. Must not throw. */
  onCommitted(committed: { events: number; views: readonly ExchangeView[] }): void
}

export interface Ingestion {
  /** Throws when the store does; then nothing has changed. */
  ingest(records: readonly IncomingRecord[]): void
  /** As `ingest`, but the record is told as one that cannot be read. */
  setAside(record: IncomingRecord): void
  /** What the ledger itself did: on the log when it returns. Throws as `ingest`. */
  note(kind: NoteKind, exchange: ExchangeId, facts: NoteFacts): void
  /** The position of a partition; undefined: nothing read yet. */
  position(topic: string, partition: number): Position | undefined
  /** Something that was to be read next is missing: an entry of the log and the new position in one. Throws as `ingest`. */
  jump(gap: BusGap): void
}

export function createIngestion({ store, appender, tools, source, now, onCommitted }: IngestionParts): Ingestion {
  const kept = new KeptViews(store)
  const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`
  const positions = new Map(
    store.positions(tools.road).map(position => [placeOf(position.topic, position.partition), position]),
  )
  const sources = new Map(store.sources().map(known => [known.source, known]))

  const begin = (): BatchWork =>
    new BatchWork({
      tools,
      viewOf: exchange => kept.find(exchange),
      sourceOf: name => sources.get(name),
      othersOf: name => runsOf(sources, name),
    })

  function commit(work: BatchWork, moved: ReadonlyMap<string, Position>): void {
    if (moved.size === 0 && work.eventCount === 0) return
    const { views } = work
    const first = appender.size
    const { entries, gaps } = work.entries(first)
    try {
      appender.append(entries, tiles =>
        store.append({
          first,
          entries,
          tiles,
          views,
          tallies: work.tallies(),
          positions: [...moved.values()],
          sources: work.sources,
          callbacks: work.callbacks(now()),
          keys: work.keys,
          gaps,
        }),
      )
    } catch (error) {
      // They hold what did not happen; the store knows better.
      kept.forget(views)
      throw error
    }
    for (const [place, position] of moved) positions.set(place, position)
    for (const changed of work.sources) sources.set(changed.source, changed)
    kept.keep(views)
    onCommitted({ events: work.eventCount, views })
  }

  return {
    note(kind, exchange, facts) {
      const work = begin()
      work.note({ is: 'note', kind, exchange, at: now(), source, origin: '', facts, isNumbered: false })
      commit(work, new Map())
    },
    position: (topic, partition) => positions.get(placeOf(topic, partition)),
    jump(gap) {
      const { topic, partition, from, to } = gap
      const work = begin()
      // A topic made anew of which nothing was ever read: only its id is news.
      if (from > 0 || to > 0) work.gap(gapEvent(gap, { source, at: now(), road: tools.road }))
      commit(work, new Map([[placeOf(topic, partition), positionAt(gap, to, tools.road)]]))
    },
    ingest(records) {
      const work = begin()
      const moved = new Map<string, Position>()
      for (const record of requestsFirst(records)) {
        const place = placeOf(record.topic, record.partition)
        const at = Number(record.offset)
        // Read again after a failed hand-over: what is stored is not stored twice.
        if (at < ((moved.get(place) ?? positions.get(place))?.next ?? 0)) continue
        moved.set(place, positionAt(record, at + 1, tools.road))
        work.take(record)
      }
      commit(work, moved)
    },
    setAside(record) {
      const work = begin()
      work.setAside(record, 'it cannot be recorded')
      const position = positionAt(record, Number(record.offset) + 1, tools.road)
      commit(work, new Map([[placeOf(record.topic, record.partition), position]]))
    },
  }
}

/** Each partition keeps its order; but between topics there is none, and a reply is no surprise once its request was read. */
function* requestsFirst(records: readonly IncomingRecord[]): Generator<IncomingRecord> {
  for (const record of records) if (isRequestTopic(record.topic)) yield record
  for (const record of records) if (isReplyTopic(record.topic)) yield record
  for (const record of records) if (!isRequestTopic(record.topic) && !isReplyTopic(record.topic)) yield record
}

const positionAt = (
  { topic, partition, topicId, leaderEpoch }: Pick<IncomingRecord, 'topic' | 'partition' | 'topicId' | 'leaderEpoch'>,
  next: number,
  road: string,
): Position => ({
  road,
  topic,
  partition,
  next,
  ...(topicId === undefined ? {} : { topicId }),
  ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
})

function gapEvent(
  { topic, partition, from, to, reason }: BusGap,
  { source, at, road }: { source: string; at: number; road: string },
): LedgerEvent {
  const origin = `${road}:${topic}/${partition}/${to}`
  return eventOf('gap', { exchange: '', at, source, origin }, { of: 'records', topic, partition, from, to, reason })
}

const runsOf = (sources: ReadonlyMap<string, NoteSource>, name: string): NoteSource[] =>
  sources.has(name)
    ? []
    : [...sources.values()].filter(other => instanceOf(other.source) === instanceOf(name) && other.source !== name)

/** Answered and told so, or refused: what may still come is rare, and then the store is asked. */
const isOver = ({ request, outcome, told, refused, leaves }: ExchangeView): boolean =>
  leaves.length <= leavesFewMax &&
  (request === undefined ? refused !== undefined : outcome !== undefined && told.includes('delivered'))

/** The views touched last, so that most exchanges are not read back while they go on. */
class KeptViews {
  readonly #store: LedgerStore
  readonly #views = new Map<ExchangeId, ExchangeView>()
  /** The newest exchange that only the store may know. Ids are UUIDv7: whatever is later than it is new. */
  #newestStored: string

  constructor(store: LedgerStore) {
    this.#store = store
    this.#newestStored = store.newestExchange() ?? ''
  }

  find(exchange: ExchangeId): ExchangeView | undefined {
    return this.#views.get(exchange) ?? (exchange > this.#newestStored ? undefined : this.#store.view(exchange))
  }

  keep(views: readonly ExchangeView[]): void {
    for (const view of views) {
      this.#views.delete(view.exchange)
      if (isOver(view)) this.#leaveToStore(view.exchange)
      else this.#views.set(view.exchange, view)
    }
    for (const exchange of this.#views.keys()) {
      if (this.#views.size <= viewsKeptMax) return
      this.#leaveToStore(exchange)
    }
  }

  forget(views: readonly ExchangeView[]): void {
    for (const { exchange } of views) if (this.#views.has(exchange)) this.#leaveToStore(exchange)
  }

  #leaveToStore(exchange: ExchangeId): void {
    this.#views.delete(exchange)
    if (exchange > this.#newestStored) this.#newestStored = exchange
  }
}
