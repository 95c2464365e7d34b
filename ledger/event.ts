// What the ledger stores of everything that happened: one event, one leaf of the log. An event is made from a record of the road
// and holds codes, names, pseudonyms, sizes, times and keyed commitments; never a value of a request or a reply. Its canonical
// JSON is what is hashed, stored and exported, so that anybody can hash it again.
import { type NoteKind, type ReplyOutcome } from '#bus/message.ts'

/**
 * accepted: the request is on its topic · repeated: it is there once more (a lost acknowledgement) · answered, failed,
 * expired: the first terminal record of its reply partition · late: any after it · unreadable: no record of ours · and
 * what gateways, hosts and the ledger note (bus/message.ts) · succession: the first entry of a log that goes on where another
 * ended (succession.ts); of no exchange, made from no record.
 */
export type EventKind = 'accepted' | 'repeated' | ReplyOutcome | 'late' | 'unreadable' | 'succession' | NoteKind

export interface LedgerEvent {
  /** Of this format. */
  readonly v: 1
  readonly kind: EventKind
  /** Exchange id; of an unreadable record perhaps ''. */
  readonly exchange: string
  /** When it happened, epoch ms, as its source says; of an unreadable record when it was written. */
  readonly at: number
  /** `/gateway/<instance>`, `/adapter/<provider>/<instance>` or `/ledger/<instance>` */
  readonly source: string
  /** The record it was made from: `<road>:<topic>/<partition>/<offset>`. */
  readonly origin: string
  readonly [detail: string]: EventDetail | undefined
}

export type EventDetail = string | number | boolean | readonly string[]

/** One form for one event: members sorted by name, those undefined left out, no spaces. One line, UTF-8. */
export function encodeEvent(event: LedgerEvent): string {
  let line = ''
  for (const name of sortedNames(event)) {
    const value = event[name]
    if (value !== undefined) line += `${line === '' ? '{' : ','}${quotedName(name)}:${encodeDetail(value)}`
  }
  return `${line}}`
}

/** As JSON.stringify has it, without the call where a text has nothing to escape. */
const encodeDetail = (value: EventDetail): string =>
  typeof value === 'string' && !escaped.test(value) ? `"${value}"` : JSON.stringify(value)
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
const escaped = /["\\\u0000-\u001f\ud800-\udfff]/

/** Events of a kind have the same members in the same order: sorting them once is enough. */
const sortedLists = new Map<string, string[]>()
const quotedNames = new Map<string, string>()
/** Names come over the road in notes; what is remembered of them is bounded. */
const namesKeptMax = 1_000

function sortedNames(event: LedgerEvent): string[] {
  const names = Object.keys(event)
  const list = names.join()
  const known = sortedLists.get(list)
  if (known !== undefined) return known
  const sorted = names.sort()
  if (sortedLists.size < namesKeptMax) sortedLists.set(list, sorted)
  return sorted
}

function quotedName(name: string): string {
  const known = quotedNames.get(name)
  if (known !== undefined) return known
  const quoted = JSON.stringify(name)
  if (quotedNames.size < namesKeptMax) quotedNames.set(name, quoted)
  return quoted
}
