// What becomes of a record that is given up on: a letter that says where it is, and, where its headers say who waits for it, a
// failed reply, so that nobody waits in vain. Of a record that cannot be read nothing is believed but what has the right form.
import { type IncomingRecord } from '#bus/bus.ts'
import { type DeadLetter, deadLetterIdOf } from '#bus/dead-letter.ts'
import { type ExchangeId, headerNames, type ReplyMessage } from '#bus/message.ts'
import { replyPartitions, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { isJsonObject } from '#contracts/json.ts'
import { type HostFailure, hostFailed, replyTypeOf } from './verdict.ts'

const exchangeIdForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
const nameForm = /^[A-Za-z0-9._-]{1,200}$/

export interface GivenUp {
  code: HostFailure
  attempts: number
  /** Epoch ms. */
  firstMs: number
  lastMs: number
}

export function deadLetterOf(record: IncomingRecord, provider: ProviderId, givenUp: GivenUp): DeadLetter {
  const { topic, partition, offset } = record
  const exchangeId = exchangeIdIn(record)
  return {
    id: deadLetterIdOf(provider, record),
    ...(exchangeId === undefined ? {} : { exchangeId }),
    provider,
    topic,
    partition,
    offset,
    ...givenUp,
  }
}

/** The exchange that a record's header names, if it can be one: anything might stand there. */
export function exchangeIdIn({ headers }: IncomingRecord): ExchangeId | undefined {
  const id = headers[headerNames.exchangeId]
  return id !== undefined && exchangeIdForm.test(id) ? (id as ExchangeId) : undefined
}

/** Where a record wants its reply, if that is where this provider writes. */
export function replyPartitionIn({ headers }: IncomingRecord, provider: ProviderId): number | undefined {
  const partition = headers[headerNames.replyPartition] ?? ''
  if (headers[headerNames.replyTopic] !== replyTopic(provider) || !/^[0-9]{1,3}$/.test(partition)) return undefined
  return Number(partition) < replyPartitions ? Number(partition) : undefined
}

/** The reply to a record that cannot be read: made to the type and contract it names, as far as it can be told. */
export function unreadableReply(
  record: IncomingRecord,
  exchangeId: ExchangeId,
  { provider, source, nowMs }: { provider: ProviderId; source: string; nowMs: number },
): ReplyMessage {
  const { type, ndxcontract } = membersOf(record)
  const traceparent = record.headers[headerNames.traceparent] ?? ''
  const prefix = requestTopic(provider)
  return {
    exchangeId,
    type: replyTypeOf(isName(type) && type.startsWith(`${prefix}.`) ? type : `${prefix}.unreadable.v1`, provider),
    source,
    repliedMs: nowMs,
    traceparent: traceparentForm.test(traceparent) ? traceparent : '',
    contractHash: isName(ndxcontract) ? ndxcontract : '',
    waitedMs: 0,
    handledMs: 0,
    ...hostFailed('REQUEST_UNREADABLE'),
  }
}

const isName = (value: unknown): value is string => typeof value === 'string' && nameForm.test(value)

function membersOf({ value }: IncomingRecord): Readonly<Record<string, unknown>> {
  try {
    const event: unknown = JSON.parse(value.toString('utf8'))
    return isJsonObject(event) ? event : {}
  } catch {
    return {}
  }
}
