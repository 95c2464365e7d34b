// From records to the log: reads a batch, applies it to the exchanges concerned, appends its events, and stores all of it with the
// offsets in one transaction. What fails is as if it had never been read: the same records come again. Single-threaded on
// purpose: the order of the log is the order in which batches were committed.
import { type IncomingRecord } from '#bus/bus.ts'
import { type ExchangeId } from '#bus/message.ts'
import { encodeEvent, type LedgerEvent } from './event.ts'
import { applyReading, type ExchangeView, emptyView, stateOf } from './exchange-view.ts'
import { type LogAppender } from './log-appender.ts'
import { type Reading, type ReadingTools, readRecord } from './reading.ts'
import { type Callback, type LedgerStore, type Position, type Tally } from './store.ts'

/** Views kept at hand until nothing more is expected: replies and notes of an exchange come within a moment of its request. */
const viewsKeptMax = 15_000
/** Of one exchange: a client may look at its answer again and again; its receipt holds so many events. */
const leavesMax = 1_000

export interface IngestionParts {
  store: LedgerStore
  appender: LogAppender
  tools: ReadingTools
  /** Epoch ms on the road's clock. */
  now(): number
  /** Committed; views as they are now. Must not throw. */
  onCommitted(committed: { events: readonly LedgerEvent[]; views: readonly ExchangeView[] }): void
}

export interface Ingestion {
  /** Throws when the store does; then nothing has changed. */
  ingest(records: readonly IncomingRecord[]): void
  /** The offset to read next; undefined: nothing read yet. */
  next(topic: string, partition: number): number | undefined
  /** What was to be read next is gone, or the topic was made anew: reading goes on at `found`. */
  jump(gap: { topic: string; partition: number; found: number }): void
}

export function createIngestion({ store, appender, tools, now, onCommitted }: IngestionParts): Ingestion {
  const kept = new Map<ExchangeId, ExchangeView>()
  const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`
  const positions = new Map(
    store.positions(tools.road).map(position => [placeOf(position.topic, position.partition), position]),
  )

  /** The newest exchange that only the store may know. Ids are UUIDv7: whatever is later than it is new. */
  let newestStored = store.newestExchange() ?? ''
  const viewOf = (exchange: ExchangeId): ExchangeView | undefined =>
    kept.get(exchange) ?? (exchange > newestStored ? undefined : store.view(exchange))

  function keep(views: Iterable<ExchangeView>): void {
    for (const view of views) {
      kept.delete(view.exchange)
      if (isOver(view)) leaveToStore(view.exchange)
      else kept.set(view.exchange, view)
    }
    for (const exchange of kept.keys()) {
      if (kept.size <= viewsKeptMax) return
      kept.delete(exchange)
      leaveToStore(exchange)
    }
  }

  function leaveToStore(exchange: ExchangeId): void {
    if (exchange > newestStored) newestStored = exchange
  }

  return {
    next: (topic, partition) => positions.get(placeOf(topic, partition))?.next,
    jump({ topic, partition, found }) {
      positions.set(placeOf(topic, partition), { road: tools.road, topic, partition, next: found })
    },
    ingest(records) {
      const moved = new Map<string, Position>()
      const work = new BatchWork(viewOf, appender.size)
      for (const record of records) {
        const { topic, partition, offset } = record
        const at = Number(offset)
        const next = (moved.get(placeOf(topic, partition)) ?? positions.get(placeOf(topic, partition)))?.next ?? 0
        // Read again after a failed hand-over: what is stored is not stored twice.
        if (at < next) continue
        moved.set(placeOf(topic, partition), { road: tools.road, topic, partition, next: at + 1 })
        work.apply(readRecord(record, tools))
      }
      if (moved.size === 0) return
      const entries = work.events.map(encodeEvent)
      const views = [...work.views.values()]
      const first = appender.size
      appender.append(entries, tiles =>
        store.append({
          first,
          entries,
          tiles,
          views,
          tallies: work.tallies(),
          positions: [...moved.values()],
          callbacks: work.callbacks(now()),
        }),
      )
      for (const [place, position] of moved) positions.set(place, position)
      keep(views)
      onCommitted({ events: work.events, views })
    },
  }
}

/** One batch on its way: the views it touches, before and after, and its events. */
class BatchWork {
  readonly events: LedgerEvent[] = []
  readonly views = new Map<ExchangeId, ExchangeView>()
  readonly #before = new Map<ExchangeId, ExchangeView | undefined>()
  readonly #viewOf: (exchange: ExchangeId) => ExchangeView | undefined
  readonly #first: number

  constructor(viewOf: (exchange: ExchangeId) => ExchangeView | undefined, first: number) {
    this.#viewOf = viewOf
    this.#first = first
  }

  apply(reading: Reading): void {
    const exchange = isOfNobody(reading) ? '' : reading.exchange
    // A refusal without a client, or garbage, is an event and no exchange: a flood of them must not fill the views.
    const view = exchange === '' ? emptyView(exchange as ExchangeId, 0) : this.#find(exchange, reading.at)
    const applied = applyReading(view, reading)
    const leaves = applied.events.map((_, i) => this.#first + this.events.length + i)
    this.events.push(...applied.events)
    if (exchange === '') return
    const all = [...applied.view.leaves, ...leaves]
    this.views.set(exchange, { ...applied.view, leaves: all.length > leavesMax ? all.slice(0, leavesMax) : all })
  }

  #find(exchange: ExchangeId, atMs: number): ExchangeView {
    const touched = this.views.get(exchange)
    if (touched !== undefined) return touched
    const before = this.#viewOf(exchange)
    this.#before.set(exchange, before)
    return before ?? emptyView(exchange, Number.isFinite(atMs) ? atMs : 0)
  }

  tallies(): Tally[] {
    const changes = new Map<string, Tally>()
    const count = (view: ExchangeView, by: number): void => {
      const tally = tallyOf(view)
      const name = `${tally.provider}\n${tally.client}\n${tally.service}\n${tally.state}`
      const change = changes.get(name)
      if (change === undefined) changes.set(name, { ...tally, count: by })
      else change.count += by
    }
    for (const view of this.views.values()) {
      const before = this.#before.get(view.exchange)
      if (before !== undefined) count(before, -1)
      count(view, 1)
    }
    return [...changes.values()].filter(change => change.count !== 0)
  }

  /** Exchanges that this batch settled and whose client wants to be called. */
  callbacks(dueMs: number): Callback[] {
    return [...this.views.values()].flatMap(({ exchange, request, outcome }) =>
      request?.callback === true && outcome !== undefined && this.#before.get(exchange)?.outcome === undefined
        ? [{ exchange, client: request.client, dueMs, tries: 0 }]
        : [],
    )
  }
}

/** Answered and told so, or refused: what may still come is rare, and then the store is asked. */
const isOver = ({ request, outcome, told, refused }: ExchangeView): boolean =>
  request === undefined ? refused !== undefined : outcome !== undefined && told.includes('delivered')

const isOfNobody = (reading: Reading): boolean =>
  reading.is === 'unreadable' ||
  (reading.is === 'note' && reading.kind === 'refused' && reading.facts['client'] === undefined)

const tallyOf = (view: ExchangeView): Omit<Tally, 'count'> => ({
  provider: view.request?.provider ?? view.refused?.provider ?? '',
  client: view.request?.client ?? view.refused?.client ?? '',
  service: view.request?.service ?? view.refused?.service ?? '',
  state: stateOf(view),
})
