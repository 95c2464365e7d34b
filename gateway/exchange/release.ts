// What leaves the gateway: a reply is released only when it is the contract's and came from the provider asked, and then only
// its granted fields. Pure. What was sent but not granted is named, so that it can be recorded as an incident.
import { type IncomingRecord } from '#bus/bus.ts'
import { isReplyOf, isReplyTopicOf, MessageError, type ReplyMessage, readReply } from '#bus/message.ts'
import { type NoteFacts } from '#bus/note.ts'
import { type Service } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type JsonObject } from '#contracts/json.ts'
import { replyTimeout } from './pending.ts'

export interface Release {
  message: ReplyMessage
  reply: JsonObject
  /** Names of fields that the provider sent although they were not granted. */
  withheld: string[]
}

/** Throws ExchangeError: NDX_REPLY_INVALID, NDX_PROVIDER_FAILED or NDX_REQUEST_EXPIRED. Nothing of a bad reply is in it. */
export function releaseReply(record: IncomingRecord, service: Service, fields: readonly string[]): Release {
  const message = readChecked(record, service)
  if (message.outcome === 'expired') throw requestExpired()
  if (message.outcome === 'failed') throw failureOf(message, service)
  const reply = message.data
  if (reply === undefined) throw invalid('has no data')
  const faults = service.checkReply(reply)
  if (faults !== undefined) throw invalid(faults.map(fault => `${fault.pointer || '/'} ${fault.detail}`).join('; '))
  const withheld = Object.keys(reply).filter(name => !fields.includes(name))
  if (withheld.length === 0) return { message, reply, withheld }
  return {
    message,
    reply: Object.fromEntries(Object.entries(reply).filter(([name]) => fields.includes(name))),
    withheld,
  }
}

/** A reply that breaks its contract, or says more than was granted, is an incident of the provider's. */
export function releaseOrReport(
  record: IncomingRecord,
  service: Service,
  fields: readonly string[],
  report: (incident: 'ungranted-fields' | 'invalid-reply', facts: NoteFacts) => void,
): Release {
  const { topic, partition, offset } = record
  try {
    const release = releaseReply(record, service, fields)
    if (release.withheld.length > 0) report('ungranted-fields', { withheld: release.withheld })
    return release
  } catch (error) {
    if (error instanceof ExchangeError && error.code === 'NDX_REPLY_INVALID')
      report('invalid-reply', { topic, partition, offset })
    throw error
  }
}

function readChecked(record: IncomingRecord, service: Service): ReplyMessage {
  if (!isReplyTopicOf(record.topic, service.providerId)) throw invalid('came from another provider')
  if (record.value.length > service.contract.limits.replyBytesMax + envelopeBytesMax)
    throw invalid('is larger than the contract allows')
  const message = parse(record)
  if (!isReplyOf(message, service)) throw invalid('was made to another contract')
  return message
}

/** What a CloudEvent adds to its data. */
const envelopeBytesMax = 2048

function parse(record: IncomingRecord): ReplyMessage {
  try {
    return readReply(record)
  } catch (cause) {
    throw invalid(cause instanceof MessageError ? cause.message : 'cannot be read', cause)
  }
}

/** `reason` is for the log alone: the client learns that the reply was bad, not how. */
const invalid = (reason: string, cause?: unknown): ExchangeError =>
  new ExchangeError('NDX_REPLY_INVALID', { outcome: 'failed' }, { cause: cause ?? new Error(`the reply ${reason}`) })

export const requestExpired = (): ExchangeError =>
  new ExchangeError('NDX_REQUEST_EXPIRED', {
    outcome: 'expired',
    detail: 'The provider read the question after its deadline and did not execute it.',
  })

/** By which the ledger, or an adapter that was handed a question it may have answered before, closes what nobody answered. */
export const unansweredCode = 'UNANSWERED'

/** Only the contract's own codes are passed on; the host's stay inside. What nobody answered is unknown, not a failure. */
export function failureOf({ code }: { code?: string }, service: Service): ExchangeError {
  if (code === unansweredCode) return replyTimeout()
  const known = service.contract.errors.find(error => error.code === code)
  return new ExchangeError('NDX_PROVIDER_FAILED', {
    outcome: 'failed',
    ...(known === undefined ? {} : { providerCode: known.code, detail: known.title.en }),
  })
}
