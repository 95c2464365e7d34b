// How an exchange stands, for the client that asked it and for nobody else: the ledger says, and an answer is told by the same
// rules as at once. Another client's exchange, an unknown one and a malformed id look the same.
import { type ExchangeId, isExchangeId } from '#bus/message.ts'
import { type Agreement, type ClientId, type Service, type ServiceId } from '#contracts/contract.ts'
import { type ErrorCode, ExchangeError, isErrorCode } from '#contracts/errors.ts'
import { type ExchangeState, type ExchangeStatus } from '#contracts/exchange-status.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Counters } from '../counters/counters.ts'
import { demandEvidence, type Evidence } from './evidence.ts'
import { type GuessParts, settleLateGuess } from './guesses.ts'
import { isKnown, type Ledger, ledgerUnavailable, type StatusQuestion } from './ledger.ts'
import { replyTimeout } from './pending.ts'
import { type RecordedReply, type RecordedReplyParts, readRecordedReply } from './recorded-reply.ts'
import { failureOf, requestExpired, unansweredCode } from './release.ts'
import { recallExchange } from './remembered.ts'

export interface StatusParts extends RecordedReplyParts, GuessParts {
  evidence: Evidence
  ledger: Pick<Ledger, 'status'>
  counters: GuessParts['counters'] & Pick<Counters, 'clientOf'>
}

/** What the client is told. Times are ISO 8601 on the road's clock. */
export interface Standing {
  exchangeId: string
  service?: ServiceId
  outcome: ExchangeState
  /** The exchange in whose course it was asked, as its client said. */
  parent?: string
  acceptedAt?: string
  deadline?: string
  settledAt?: string
  /** The provider has taken it into its own care and answers later. */
  deferred?: true
  /** A reply came after the outcome; it is no answer. */
  late?: true
  reply?: JsonObject
  /** It was answered, and the reply is no longer kept. */
  replyGone?: true
  /** Of the error table, and of the contract. */
  code?: ErrorCode
  providerCode?: string
}

/** As the ledger, or while it has not read so far the counters, know it. Throws NDX_EXCHANGE_UNKNOWN, NDX_LEDGER_UNAVAILABLE. */
export async function findStatus(
  exchangeId: string,
  client: ClientId,
  { waitMs, signal, untilDeferred = false }: Omit<StatusQuestion, 'isExpected'>,
  parts: StatusParts,
): Promise<ExchangeStatus> {
  if (!isExchangeId(exchangeId)) throw unknownExchange()
  const ask = async (question: StatusQuestion): Promise<ExchangeStatus> => {
    const status = await parts.ledger.status(exchangeId, question)
    if (isKnown(status) && status.client === client) return status
    const remembered = isKnown(status) ? undefined : await recallExchange(exchangeId, client, parts.counters)
    if (isKnown(status) || remembered === undefined) throw unknownExchange()
    // Nobody can tell yet whether it ever came onto its topic.
    if (remembered.is === 'perhaps')
      throw status.caughtUpMs > remembered.untilMs ? unknownExchange() : ledgerUnavailable()
    return { exchangeId, client, state: 'accepted', isDeferred: false, isLate: false }
  }
  // Nobody waits for what is another's.
  const found = await ask({ waitMs: 0 })
  if (found.state !== 'accepted' || waitMs === 0) return found
  return ask({ waitMs, isExpected: true, untilDeferred, ...(signal === undefined ? {} : { signal }) })
}

const unknownExchange = (): ExchangeError => new ExchangeError('NDX_EXCHANGE_UNKNOWN')

/** `told`: what was released of the reply, when it was. Throws what keeps an answer from being told. */
export async function describeStatus(
  status: ExchangeStatus,
  agreement: Agreement,
  parts: StatusParts,
): Promise<{ standing: Standing; told?: RecordedReply }> {
  const standing = standingOf(status)
  if (status.state === 'accepted') return { standing }
  if (status.state !== 'answered') return { standing: { ...standing, ...failureFacts(status, parts) } }
  demandEvidence(parts.findByHash(status.contractHash ?? ''), parts.evidence)
  try {
    const told = await readRecordedReply(status, agreement, parts)
    if (told === undefined) return { standing: { ...standing, replyGone: true } }
    const { client, subject = '' } = status
    const exchangeId = status.exchangeId as ExchangeId
    await settleLateGuess(told.reply, exchangeId, { client, subject, service: told.service }, parts)
    return { standing: { ...standing, reply: told.reply }, told }
  } catch (error) {
    if (!(error instanceof ExchangeError && error.code === 'NDX_REPLY_INVALID')) throw error
    return { standing: { ...standing, outcome: 'failed', code: error.code } }
  }
}

function standingOf({ exchangeId, service, state, acceptedMs, deadlineMs, ...status }: ExchangeStatus): Standing {
  return {
    exchangeId,
    ...(service === undefined ? {} : { service }),
    outcome: state,
    ...(status.parent === undefined ? {} : { parent: status.parent }),
    ...(acceptedMs === undefined ? {} : { acceptedAt: new Date(acceptedMs).toISOString() }),
    ...(deadlineMs === undefined ? {} : { deadline: new Date(deadlineMs).toISOString() }),
    ...(status.settledMs === undefined ? {} : { settledAt: new Date(status.settledMs).toISOString() }),
    ...(status.isDeferred ? { deferred: true } : {}),
    ...(status.isLate ? { late: true } : {}),
  }
}

function failureFacts(status: ExchangeStatus, { findByHash }: StatusParts): Pick<Standing, 'code' | 'providerCode'> {
  if (status.state === 'refused') return isErrorCode(status.code) ? { code: status.code } : {}
  const { code, facts } = failureOfStatus(status, findByHash(status.contractHash ?? ''))
  return { code, ...(facts.providerCode === undefined ? {} : { providerCode: facts.providerCode }) }
}

/** What its client would have been told, of an exchange that failed or expired. */
export function failureOfStatus({ state, code }: ExchangeStatus, service: Service | undefined): ExchangeError {
  if (state === 'expired') return requestExpired()
  if (code === unansweredCode) return replyTimeout()
  if (service === undefined) return new ExchangeError('NDX_PROVIDER_FAILED', { outcome: 'failed' })
  return failureOf(code === undefined ? {} : { code }, service)
}
