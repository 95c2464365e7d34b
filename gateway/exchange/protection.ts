// Protects the provider and the others: a place in the bulkhead first, then the breaker's leave to ask. Who enters must end, and
// says how it went; a question that never reached the provider says nothing about it.
import { type Grant } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type Breakers, type CallOutcome } from './breaker.ts'
import { type Bulkhead, type Priority } from './bulkhead.ts'
import { type Inquiry } from './inquiry.ts'

export interface ProtectionParts {
  breakers: Pick<Breakers, 'admit'>
  bulkhead: Pick<Bulkhead, 'enter'>
}

export interface Passage {
  end(outcome: CallOutcome): void
}

/** Throws NDX_GATEWAY_OVERLOADED, NDX_PROVIDER_OVERLOADED or NDX_PROVIDER_UNAVAILABLE. */
export function enter({ service }: Inquiry, grant: Grant, { breakers, bulkhead }: ProtectionParts): Passage {
  const entry = bulkhead.enter(service.providerId, priorityOf(grant))
  if (!entry.ok) {
    const code = entry.full === 'total' ? 'NDX_GATEWAY_OVERLOADED' : 'NDX_PROVIDER_OVERLOADED'
    throw new ExchangeError(code, { retryAfterSeconds: entry.retryAfterSeconds })
  }
  const admission = breakers.admit(service.providerId)
  if (!admission.ok) {
    entry.leave()
    throw new ExchangeError('NDX_PROVIDER_UNAVAILABLE', { retryAfterSeconds: admission.retryAfterSeconds })
  }
  return {
    end(outcome) {
      admission.settle(outcome)
      entry.leave()
    },
  }
}

/**
 * What an exchange that ended so says about its provider. A failure with a code of the contract is an answer; and a provider that
 * may take longer than anyone waits has not failed when the wait ends.
 */
export function outcomeOf(error: unknown, { wasDue }: { wasDue: boolean }): CallOutcome {
  if (!(error instanceof ExchangeError)) return 'unasked'
  const { code, facts } = error
  if (code === 'NDX_REPLY_TIMEOUT' && !wasDue) return 'unasked'
  if (code === 'NDX_PROVIDER_FAILED') return facts.providerCode === undefined ? 'failed' : 'ok'
  return providersFaults.has(code) ? 'failed' : 'unasked'
}

const providersFaults: ReadonlySet<string> = new Set(['NDX_REPLY_TIMEOUT', 'NDX_REPLY_INVALID', 'NDX_REQUEST_EXPIRED'])

const priorityOf = ({ priority, mode }: Grant): Priority =>
  priority ?? (mode === 'match' ? 'verification' : 'disclosure')
