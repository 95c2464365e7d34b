// What leaves the gateway: a reply is released only when it is the contract's and came from the provider asked, and then only
// its granted fields. Pure. What was sent but not granted is named, so that it can be recorded as an incident.
import { type IncomingRecord } from '#bus/bus.ts'
import { isReplyOf, isReplyTopicOf, MessageError, type ReplyMessage, readReply } from '#bus/message.ts'
import { type Service } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type JsonObject } from '#contracts/json.ts'

export interface Release {
  message: ReplyMessage
  reply: JsonObject
  /** Names of fields that the provider sent although they were not granted. */
  withheld: string[]
}

/** Throws ExchangeError: NDX_REPLY_INVALID, NDX_PROVIDER_FAILED or NDX_REQUEST_EXPIRED. Nothing of a bad reply is in it. */
export function releaseReply(record: IncomingRecord, service: Service, fields: readonly string[]): Release {
  const message = readChecked(record, service)
  if (message.outcome === 'expired') {
    throw new ExchangeError('NDX_REQUEST_EXPIRED', {
      outcome: 'expired',
      detail: 'The provider read the question after its deadline and did not execute it.',
    })
  }
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

/** Only the contract's own codes are passed on; the host's stay inside. */
function failureOf({ code }: ReplyMessage, service: Service): ExchangeError {
  const known = service.contract.errors.find(error => error.code === code)
  return new ExchangeError('NDX_PROVIDER_FAILED', {
    outcome: 'failed',
    ...(known === undefined ? {} : { providerCode: known.code, detail: known.title.en }),
  })
}
