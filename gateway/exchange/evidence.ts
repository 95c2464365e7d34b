// Nothing is disclosed or effected that cannot be proved later: a question is refused while its end could not be written down, and while
// the ledger is so far behind that its bus may forget what it has not read. A match gives nothing away and goes on without the ledger.
import { type Service } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'

export interface Evidence {
  /** What is told can be written down. */
  readonly isKept: boolean
  /** The ledger is further behind than it may be. */
  readonly isLedgerBehind: boolean
}

/** Throws NDX_EVIDENCE_UNAVAILABLE, NDX_LEDGER_BEHIND. A service that is not known any more may have been any. */
export function demandEvidence(service: Service | undefined, evidence: Evidence): void {
  if (!evidence.isKept) throw evidenceUnavailable()
  if (evidence.isLedgerBehind && service?.contract.mode !== 'match')
    throw new ExchangeError('NDX_LEDGER_BEHIND', { retryAfterSeconds: 30 })
}

export const evidenceUnavailable = (): ExchangeError =>
  new ExchangeError('NDX_EVIDENCE_UNAVAILABLE', { retryAfterSeconds: 2 })
