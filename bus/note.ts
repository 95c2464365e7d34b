// What is told beside request and reply, on `ndx.note`. Gateways number what they note and send many in one record (a sheet), so that
// a reader knows what is missing and what came twice; hosts and the ledger send single notes. Writing and reading both sides
// stand here. A note holds codes, names, pseudonyms and counts: each fact has a form, and a fact that is not listed is refused.
import { type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'
import { type Form, hasForm, isCount } from '#bus/forms.ts'
import { type ExchangeId, headerNames, isExchangeId, MessageError, parseEvent, textOf } from '#bus/message.ts'
import { noteTopic, partitionOf } from '#bus/topics.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'

type FactForm = Form | 'count' | 'flag' | 'fields'

/** Of what a gateway ended without an answer. */
const ending = {
  client: 'client',
  provider: 'provider',
  service: 'service',
  version: 'version',
  purpose: 'code',
  procedure: 'code',
  officer: 'pseudonym',
  subject: 'pseudonym',
  agreement: 'agreement',
  parent: 'exchange',
  decision: 'code',
  outcome: 'code',
  code: 'code',
  status: 'count',
  fields: 'fields',
  withheld: 'fields',
  sent: 'flag',
  reply: 'place',
} as const

/**
 * Each kind with its facts. By a gateway: `delivered` (the client was given an answer), `refused`, `undelivered` (it was told of a
 * failure), `timed-out` (of an unknown outcome, or it had hung up), `incident`, `unidentified` (so many refusals with one code
 * before anybody was identified). By a host: `deferred`. By the ledger: `dead-lettered`, `called-back`, `uncalled` (a callback
 * given up), `replay-proposed` and `replay-approved` (steps of two operators).
 */
const factForms = {
  delivered: {
    client: 'client',
    officer: 'pseudonym',
    status: 'count',
    fields: 'fields',
    withheld: 'fields',
    reply: 'place',
  },
  refused: ending,
  undelivered: ending,
  'timed-out': ending,
  incident: {
    incident: 'code',
    provider: 'provider',
    withheld: 'fields',
    topic: 'topic',
    partition: 'count',
    offset: 'digits',
  },
  unidentified: { code: 'code', count: 'count' },
  deferred: { provider: 'provider', service: 'service' },
  'dead-lettered': { provider: 'provider', code: 'code', attempts: 'count', record: 'place' },
  'called-back': { client: 'client', tries: 'count' },
  uncalled: { client: 'client', tries: 'count', reason: 'reason' },
  'replay-proposed': { letter: 'letter', operator: 'operator', proposedBy: 'operator' },
  'replay-approved': { letter: 'letter', operator: 'operator', proposedBy: 'operator' },
} as const satisfies Record<string, Record<string, FactForm>>

export type NoteKind = keyof typeof factForms
export const noteKinds = Object.freeze(Object.keys(factForms) as NoteKind[])

export type NoteFacts = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface Note {
  kind: NoteKind
  /** '' of what is about no exchange. */
  exchangeId: ExchangeId | ''
  /** Epoch ms, as its source says. */
  notedMs: number
  facts: NoteFacts
}

/** Single notes are not numbered. */
export interface NoteMessage extends Note {
  exchangeId: ExchangeId
  /** `/adapter/<provider>/<instance>` or `/ledger/<instance>` */
  source: string
}

/** Notes of one source in the order of their numbers. */
export interface Sheet {
  /** `/gateway/<instance>/<run>`: numbers begin at 0 with every run. */
  source: string
  /** Number of the first. */
  first: number
  /** Each as `encodeNote` gives it. */
  notes: readonly string[]
  /** The run has ended: nothing comes after these. */
  isLast?: boolean
}

/** What a record of the topic holds. A note that cannot be read is there as its fault, so that the others keep their numbers. */
export interface ReadNotes {
  source: string
  /** Of a sheet; undefined: a single note. */
  first?: number
  isLast: boolean
  notes: readonly (Note | MessageError)[]
}

const sheetType = 'ndx.notes'
const noteTypePrefix = 'ndx.note.'
/** Most notes of a sheet, and most bytes of all of them together. */
export const sheetNotesMax = 500
export const sheetBytesMax = 256 * 1024
const fieldsMax = 100

/** One line of JSON. */
export const encodeNote = ({ kind, exchangeId, notedMs, facts }: Note): string =>
  JSON.stringify({ kind, exchange: exchangeId, at: notedMs, facts })

/** All sheets of an instance are on one partition, so that they are read in the order in which they were sent. */
export function writeSheet({ source, first, notes, isLast = false }: Sheet, nowMs: number): OutgoingRecord {
  const head = {
    specversion: '1.0',
    id: `${source}:${first}`,
    source,
    type: sheetType,
    time: new Date(nowMs).toISOString(),
    datacontenttype: 'application/json',
  }
  const value = `${JSON.stringify(head).slice(0, -1)},"data":{"first":${first},"last":${isLast},"notes":[${notes.join()}]}}`
  const partition = partitionOf(noteTopic, source.slice(0, source.lastIndexOf('/')))
  return { key: null, partition, headers: { [headerNames.contentType]: 'application/cloudevents+json' }, value }
}

export function writeNote({ kind, exchangeId, source, notedMs, facts }: NoteMessage): OutgoingRecord {
  const event = {
    specversion: '1.0',
    id: `${exchangeId}:${kind}`,
    source,
    type: `${noteTypePrefix}${kind}`,
    time: new Date(notedMs).toISOString(),
    datacontenttype: 'application/json',
    data: facts,
  }
  return {
    key: null,
    headers: { [headerNames.exchangeId]: exchangeId, [headerNames.contentType]: 'application/cloudevents+json' },
    value: JSON.stringify(event),
  }
}

export const isNote = (read: Note | MessageError): read is Note => !(read instanceof MessageError)

/** Throws MessageError when the record as a whole is not one of notes. */
export function readNotes(record: IncomingRecord): ReadNotes {
  const event = parseEvent(record)
  const source = event['source']
  if (!hasForm('source', source)) throw new MessageError('source is not one')
  if (!isJsonObject(event['data'])) throw new MessageError('data is not an object')
  if (event['type'] === sheetType) return readSheet(source, event['data'])
  return { source, isLast: false, notes: [readSingle(event)] }
}

function readSheet(source: string, { first, last, notes }: JsonObject): ReadNotes {
  if (!isCount(first)) throw new MessageError('first is not a number of a note')
  if (!Array.isArray(notes) || notes.length > sheetNotesMax) throw new MessageError('notes is not a list of notes')
  return { source, first, isLast: last === true, notes: notes.map(readOne) }
}

function readSingle(event: JsonObject): Note {
  const type = textOf(event, 'type')
  const kind = type.startsWith(noteTypePrefix) ? type.slice(noteTypePrefix.length) : ''
  const exchange = textOf(event, 'id').slice(0, -kind.length - 1)
  const note = readOne({ kind, exchange, at: Date.parse(textOf(event, 'time')), facts: event['data'] as JsonObject })
  if (note instanceof MessageError) throw note
  return note
}

/** Never throws. */
function readOne(given: unknown): Note | MessageError {
  if (!isJsonObject(given)) return new MessageError('a note is not an object')
  const { kind, exchange, at, facts } = given
  const forms = typeof kind === 'string' && Object.hasOwn(factForms, kind) ? factForms[kind as NoteKind] : undefined
  if (forms === undefined) return new MessageError('kind is not one of a note')
  if (exchange !== '' && !isExchangeId(exchange)) return new MessageError('exchange is not an exchange id')
  if (!isCount(at)) return new MessageError('at is not a time')
  if (!isJsonObject(facts)) return new MessageError('facts is not an object')
  const fault = factFault(facts, forms)
  if (fault !== undefined) return new MessageError(fault)
  return { kind: kind as NoteKind, exchangeId: exchange as ExchangeId | '', notedMs: at, facts: facts as NoteFacts }
}

/** Names a fact only when it is listed: any other name could be anything. */
function factFault(facts: JsonObject, forms: Readonly<Record<string, FactForm>>): string | undefined {
  for (const name in facts) {
    const form = Object.hasOwn(forms, name) ? forms[name] : undefined
    if (form === undefined) return 'a fact is not one of its kind'
    if (!isFact(form, facts[name])) return `${name} is not of its form`
  }
  return undefined
}

function isFact(form: FactForm, value: unknown): boolean {
  if (form === 'count') return isCount(value)
  if (form === 'flag') return typeof value === 'boolean'
  if (form === 'fields')
    return Array.isArray(value) && value.length <= fieldsMax && value.every(name => hasForm('field', name))
  return hasForm(form, value)
}
