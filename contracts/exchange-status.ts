// What the ledger says of one exchange, as JSON over HTTP: all that a gateway needs to tell its client how it stands, and to find
// the reply. Shared by both, since neither imports the other. Codes, names and pseudonyms; no data.
import { type ClientId, type ProviderId, type ServiceId } from '#contracts/contract.ts'

export const exchangeStates = ['accepted', 'answered', 'failed', 'expired', 'refused'] as const
/**
 * accepted: on the request topic, no outcome yet · answered, failed, expired: by the first terminal record of its reply
 * partition (expired: surely not executed) · refused: never accepted.
 */
export type ExchangeState = (typeof exchangeStates)[number]

export interface ExchangeStatus {
  exchangeId: string
  state: ExchangeState
  client: ClientId
  provider?: ProviderId
  service?: ServiceId
  contractHash?: string
  /** `<grant id>@<version>` */
  agreement?: string
  /** Pseudonym. */
  subject?: string
  fields?: readonly string[]
  traceparent?: string
  /** The exchange in whose course it was asked, as its client said. */
  parent?: string
  /** Epoch ms on the road's clock. */
  acceptedMs?: number
  deadlineMs?: number
  settledMs?: number
  /** The provider has taken it into its own care and answers later. */
  isDeferred: boolean
  /** A reply came after the outcome; it is no answer. */
  isLate: boolean
  /** Why it failed or was refused. `UNANSWERED`: nobody replied in time, and whether it was executed is not known. */
  code?: string
  /** The record that is the outcome. */
  reply?: { topic: string; partition: number; offset: string }
  /** Of one found by its Idempotency-Key: keyed digest of the body. */
  body?: string
}

/** `404`: not known, though everything written before `caughtUpMs` (epoch ms on the road's clock) was read. */
export interface StatusUnknown {
  caughtUpMs: number
}
