// The records on `ndx.dead-letter`: a letter for each record that was given up on, and the steps by which two operators have one
// done again. A letter says where the record is, never what is in it. Other parts skip the operators' steps (`isReplayStep`).
import { type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'
import { isCount } from '#bus/forms.ts'
import { type ExchangeId, formOf, headerNames, isExchangeId, MessageError, parseEvent, textOf } from '#bus/message.ts'
import { deadLetterTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'

export interface DeadLetter {
  /** `<provider>-<partition>-<offset>` of the record: one letter, however often it is written. */
  id: string
  /** Not known of a record whose headers cannot be read. */
  exchangeId?: ExchangeId
  provider: ProviderId
  /** Where the record is. */
  topic: string
  partition: number
  offset: string
  /** Times a handler was called with it. */
  attempts: number
  /** Why it was given up: `REQUEST_UNREADABLE`, `HANDLER_FAILED`. */
  code: string
  /** The first and the last attempt, epoch ms. */
  firstMs: number
  lastMs: number
}

export const replaySteps = ['proposed', 'approved'] as const

/** What an operator signed of a letter. A replay needs two: proposed by one, approved by another. */
export interface ReplayStep {
  step: (typeof replaySteps)[number]
  /** Of the letter. */
  letterId: string
  operator: string
  /** The proposal that is approved. */
  approves?: { operator: string; signature: string }
  signedMs: number
  /** Ed25519, base64url. */
  signature: string
}

const letterType = `${deadLetterTopic}.given-up`
const stepTypePrefix = `${deadLetterTopic}.replay-`

export const deadLetterIdOf = (provider: ProviderId, { partition, offset }: IncomingRecord): string =>
  `${provider}-${partition}-${offset}`

/** `source` is `/adapter/<provider>/<instance>`. */
export function writeDeadLetter(letter: DeadLetter, source: string): OutgoingRecord {
  const { id, exchangeId, ...rest } = letter
  const data = { ...(exchangeId === undefined ? {} : { exchangeId }), ...rest }
  return recordOf({ id, source, type: letterType, timeMs: letter.lastMs, data }, exchangeId)
}

/** Throws MessageError when it is no letter, or a part is missing or of the wrong kind. */
export function readDeadLetter(record: IncomingRecord): DeadLetter {
  const event = parseEvent(record)
  if (event['type'] !== letterType) throw new MessageError('type is not a dead letter')
  const data = dataOf(event)
  const { exchangeId } = data
  return {
    id: formOf(event, 'id', 'letter'),
    ...(isExchangeId(exchangeId) ? { exchangeId } : {}),
    provider: formOf(data, 'provider', 'provider') as ProviderId,
    topic: formOf(data, 'topic', 'topic'),
    partition: countOf(data, 'partition'),
    offset: formOf(data, 'offset', 'digits'),
    attempts: countOf(data, 'attempts'),
    code: formOf(data, 'code', 'code'),
    firstMs: countOf(data, 'firstMs'),
    lastMs: countOf(data, 'lastMs'),
  }
}

/** `source` is `/operator/<name>`. */
export function writeReplayStep({ step, ...data }: ReplayStep, exchangeId: ExchangeId | undefined): OutgoingRecord {
  const { letterId, operator, signedMs } = data
  const id = `${letterId}:${step}:${operator}:${signedMs}`
  const event = { id, source: `/operator/${operator}`, type: `${stepTypePrefix}${step}`, timeMs: signedMs, data }
  return recordOf(event, exchangeId)
}

/** Whether a record of the dead-letter topic is an operator's; looks at its type alone. */
export function isReplayStep(record: IncomingRecord): boolean {
  try {
    return textOf(parseEvent(record), 'type').startsWith(stepTypePrefix)
  } catch {
    return false
  }
}

/** Throws MessageError when it is no step, or a part is missing or of the wrong kind. The signature is not checked. */
export function readReplayStep(record: IncomingRecord): ReplayStep {
  const event = parseEvent(record)
  const type = textOf(event, 'type')
  const step = replaySteps.find(known => type === `${stepTypePrefix}${known}`)
  if (step === undefined) throw new MessageError('type is not a step of a replay')
  const data = dataOf(event)
  const approves = data['approves']
  return {
    step,
    letterId: formOf(data, 'letterId', 'letter'),
    operator: formOf(data, 'operator', 'operator'),
    ...(isJsonObject(approves)
      ? { approves: { operator: formOf(approves, 'operator', 'operator'), signature: textOf(approves, 'signature') } }
      : {}),
    signedMs: countOf(data, 'signedMs'),
    signature: textOf(data, 'signature'),
  }
}

interface Event {
  id: string
  source: string
  type: string
  timeMs: number
  data: object
}

function recordOf({ timeMs, data, ...event }: Event, exchangeId: ExchangeId | undefined): OutgoingRecord {
  return {
    key: null,
    headers: {
      ...(exchangeId === undefined ? {} : { [headerNames.exchangeId]: exchangeId }),
      [headerNames.contentType]: 'application/cloudevents+json',
    },
    value: JSON.stringify({
      specversion: '1.0',
      ...event,
      time: new Date(timeMs).toISOString(),
      datacontenttype: 'application/json',
      data,
    }),
  }
}

function dataOf(event: JsonObject): JsonObject {
  if (!isJsonObject(event['data'])) throw new MessageError('data is not an object')
  return event['data']
}

function countOf(data: JsonObject, name: string): number {
  const value = data[name]
  if (!isCount(value)) throw new MessageError(`${name} is not a whole number`)
  return value
}
