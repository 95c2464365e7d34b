// The records on the road: CloudEvents 1.0 in structured mode (JSON), with the headers Spring and NestJS use for request and
// reply. Writing and reading both sides stand here, so that they cannot drift apart. Personal data is in `data` and nowhere
// else: attributes, keys and headers hold codes, hashes and pseudonyms.
import { isUtf8 } from 'node:buffer'
import { type IncomingRecord, type OutgoingRecord, valueBytesMax } from '#bus/bus.ts'
import { type ClientId, type ProviderId, type Service, type ServiceId } from '#contracts/contract.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { isNestedDeeper, recordDepthMax } from '#contracts/json-depth.ts'
import { type Form, hasForm, isCount } from './forms.ts'
import { replyTopic } from './topics.ts'

/** UUIDv7; joins request, reply, ledger and log. */
export type ExchangeId = string & { readonly __brand: 'ExchangeId' }

/** Whether it has the form of an exchange id. Says nothing of there being such an exchange. */
export const isExchangeId = (value: unknown): value is ExchangeId => hasForm('exchange', value)

export const headerNames = Object.freeze({
  exchangeId: 'kafka_correlationId',
  replyTopic: 'kafka_replyTopic',
  replyPartition: 'kafka_replyPartition',
  deadline: 'ndx-deadline',
  traceparent: 'traceparent',
  contentType: 'content-type',
})
const contentType = 'application/cloudevents+json'

/** One question, as the adapter's host gets it. */
export interface RequestMessage {
  exchangeId: ExchangeId
  type: string
  /** Where it was accepted: `/gateway/<instance>`. */
  source: string
  /** When it was accepted, epoch ms. */
  acceptedMs: number
  /** Past this epoch ms nobody waits: it is not executed. */
  deadlineMs: number
  replyTopic: string
  replyPartition: number
  traceparent: string
  client: ClientId
  purpose: string
  procedure?: string
  /** Pseudonyms. */
  officer?: string
  subject: string
  /** `<grant id>@<version>`. */
  agreement: string
  contractHash: string
  /** Fields of the reply that may be released. */
  fields: readonly string[]
  /** The client does not wait: it is told at its callback address when the exchange is settled. */
  callback?: boolean
  /** Keyed digests of the Idempotency-Key and of the body it came with. */
  idempotency?: { key: string; body: string }
  /** The exchange in whose course its client asks, as the client says. */
  parent?: ExchangeId
  data: JsonObject
}

/**
 * A request is on its topic so soon after its gateway began it, or it is void: so that a gateway that stood still meanwhile and
 * then sends cannot start what another has begun anew under the same key. Hosts hold it against the time of the broker's
 * append.
 */
export const publishWithinMs = 15_000

export const replyOutcomes = ['answered', 'failed', 'expired'] as const
export type ReplyOutcome = (typeof replyOutcomes)[number]

/** The one reply to it; `data` when answered, `code` when not. */
export interface ReplyMessage {
  exchangeId: ExchangeId
  type: string
  source: string
  repliedMs: number
  traceparent: string
  contractHash: string
  outcome: ReplyOutcome
  /** Why it failed: a code of the contract, or the host's own in capitals. */
  code?: string
  /** On the adapter's own clock, so no skew: from reading the record to calling the handler, and the handler's time. */
  waitedMs: number
  handledMs: number
  data?: JsonObject
}

/** The record is not one of ours, or is broken. `message` says which part, never a value. */
export class MessageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MessageError'
  }
}

/** `isOrdered`: questions about one subject are handled one after the other, in the order in which they were sent. */
export function writeRequest(message: RequestMessage, { isOrdered } = { isOrdered: true }): OutgoingRecord {
  const { exchangeId, procedure, officer, idempotency, parent } = message
  const event = {
    specversion: '1.0',
    id: exchangeId,
    source: message.source,
    type: message.type,
    time: new Date(message.acceptedMs).toISOString(),
    subject: message.subject,
    datacontenttype: 'application/json',
    ndxclient: message.client,
    ndxpurpose: message.purpose,
    ...(procedure === undefined ? {} : { ndxprocedure: procedure }),
    ...(officer === undefined ? {} : { ndxofficer: officer }),
    ndxagreement: message.agreement,
    ndxcontract: message.contractHash,
    ndxfields: message.fields.join(','),
    ...(message.callback === true ? { ndxcallback: true } : {}),
    ...(idempotency === undefined ? {} : { ndxkey: idempotency.key, ndxbody: idempotency.body }),
    ...(parent === undefined ? {} : { ndxparent: parent }),
    data: message.data,
  }
  return {
    key: isOrdered ? message.subject : null,
    headers: {
      [headerNames.exchangeId]: exchangeId,
      [headerNames.replyTopic]: message.replyTopic,
      [headerNames.replyPartition]: String(message.replyPartition),
      [headerNames.deadline]: String(message.deadlineMs),
      [headerNames.traceparent]: message.traceparent,
      [headerNames.contentType]: contentType,
    },
    value: JSON.stringify(event),
  }
}

/** Throws MessageError when a part is missing or of the wrong kind. */
export function readRequest(record: IncomingRecord): RequestMessage {
  const event = parseEvent(record)
  const text = (name: string, form: Form): string => formOf(event, name, form)
  const header = (name: string): string => headerOf(record, name)
  const { ndxprocedure, ndxofficer, ndxcallback, ndxkey, ndxbody, ndxparent } = event
  if (!isJsonObject(event['data'])) throw new MessageError('data is not an object')
  return {
    exchangeId: sameId(record, text('id', 'exchange')),
    type: text('type', 'requestType'),
    source: text('source', 'source'),
    acceptedMs: timeOf(event),
    deadlineMs: wholeNumber(header(headerNames.deadline), headerNames.deadline),
    replyTopic: header(headerNames.replyTopic),
    replyPartition: wholeNumber(header(headerNames.replyPartition), headerNames.replyPartition),
    traceparent: traceparentOf(record),
    client: text('ndxclient', 'client') as ClientId,
    purpose: text('ndxpurpose', 'code'),
    ...(ndxprocedure === undefined ? {} : { procedure: text('ndxprocedure', 'code') }),
    ...(ndxofficer === undefined ? {} : { officer: text('ndxofficer', 'pseudonym') }),
    subject: text('subject', 'pseudonym'),
    agreement: text('ndxagreement', 'agreement'),
    contractHash: text('ndxcontract', 'contractHash'),
    fields: fieldsOf(event),
    ...(ndxcallback === true ? { callback: true } : {}),
    ...(ndxkey === undefined || ndxbody === undefined
      ? {}
      : { idempotency: { key: text('ndxkey', 'digest'), body: text('ndxbody', 'digest') } }),
    ...(ndxparent === undefined ? {} : { parent: text('ndxparent', 'exchange') as ExchangeId }),
    data: event['data'],
  }
}

/** `partition` is the one that the request named. */
export function writeReply(message: ReplyMessage, partition: number): OutgoingRecord {
  const { exchangeId, code, data } = message
  const event = {
    specversion: '1.0',
    id: exchangeId,
    source: message.source,
    type: message.type,
    time: new Date(message.repliedMs).toISOString(),
    datacontenttype: 'application/json',
    ndxcontract: message.contractHash,
    ndxoutcome: message.outcome,
    ...(code === undefined ? {} : { ndxcode: code }),
    ndxwaitedms: String(message.waitedMs),
    ndxhandledms: String(message.handledMs),
    ...(data === undefined ? {} : { data }),
  }
  return {
    key: null,
    partition,
    headers: {
      [headerNames.exchangeId]: exchangeId,
      [headerNames.traceparent]: message.traceparent,
      [headerNames.contentType]: contentType,
    },
    value: JSON.stringify(event),
  }
}

/** Throws MessageError when a part is missing or of the wrong kind. */
export function readReply(record: IncomingRecord): ReplyMessage {
  const event = parseEvent(record)
  const text = (name: string, form: Form): string => formOf(event, name, form)
  const { ndxoutcome, ndxcode, data } = event
  const outcome = replyOutcomes.find(known => known === ndxoutcome)
  if (outcome === undefined) throw new MessageError('ndxoutcome is unknown')
  return {
    exchangeId: sameId(record, text('id', 'exchange')),
    type: text('type', 'replyType'),
    source: text('source', 'source'),
    repliedMs: timeOf(event),
    traceparent: traceparentOf(record),
    contractHash: text('ndxcontract', 'contractHash'),
    outcome,
    ...(ndxcode === undefined ? {} : { code: text('ndxcode', 'code') }),
    waitedMs: durationOf(event['ndxwaitedms']),
    handledMs: durationOf(event['ndxhandledms']),
    ...(isJsonObject(data) ? { data } : {}),
  }
}

/** The CloudEvents type of the reply to a request of that type. */
export const replyTypeOf = (requestType: string): string => requestType.replace('ndx.request.', 'ndx.reply.')

/** The CloudEvents type of a request to that major version of a service. */
export const requestTypeOf = (service: ServiceId, major: number): string =>
  `ndx.request.${service.replace('/', '.')}.v${major}`

/** Which service a request's type names: `ndx.request.<provider>.<service>.v<major>`. Throws MessageError. */
export function serviceOfType(requestType: string): { provider: ProviderId; service: ServiceId } {
  const [, provider, name] = /^ndx\.request\.([a-z0-9-]{1,60})\.([a-z0-9-]{1,60})\.v\d{1,4}$/.exec(requestType) ?? []
  if (provider === undefined || name === undefined) throw new MessageError('type is not a request')
  return { provider: provider as ProviderId, service: `${provider}/${name}` as ServiceId }
}

/** The exchange a record belongs to, without reading its value. */
export const exchangeIdOf = (record: IncomingRecord): string | undefined => record.headers[headerNames.exchangeId]

/** The only provider whose adapters write to this reply topic. */
export const isReplyTopicOf = (topic: string, provider: ProviderId): boolean => topic === replyTopic(provider)

export const isReplyOf = (message: ReplyMessage, service: Service): boolean =>
  message.type === service.replyType && message.contractHash === service.hash

/** The CloudEvent of a record, whatever its bytes. Throws MessageError. */
export function parseEvent({ value }: IncomingRecord): JsonObject {
  if (value.length > valueBytesMax) throw new MessageError('the value is too long')
  const event = parseBounded(value)
  if (!isJsonObject(event)) throw new MessageError('the value is not an object')
  if (event['specversion'] !== '1.0') throw new MessageError('the value is not a CloudEvent 1.0')
  return event
}

/** Bounded before it is parsed: what is nested for ever would end whoever walks it. */
function parseBounded(value: Buffer): unknown {
  if (!isUtf8(value)) throw new MessageError('the value is not UTF-8')
  const text = value.toString('utf8')
  if (isNestedDeeper(text, recordDepthMax)) throw new MessageError('the value is nested too deep')
  try {
    return JSON.parse(text)
  } catch {
    throw new MessageError('the value is not JSON')
  }
}

/** A member that must be text. Throws MessageError. */
export function textOf(event: JsonObject, name: string): string {
  const value = event[name]
  if (typeof value !== 'string') throw new MessageError(`${name} is not a string`)
  return value
}

/** A member that must be text of a form; its name and never its value is in the fault. Throws MessageError. */
export function formOf(event: JsonObject, name: string, form: Form): string {
  const value = event[name]
  if (!hasForm(form, value)) throw new MessageError(`${name} is not of its form`)
  return value
}

/** When it happened, epoch ms, as its source says. */
function timeOf(event: JsonObject): number {
  const timeMs = Date.parse(textOf(event, 'time'))
  if (!isCount(timeMs)) throw new MessageError('time is not a time')
  return timeMs
}

/** '' when there is none. */
function traceparentOf({ headers }: IncomingRecord): string {
  const value = headers[headerNames.traceparent] ?? ''
  if (value !== '' && !hasForm('traceparent', value)) throw new MessageError('traceparent is not of its form')
  return value
}

const fieldsMax = 100

function fieldsOf(event: JsonObject): string[] {
  const names = textOf(event, 'ndxfields')
    .split(',', fieldsMax + 1)
    .filter(Boolean)
  if (names.length > fieldsMax || !names.every(name => hasForm('field', name)))
    throw new MessageError('ndxfields is not a list of names')
  return names
}

function headerOf(record: IncomingRecord, name: string): string {
  const value = record.headers[name]
  if (value === undefined) throw new MessageError(`header ${name} is missing`)
  return value
}

function wholeNumber(value: string, name: string): number {
  if (!/^[0-9]{1,15}$/.test(value)) throw new MessageError(`header ${name} is not a whole number`)
  return Number(value)
}

const durationMaxMs = 1e12

const durationOf = (value: unknown): number => {
  const durationMs = typeof value === 'string' ? Number(value) : 0
  return durationMs >= 0 && durationMs <= durationMaxMs ? durationMs : 0
}

/** The header and the event must name one exchange. */
function sameId(record: IncomingRecord, id: string): ExchangeId {
  if (exchangeIdOf(record) !== id) throw new MessageError('the header and the event name different exchanges')
  return id as ExchangeId
}
