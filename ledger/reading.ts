// What the ledger takes from one record of the road, before it knows anything of its exchange: pure, and without a value of the
// data, so that what is kept of a record can be stored. Requests and replies become commitments, sizes and names.
import { type IncomingRecord } from '#bus/bus.ts'
import { isReplayStep, readDeadLetter, readReplayStep } from '#bus/dead-letter.ts'
import {
  type ExchangeId,
  exchangeIdOf,
  MessageError,
  publishWithinMs,
  type ReplyOutcome,
  readReply,
  readRequest,
  serviceOfType,
} from '#bus/message.ts'
import { isNote, type NoteFacts, type NoteKind, readNotes } from '#bus/note.ts'
import { deadLetterTopic, isReplyTopic, isRequestTopic, noteTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ClientId, type ProviderId, type Service, type ServiceId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'

interface Read {
  exchange: ExchangeId | ''
  /** Epoch ms, as its source says. */
  at: number
  source: string
  /** `<road>:<topic>/<partition>/<offset>` */
  origin: string
}

export interface RequestRead extends Read {
  is: 'request'
  client: ClientId
  provider: ProviderId
  service: ServiceId
  type: string
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
  bytes: number
}

export interface ReplyRead extends Read {
  is: 'reply'
  topic: string
  partition: number
  offset: string
  outcome: ReplyOutcome
  code?: string
  /** '' when it cannot be read. */
  type: string
  contractHash: string
  /** Names of the reply's members. */
  released: readonly string[]
  commitment?: string
  waitedMs: number
  handledMs: number
  bytes: number
}

export interface NoteRead extends Read {
  is: 'note'
  kind: NoteKind
  facts: NoteFacts
}

export interface UnreadableRead extends Read {
  is: 'unreadable'
  /** Which part is broken; never a value. */
  reason: string
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
const factsMax = 60
const factLengthMax = 500
const factNameForm = /^[A-Za-z][A-Za-z0-9]{0,59}$/

/** Never throws: what cannot be read is `unreadable`, or a failed reply where the record names its exchange. */
export function readRecord(record: IncomingRecord, tools: ReadingTools): Reading {
  try {
    if (isRequestTopic(record.topic)) return readAccepted(record, tools)
    if (isReplyTopic(record.topic)) return readOutcome(record, tools)
    if (record.topic === noteTopic) return readTold(record, tools)
    if (record.topic === deadLetterTopic) return readGivenUp(record, tools)
    throw new MessageError('the topic holds nothing for the ledger')
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return {
      is: 'unreadable',
      exchange: (exchangeIdOf(record) ?? '') as ExchangeId | '',
      at: record.timestampMs,
      source: '',
      origin: originOf(record, tools),
      reason: error.message,
    }
  }
}

export const originOf = ({ topic, partition, offset }: IncomingRecord, { road }: Pick<ReadingTools, 'road'>): string =>
  `${road}:${topic}/${partition}/${offset}`

function readAccepted(record: IncomingRecord, tools: ReadingTools): RequestRead {
  const message = readRequest(record)
  const { provider, service } = serviceOfType(message.type)
  if (record.topic !== requestTopic(provider)) throw new MessageError('the type names another provider than the topic')
  if (message.replyTopic !== replyTopic(provider))
    throw new MessageError('the reply is wanted where this provider does not write')
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
    bytes: record.value.length,
  }
}

function readOutcome(record: IncomingRecord, tools: ReadingTools): ReplyRead {
  const exchange = exchangeIdOf(record) as ExchangeId | undefined
  if (exchange === undefined) throw new MessageError('no header names its exchange')
  const { topic, partition, offset } = record
  const place = {
    is: 'reply' as const,
    exchange,
    origin: originOf(record, tools),
    topic,
    partition,
    offset,
    bytes: record.value.length,
  }
  const failed = (code: string) => ({ outcome: 'failed' as const, code })
  try {
    const { data, ...message } = readReply(record)
    const service = tools.serviceOf(message.type, message.contractHash)
    const { outcome, code } = data === undefined && message.outcome === 'answered' ? failed('REPLY_INVALID') : message
    const isInvalid = outcome === 'answered' && data !== undefined && breaksContract(data, record, service)
    const verdict = isInvalid ? failed('REPLY_INVALID') : { outcome, ...(code === undefined ? {} : { code }) }
    return {
      ...place,
      ...verdict,
      at: message.repliedMs,
      source: message.source,
      type: message.type,
      contractHash: message.contractHash,
      released: data === undefined ? [] : Object.keys(data).filter(name => isKnownField(name, service)),
      ...(data === undefined ? {} : { commitment: tools.commit(exchange, 'reply', JSON.stringify(data)) }),
      waitedMs: Math.round(message.waitedMs),
      handledMs: Math.round(message.handledMs),
    }
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return {
      ...place,
      ...failed('REPLY_INVALID'),
      at: record.timestampMs,
      source: '',
      type: '',
      contractHash: '',
      released: [],
      waitedMs: 0,
      handledMs: 0,
    }
  }
}

const breaksContract = (data: JsonObject, record: IncomingRecord, service: Service | undefined): boolean =>
  service !== undefined &&
  (record.value.length > service.contract.limits.replyBytesMax + envelopeBytesMax ||
    service.checkReply(data) !== undefined)

/** A name that no contract knows could be anything, a person's too. */
const isKnownField = (name: string, service: Service | undefined): boolean =>
  service?.contract.fields.some(field => field.name === name) ?? false

function readTold(record: IncomingRecord, tools: ReadingTools): NoteRead {
  const { source, notes } = readNotes(record)
  const note = notes.find(isNote)
  if (note === undefined) throw new MessageError('no note can be read')
  const { kind, exchangeId, notedMs: at, facts } = note
  return { is: 'note', kind, exchange: exchangeId, at, source, origin: originOf(record, tools), facts }
}

function readGivenUp(record: IncomingRecord, tools: ReadingTools): NoteRead {
  if (isReplayStep(record)) return readReplay(record, tools)
  const { exchangeId = '', provider, code, attempts, topic, partition, offset, lastMs } = readDeadLetter(record)
  return {
    is: 'note',
    kind: 'dead-lettered',
    exchange: exchangeId as ExchangeId | '',
    at: lastMs,
    source: `/adapter/${provider}`,
    origin: originOf(record, tools),
    facts: { provider, code, attempts, record: `${topic}/${partition}/${offset}` },
  }
}

/** Who had a dead letter done again, and with whose approval. */
function readReplay(record: IncomingRecord, tools: ReadingTools): NoteRead {
  const { step, letterId, operator, approves, signedMs } = readReplayStep(record)
  return {
    is: 'note',
    kind: `replay-${step}`,
    exchange: (exchangeIdOf(record) ?? '') as ExchangeId | '',
    at: signedMs,
    source: `/operator/${operator}`,
    origin: originOf(record, tools),
    facts: bounded({
      letter: letterId,
      operator,
      ...(approves === undefined ? {} : { proposedBy: approves.operator }),
    }),
  }
}

/** A note comes over the road, so its size is not ours to trust. */
function bounded(facts: NoteFacts): NoteFacts {
  const entries = Object.entries(facts)
  if (entries.length > factsMax) throw new MessageError('a note has too many facts')
  for (const [name, value] of entries) {
    const length = Array.isArray(value) ? value.join('').length : String(value).length
    if (!factNameForm.test(name)) throw new MessageError('a fact of a note has no proper name')
    if (length > factLengthMax * (Array.isArray(value) ? 20 : 1)) throw new MessageError('a fact of a note is too long')
  }
  return facts
}
