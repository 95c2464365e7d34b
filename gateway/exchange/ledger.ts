// What the exchange asks of the ledger, as a port: how an exchange stands, and which one was accepted with a key. The real one
// (gateway/ledger-client.ts) asks over HTTP. Every method throws NDX_LEDGER_UNAVAILABLE when the ledger does not answer.
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type ExchangeStatus, type StatusUnknown } from '#contracts/exchange-status.ts'

export interface StatusQuestion {
  /** Waits at most so long while the exchange is open; 0: tells what is known. */
  waitMs: number
  /** The exchange is known to have begun: while the ledger has not read it, that is waited for as well. */
  isExpected?: boolean
  /** That the provider defers it is news too, and ends the wait. */
  untilDeferred?: boolean
  /** Ends the wait. */
  signal?: AbortSignal
}

export interface Ledger {
  status(exchangeId: string, question: StatusQuestion): Promise<ExchangeStatus | StatusUnknown>
  /**
   * The exchange first accepted with this digest of an Idempotency-Key. Counts everything written before `readUntilMs`
   * (epoch ms on the road's clock): until the ledger has read so far, it is asked again, for a second or two.
   */
  byKey(key: LedgerKey, readUntilMs: number): Promise<ExchangeStatus | undefined>
}

export interface LedgerKey {
  client: ClientId
  service: ServiceId
  key: string
}

export const isKnown = (status: ExchangeStatus | StatusUnknown): status is ExchangeStatus => 'exchangeId' in status

export const ledgerUnavailable = (cause?: unknown): ExchangeError =>
  new ExchangeError('NDX_LEDGER_UNAVAILABLE', { retryAfterSeconds: 2 }, { cause })
