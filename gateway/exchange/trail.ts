// What is known of one exchange as it goes along: filled step by step, read once at its end by the audit log, the metrics and
// the notes. Holds codes, names, pseudonyms and durations; a value of a request or a reply has no place in it.
import { type ExchangeId } from '#bus/message.ts'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { type ErrorCode } from '#contracts/errors.ts'
import { type Verdict } from '../counters/counters.ts'

export interface Trail {
  readonly exchangeId: ExchangeId
  readonly traceparent: string
  /** Epoch ms, and the same moment on the monotonic clock from which durations count. */
  readonly receivedMs: number
  readonly startedMs: number
  /** Route template, e.g. `POST /v1/services/:provider/:service`. Never the path. */
  route: string
  client?: ClientId
  tokenId?: string
  service?: ServiceId
  provider?: string
  version?: string
  /** Only when the contract knows it. */
  purpose?: string
  procedure?: string
  /** Pseudonyms. */
  officer?: string
  subject?: string
  /** `<grant id>@<version>` */
  agreement?: string
  decision?: 'granted' | 'refused'
  outcome?: 'accepted' | 'answered' | 'refused' | 'failed' | 'expired' | 'unknown'
  code?: ErrorCode
  status?: number
  fields?: readonly string[]
  withheld?: readonly string[]
  verdict?: Verdict
  /** When its Idempotency-Key was begun, on the road's clock: from then its deadline counts. */
  beganMs?: number
  /** Set once the request may be on the topic: from then on the outcome is no longer ours to decide. */
  dispatched?: boolean
  /** Where the reply is: `<topic>/<partition>/<offset>`. */
  reply?: string
  /** What is told is how this earlier exchange stands: asked again with its Idempotency-Key, or for its status. */
  first?: ExchangeId
  /** The exchange in whose course this one is asked, as its client says (`ndx-parent`). */
  parent?: ExchangeId
  /** ms after startedMs, but for the last two, which are durations on the provider's clock. */
  decidedAfterMs?: number
  publishedAfterMs?: number
  repliedAfterMs?: number
  waitedMs?: number
  handledMs?: number
  concluded?: boolean
  /** Refused before any work, as many others at that moment. */
  isShed?: boolean
}
