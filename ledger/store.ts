// What the ledger keeps, as the rest of it sees it. One transaction a batch: entries, exchanges and offsets together or not at all,
// so that a restart goes on exactly where it stopped. SQLite stands behind it (sqlite-store.ts; `:memory:` in tests).
import { type ExchangeId } from '#bus/message.ts'
import { type ExchangeView } from './exchange-view.ts'
import { type Tile } from './merkle/tiles.ts'
import { type NoteSource } from './note-numbers.ts'

export interface Position {
  road: string
  topic: string
  partition: number
  /** The offset to read next. */
  next: number
  /** Of the record before it: an offset of a topic that was made anew, or of a log that was cut, is no position. */
  topicId?: string
  leaderEpoch?: number
}

export interface Batch {
  /** Index of the first of `entries`. */
  first: number
  /** Canonical JSON (event.ts), each of one exchange. */
  entries: readonly string[]
  tiles: readonly Tile[]
  /** With the entries of this batch among their leaves. */
  views: readonly ExchangeView[]
  /** What the views add to the tallies; negative where an exchange left a state. */
  tallies: readonly Tally[]
  positions: readonly Position[]
  sources: readonly NoteSource[]
  /** Exchanges whose client is to be called back now. */
  callbacks: readonly Callback[]
  keys: readonly ExchangeKey[]
  /** Indexes of entries that say that something is missing. */
  gaps: readonly number[]
}

export interface Callback {
  exchange: ExchangeId
  client: string
  /** Epoch ms of the next try, and how many were made. */
  dueMs: number
  tries: number
}

/** An exchange accepted with an Idempotency-Key. It can be forgotten, so it stands in no entry. */
export interface ExchangeKey {
  exchange: ExchangeId
  /** `<client>/<service>/<keyed digest>` */
  key: string
  /** Keyed digest of the body it came with. */
  body: string
  acceptedMs: number
}

/** `dueMs` of a callback that was given up: never. */
export const givenUpMs = 8e15

/** A place in the order of what is overdue. */
export interface OverduePlace {
  dueMs: number
  exchange: ExchangeId
}

export interface StoredCheckpoint {
  size: number
  /** Epoch ms. */
  atMs: number
  /** The signed note, with the witnesses' cosignatures that came. */
  note: string
}

/**
 * How many exchanges stand how. Of a refusal provider and service may be '': it named none that there is. State
 * `unidentified`: refusals of nobody known, which are no exchanges.
 */
export interface Tally {
  provider: string
  client: string
  service: string
  state: string
  count: number
}

export interface LedgerStore {
  /** All or nothing, on disk when it returns. */
  append(batch: Batch): void
  /** Of this bus. */
  positions(road: string): Position[]
  sources(): NoteSource[]
  readonly size: number
  /** Made again from its entries. */
  view(exchange: string): ExchangeView | undefined
  /** The greatest id of an exchange, in the order of the text. */
  newestExchange(): string | undefined
  /** The first that was accepted with this key, and the body it came with. */
  viewByKey(key: string): { view: ExchangeView; body: string } | undefined
  /** Those that name it as their parent, in the order of their ids; at most `max`. */
  children(exchange: string, max: number): ExchangeView[]
  /** The entries from that index on, at most `max`. */
  entries(from: number, max: number): string[]
  tile(level: number, index: number): Buffer | undefined
  /** Accepted, without an outcome, deadline before that moment, behind `after`; by deadline, then by id. */
  overdue(beforeMs: number, max: number, after?: OverduePlace): ExchangeView[]
  /** Those that contradict themselves (gapOf), due or first seen before that moment; the oldest first. */
  contradicted(beforeMs: number, max: number): ExchangeView[]
  /** Entries that say that something is missing, the newest first. */
  gaps(max: number): { index: number; entry: string }[]
  tallies(): Tally[]
  /** Keys of exchanges accepted before that moment are forgotten. */
  forgetKeys(beforeMs: number): void
  addCheckpoint(checkpoint: StoredCheckpoint): void
  /** The newest, or undefined. */
  lastCheckpoint(): StoredCheckpoint | undefined
  /** Those of more than `size` entries, the smallest first. */
  checkpoints(size: number, max: number): StoredCheckpoint[]
  /** Clients with a callback due before that moment, in the order of their ids. */
  callbackClients(beforeMs: number): string[]
  /** Of one client, due before that moment; the earliest first. */
  dueCallbacks(client: string, beforeMs: number, max: number): Callback[]
  /** Those whose `dueMs` is `givenUpMs`. */
  givenUpCallbacks(max: number): Callback[]
  callback(exchange: ExchangeId): Callback | undefined
  /** `undefined`: it is over. */
  putCallback(exchange: ExchangeId, callback: Callback | undefined): void
  /** A copy of all of it, made while it is used; resolves with the entries that are in it. Not two at once. */
  copyTo(path: string): Promise<number>
  /** Bytes on disk, the write-ahead log included. */
  bytes(): number
  close(): void
}
