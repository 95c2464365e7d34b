// What the ledger stores of everything that happened. An event is made from a record and holds codes, names, pseudonyms, size
// classes, times and keyed commitments; never a value of a request or a reply. An entry is the news of one exchange in one read: its
// canonical JSON is one leaf of the log, what is hashed, stored and exported, so that anybody can hash it again.
import { type ReplyOutcome } from '#bus/message.ts'
import { type NoteKind } from '#bus/note.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { readJson } from '#contracts/strict-json.ts'

/** Of an entry in UTF-8: the one limit of writer and verifier (and below the 65,535 that an entry bundle of tlog-tiles can say). */
export const entryBytesMax = 16 * 1024

/**
 * accepted: the request is on its topic · repeated: it is there once more (a lost acknowledgement) · answered, failed,
 * expired: the first terminal record of its reply partition · early: a reply read before its request · late: any after the
 * first · unreadable: no record of ours · gap: records or notes that are missing · succession: the first entry of a log that
 * goes on where another ended (succession.ts) · and what gateways, hosts and the ledger note (bus/note.ts).
 */
export type EventKind =
  | 'accepted'
  | 'repeated'
  | ReplyOutcome
  | 'early'
  | 'late'
  | 'unreadable'
  | 'gap'
  | 'succession'
  | NoteKind

export interface LedgerEvent {
  readonly kind: EventKind
  /** Exchange id; '' of what is about none, or about one that cannot be told. */
  readonly exchange: string
  /** When it happened, epoch ms, as its source says; of an unreadable record when it was written. */
  readonly at: number
  /** `/gateway/<instance>/<run>`, `/adapter/<provider>/<instance>` or `/ledger/<instance>` */
  readonly source: string
  /** The record it was made from, `<bus>:<topic>/<partition>/<offset>`, and of a sheet of notes `#<which>`. */
  readonly origin: string
  readonly [detail: string]: EventDetail | undefined
}

export type EventDetail = string | number | boolean | readonly string[]

/** Of this format. Entries of format 1 are one event each, with its exchange among its members. */
export const entryFormat = 2

/** One form for one event: members sorted by name, those undefined and the exchange left out, no spaces. */
export function encodeEvent(event: LedgerEvent): string {
  let line = ''
  let before = ''
  for (const name in event) {
    if (name === 'exchange') continue
    // Whoever makes events makes their members in order; facts of notes may come in any.
    if (name < before) return encodeEvent(sorted(event))
    before = name
    const value = event[name]
    if (value !== undefined) line += `${line === '' ? '{' : ','}${quotedName(name)}:${encodeDetail(value)}`
  }
  return `${line}}`
}

const sorted = (event: LedgerEvent): LedgerEvent =>
  Object.fromEntries(
    Object.keys(event)
      .sort()
      .map(name => [name, event[name]]),
  ) as LedgerEvent

/** @param events each as `encodeEvent` gives it; at least one. */
export const joinEntry = (exchange: string, events: readonly string[]): string =>
  `{"events":[${events.join()}],"exchange":${JSON.stringify(exchange)},"v":${entryFormat}}`

export const encodeEntry = (events: readonly [LedgerEvent, ...LedgerEvent[]]): string =>
  joinEntry(events[0].exchange, events.map(encodeEvent))

/** The events of an entry; of both formats. Undefined: it is none. */
export function decodeEntry(entry: string): LedgerEvent[] | undefined {
  const value = readJson(entry)
  if (!isJsonObject(value)) return undefined
  if (value['v'] === 1) return isEvent(value) ? [value] : undefined
  const { v, exchange, events } = value
  if (v !== entryFormat || typeof exchange !== 'string' || !Array.isArray(events) || events.length === 0)
    return undefined
  const read = events.map(event => (isJsonObject(event) ? { ...event, exchange } : undefined))
  return read.every(event => isEvent(event)) ? read : undefined
}

const texts = ['kind', 'exchange', 'source', 'origin'] as const

function isEvent(value: JsonObject | undefined): value is LedgerEvent & JsonObject {
  if (value === undefined || !Number.isSafeInteger(value['at'])) return false
  return texts.every(name => typeof value[name] === 'string') && Object.values(value).every(isDetail)
}

const isDetail = (value: unknown): boolean =>
  typeof value === 'string' ||
  typeof value === 'number' ||
  typeof value === 'boolean' ||
  (Array.isArray(value) && value.every(item => typeof item === 'string'))

/** As JSON.stringify has it, without the call where a text has nothing to escape. */
const encodeDetail = (value: EventDetail): string =>
  typeof value === 'string' && !escaped.test(value) ? `"${value}"` : JSON.stringify(value)
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/

const quotedNames = new Map<string, string>()
/** An entry that is read may have any names; what is remembered of them is bounded. */
const namesKeptMax = 1_000

function quotedName(name: string): string {
  const known = quotedNames.get(name)
  if (known !== undefined) return known
  const quoted = JSON.stringify(name)
  if (quotedNames.size < namesKeptMax) quotedNames.set(name, quoted)
  return quoted
}
