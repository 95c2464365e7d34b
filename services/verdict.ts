// What a provider makes of what it wants to say: a reply that meets the contract, a failure that the contract knows, or a typed
// failure of the host's own. The same for a handler's answer at once and for a deferred one days later. Pure but for the log.
import { type ReplyMessage } from '#bus/message.ts'
import { replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId, type Service } from '#contracts/contract.ts'
import { type Log } from '#runtime/log.ts'
import { type Settlement } from './adapter.ts'

/**
 * Why the host itself failed a record; a handler's own codes are lower-case, in the contract. UNANSWERED: nobody answered in
 * time, and whether it was executed is not known.
 */
export type HostFailure =
  | 'UNANSWERED'
  | 'REQUEST_UNREADABLE'
  | 'REQUEST_INVALID'
  | 'CONTRACT_UNKNOWN'
  | 'HANDLER_FAILED'
  | 'HANDLER_TIMEOUT'
  | 'REPLY_INVALID'

/** What a reply says of the question. */
export type Verdict = Pick<ReplyMessage, 'outcome' | 'code' | 'data'>

export const failed = (code: string): Verdict => ({ outcome: 'failed', code })
export const hostFailed = (code: HostFailure): Verdict => failed(code)

/** Holds a settlement to its contract. */
export function judge(
  settlement: Settlement,
  { checkReply, contract, providerId }: Service,
  exchangeId: string,
  log: Log,
): Verdict {
  if ('failure' in settlement) {
    if (contract.errors.some(error => error.code === settlement.failure)) return failed(settlement.failure)
    log.error(
      { event: 'failure-unknown', provider: providerId, exchangeId },
      'a failure that the contract does not list',
    )
    return hostFailed('HANDLER_FAILED')
  }
  const faults = checkReply(settlement.reply)
  if (faults === undefined) return { outcome: 'answered', data: settlement.reply }
  log.error(
    { event: 'reply-invalid', provider: providerId, exchangeId, faults },
    'a handler’s reply breaks its contract',
  )
  return hostFailed('REPLY_INVALID')
}

/** The CloudEvents type of the reply to a request of that type. */
export const replyTypeOf = (requestType: string, provider: ProviderId): string =>
  requestType.replace(requestTopic(provider), replyTopic(provider))

export const sourceOf = (provider: ProviderId, instance: string): string => `/adapter/${provider}/${instance}`
