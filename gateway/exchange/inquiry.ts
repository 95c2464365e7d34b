// What goes into an exchange and what may come out of it, and how long its client waits. No decisions beyond that.
import { type ExchangeId } from '#bus/message.ts'
import { type Agreement, type Grant, type Service, type ServiceId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'

/** A valid question: the envelope and request have passed their schemas. */
export interface Inquiry {
  agreement: Agreement
  service: Service
  purpose: string
  procedure?: string
  officer?: string
  fields?: readonly string[]
  request: JsonObject
  preference: Preference
  /** Asked with an Idempotency-Key. */
  idempotency?: IdempotencyDigests
  /** Its client has hung up: nobody hears the answer. */
  isGone(): boolean
}

/** How the client wants to be answered (RFC 7240). */
export interface Preference {
  /** It does not want to wait for the answer. */
  respondAsync: boolean
  /** It waits at most so long. */
  waitSeconds?: number
}

/** Keyed digests of an Idempotency-Key and of the body it came with. */
export interface IdempotencyDigests {
  key: string
  body: string
}

/** What may be asked. */
export interface Granted {
  grant: Grant
  fields: readonly string[]
}

export interface Answer {
  exchangeId: ExchangeId
  service: ServiceId
  outcome: 'answered'
  /** Absent only when an earlier answer is told again and its record is gone. */
  reply?: JsonObject
  replyGone?: true
}

/** On its topic, no outcome told yet. */
export interface Acceptance {
  exchangeId: ExchangeId
  service: ServiceId
  outcome: 'accepted'
}

/** An exchange that such a client no longer waits for is accepted, not unknown. */
export const isAsync = ({ respondAsync, waitSeconds }: Preference): boolean => respondAsync || waitSeconds !== undefined

/** How long the connection is held for the reply. */
export function patienceMs({ service, preference }: Pick<Inquiry, 'service' | 'preference'>): number {
  const { deadlineMs, maxWaitMs } = service.contract
  const longestMs = Math.min(deadlineMs, maxWaitMs)
  if (!isAsync(preference)) return longestMs
  return Math.min(longestMs, (preference.waitSeconds ?? 0) * 1000)
}
