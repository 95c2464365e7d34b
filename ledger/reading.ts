// What the ledger takes from one record, before it knows anything of its exchange: pure, and without a value of the data, so that
// what is kept of a record can be stored. Requests and replies become commitments, size classes and names. Total: whatever
// stands on a topic gives a reading, and what cannot be read gives one that says so and where it is, never what it holds.
import { type IncomingRecord } from '#bus/bus.ts'
import { isReplayStep, readDeadLetter, readReplayStep } from '#bus/dead-letter.ts'
import { hasForm } from '#bus/forms.ts'
import {
  type ExchangeId,
  exchangeIdOf,
  isExchangeId,
  MessageError,
  publishWithinMs,
  type ReplyMessage,
  type ReplyOutcome,
  readReply,
  readRequest,
  serviceOfType,
} from '#bus/message.ts'
import { isNote, type NoteFacts, type NoteKind, readNotes } from '#bus/note.ts'
import { deadLetterTopic, isReplyTopic, isRequestTopic, noteTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ClientId, type ProviderId, type Service, type ServiceId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { sizeClassOf } from './size-class.ts'

interface Read {
  exchange: ExchangeId | ''
  /** Epoch ms, as its source says. */
  at: number
  source: string
  /** `<bus>:<topic>/<partition>/<offset>` */
  origin: string
}

export interface RequestRead extends Read {
  is: 'request'
  exchange: ExchangeId
  client: ClientId
  provider: ProviderId
  service: ServiceId
  /** CloudEvents type, and the major version in it. */
  type: string
  major: number
  contractHash: string
  agreement: string
  purpose: string
  procedure?: string
  officer?: string
  subject: string
  fields: readonly string[]
  traceparent: string
  deadlineMs: number
  replyPartition: number
  callback: boolean
  parent?: ExchangeId
  idempotency?: { key: string; body: string }
  commitment: string
  /** Size class of the record's value, in bytes. */
  size: number
}

export interface ReplyRead extends Read {
  is: 'reply'
  exchange: ExchangeId
  topic: string
  partition: number
  outcome: ReplyOutcome
  code?: string
  /** '' when it cannot be read. */
  type: string
  contractHash: string
  /** Names of the reply's members; none of a match, where they may tell how it came out. */
  released?: readonly string[]
  commitment?: string
  waitedMs: number
  handledMs: number
  size: number
}

export interface NoteRead extends Read {
  is: 'note'
  kind: NoteKind
  facts: NoteFacts
  /** Its source numbers what it notes: each is news of its own. */
  isNumbered: boolean
}

export interface UnreadableRead extends Read {
  is: 'unreadable'
  /** Which part is broken; never a value. */
  reason: string
}

/** Notes of one source, numbered from `first` on. */
export interface SheetRead {
  is: 'sheet'
  source: string
  first: number
  /** The source's run has ended. */
  isLast: boolean
  notes: readonly (NoteRead | UnreadableRead)[]
  /** When the record was written, epoch ms. */
  at: number
  origin: string
}

export type Reading = RequestRead | ReplyRead | NoteRead | UnreadableRead

export interface ReadingTools {
  /** Of the bus (bus.id()). */
  road: string
  /** Keyed commitment to the data of a request or a reply. */
  commit(exchangeId: string, kind: 'request' | 'reply', data: string): string
  /** The service of a reply, by its CloudEvents type and contract hash; undefined when the contract is not known here. */
  serviceOf(replyType: string, contractHash: string): Service | undefined
}

/** What an envelope adds to a contract's `replyBytesMax`. */
const envelopeBytesMax = 2048
/** No contract gives an exchange longer than this. */
const lifeMaxMs = 31 * 86_400_000

/** Never throws: what cannot be read is `unreadable`, or a failed reply where the record names its exchange. */
export function readRecord(record: IncomingRecord, tools: ReadingTools): Reading | SheetRead {
  try {
    if (isRequestTopic(record.topic)) return readAccepted(record, tools)
    if (isReplyTopic(record.topic)) return readOutcome(record, tools)
    if (record.topic === noteTopic) return readTold(record, tools)
    if (record.topic === deadLetterTopic) return readGivenUp(record, tools)
    throw new MessageError('the topic holds nothing for the ledger')
  } catch (error) {
    return unreadableRecord(record, tools, reasonOf(error))
  }
}

/** The reading of a record that is set aside. */
export const unreadableRecord = (record: IncomingRecord, tools: ReadingTools, reason: string): UnreadableRead => ({
  is: 'unreadable',
  exchange: exchangeIn(record) ?? '',
  at: record.timestampMs,
  source: '',
  origin: originOf(record, tools),
  reason,
})

/** A fault of ours may quote what it met: only the words of MessageError are known to hold no value. */
const reasonOf = (error: unknown): string =>
  error instanceof MessageError ? error.message : `reading it failed: ${error instanceof Error ? error.name : 'fault'}`

export const originOf = ({ topic, partition, offset }: IncomingRecord, { road }: Pick<ReadingTools, 'road'>): string =>
  `${road}:${topic}/${partition}/${offset}`

const exchangeIn = (record: IncomingRecord): ExchangeId | undefined => {
  const id = exchangeIdOf(record)
  return isExchangeId(id) ? id : undefined
}

function readAccepted(record: IncomingRecord, tools: ReadingTools): RequestRead {
  const message = readRequest(record)
  const { provider, service } = serviceOfType(message.type)
  if (record.topic !== requestTopic(provider)) throw new MessageError('the type names another provider than the topic')
  if (message.replyTopic !== replyTopic(provider))
    throw new MessageError('the reply is wanted where this provider does not write')
  if (message.deadlineMs > message.acceptedMs + lifeMaxMs) throw new MessageError('the deadline is too far away')
  const { procedure, officer, idempotency, parent } = message
  return {
    is: 'request',
    exchange: message.exchangeId,
    at: message.acceptedMs,
    source: message.source,
    origin: originOf(record, tools),
    client: message.client,
    provider,
    service,
    type: message.type,
    major: Number(message.type.slice(message.type.lastIndexOf('v') + 1)),
    contractHash: message.contractHash,
    agreement: message.agreement,
    purpose: message.purpose,
    ...(procedure === undefined ? {} : { procedure }),
    ...(officer === undefined ? {} : { officer }),
    subject: message.subject,
    fields: message.fields,
    traceparent: message.traceparent,
    deadlineMs: message.deadlineMs,
    replyPartition: message.replyPartition,
    callback: message.callback === true,
    ...(parent === undefined ? {} : { parent }),
    // A request that came too late is void: its key is another's.
    ...(idempotency === undefined || record.timestampMs > message.acceptedMs + publishWithinMs ? {} : { idempotency }),
    commitment: tools.commit(message.exchangeId, 'request', JSON.stringify(message.data)),
    size: sizeClassOf(record.value.length),
  }
}

/** Whatever names its exchange in the header settles it, be it only as a failure. */
function readOutcome(record: IncomingRecord, tools: ReadingTools): ReplyRead {
  const exchange = exchangeIn(record)
  if (exchange === undefined) throw new MessageError('no header names its exchange')
  const place = {
    is: 'reply' as const,
    exchange,
    origin: originOf(record, tools),
    topic: record.topic,
    partition: record.partition,
  }
  try {
    return { ...place, ...judge(readReply(record), record, tools) }
  } catch {
    return {
      ...place,
      outcome: 'failed',
      code: 'REPLY_INVALID',
      at: record.timestampMs,
      source: '',
      type: '',
      contractHash: '',
      waitedMs: 0,
      handledMs: 0,
      size: sizeClassOf(record.value.length),
    }
  }
}

/** As the gateway judges it: what breaks its contract is a failed outcome. */
function judge({ data, ...message }: ReplyMessage, record: IncomingRecord, tools: ReadingTools) {
  const { exchangeId, type, contractHash, outcome, code } = message
  const service = tools.serviceOf(type, contractHash)
  const isInvalid = outcome === 'answered' && (data === undefined || breaksContract(data, record, service))
  const isMatch = service?.contract.mode === 'match'
  return {
    ...(isInvalid ? { outcome: 'failed' as const, code: 'REPLY_INVALID' } : { outcome, ...(code && { code }) }),
    at: message.repliedMs,
    source: message.source,
    type,
    contractHash,
    ...(data === undefined || isMatch
      ? {}
      : { released: Object.keys(data).filter(name => isKnownField(name, service)) }),
    ...(data === undefined ? {} : { commitment: tools.commit(exchangeId, 'reply', JSON.stringify(data)) }),
    waitedMs: Math.round(message.waitedMs),
    handledMs: Math.round(message.handledMs),
    // How a match came out must not show in how long its reply is.
    size: sizeClassOf(isMatch ? service.contract.limits.replyBytesMax + envelopeBytesMax : record.value.length),
  }
}

const breaksContract = (data: JsonObject, record: IncomingRecord, service: Service | undefined): boolean =>
  service !== undefined &&
  (record.value.length > service.contract.limits.replyBytesMax + envelopeBytesMax ||
    service.checkReply(data) !== undefined)

/** A name that no contract knows could be anything, a person's too. */
const isKnownField = (name: string, service: Service | undefined): boolean =>
  hasForm('field', name) && (service?.contract.fields.some(field => field.name === name) ?? false)

function readTold(record: IncomingRecord, tools: ReadingTools): NoteRead | UnreadableRead | SheetRead {
  const { source, first, isLast, notes } = readNotes(record)
  const origin = originOf(record, tools)
  const isNumbered = first !== undefined
  const readings = notes.map((note, i): NoteRead | UnreadableRead => {
    const base = { source, origin: isNumbered ? `${origin}#${i}` : origin }
    if (!isNote(note)) return { ...base, is: 'unreadable', exchange: '', at: record.timestampMs, reason: note.message }
    const { kind, exchangeId: exchange, notedMs: at, facts } = note
    return { ...base, is: 'note', kind, exchange, at, facts, isNumbered }
  })
  if (first !== undefined)
    return { is: 'sheet', source, first, isLast, notes: readings, at: record.timestampMs, origin }
  const [single] = readings
  if (single === undefined) throw new MessageError('no note is there')
  return single
}

function readGivenUp(record: IncomingRecord, tools: ReadingTools): NoteRead {
  if (isReplayStep(record)) return readReplay(record, tools)
  const { exchangeId = '', provider, code, attempts, topic, partition, offset, lastMs } = readDeadLetter(record)
  return {
    is: 'note',
    kind: 'dead-lettered',
    exchange: exchangeId,
    at: lastMs,
    source: `/adapter/${provider}`,
    origin: originOf(record, tools),
    facts: { provider, code, attempts, record: `${topic}/${partition}/${offset}` },
    isNumbered: false,
  }
}

/** Who had a dead letter done again, and with whose approval. */
function readReplay(record: IncomingRecord, tools: ReadingTools): NoteRead {
  const { step, letterId, operator, approves, signedMs } = readReplayStep(record)
  const proposer = approves === undefined ? {} : { proposedBy: approves.operator }
  return {
    is: 'note',
    kind: `replay-${step}`,
    exchange: exchangeIn(record) ?? '',
    at: signedMs,
    source: `/operator/${operator}`,
    origin: originOf(record, tools),
    facts: { letter: letterId, operator, ...proposer },
    isNumbered: false,
  }
}
