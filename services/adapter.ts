// What an agency writes: one handler a service, in services/<provider>/<service>.ts, exported as `createHandler`. The host
// (host.ts) does the rest: reads the topic, checks deadline and contract, replies, commits. A handler sees only validated
// requests and is told which fields it may release; what it returns is checked against the contract before it leaves.
import { type ProviderId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Nation } from '#nation/nation.ts'
import { type Log } from '#runtime/log.ts'

/** What the host hands every handler when it is made. */
export interface AdapterTools {
  provider: ProviderId
  /** The register's data, in this synthetic nation. A real adapter ignores it and brings its own source. */
  nation: Nation
  /** Folder for the register's own durable store; made when it is first asked for. */
  readonly dataDir: string
  log: Log
  /** Epoch ms on the road's clock, which deadlines are told in. */
  now(): number
  /**
   * Sends the reply to a question that was deferred. Rejects when the road is away: keep the work and try again. Twice is
   * harmless: the first reply counts. A reply that breaks the contract settles it as failed, as with any handler.
   */
  settle(ticket: Ticket, settlement: Settlement): Promise<void>
  /** Called once, when the host has stopped reading; the road is still open. */
  onStop(stop: () => void | Promise<void>): void
}

/** All that a later reply needs. Opaque: keep it as JSON, hand it back unchanged. */
export interface Ticket {
  readonly exchangeId: string
  readonly type: string
  readonly replyPartition: number
  readonly contractHash: string
  readonly traceparent: string
  readonly deadlineMs: number
  /** How long the question had waited, and when it was taken. */
  readonly waitedMs: number
  readonly takenMs: number
}

/** A reply, or one of the contract's `errors`. */
export type Settlement = { reply: JsonObject } | { failure: string }

/** What is known of one question beside its data. */
export interface Question {
  exchangeId: string
  /** Who asks, and why. Pseudonyms where a person is meant. */
  client: string
  purpose: string
  procedure?: string
  officer?: string
  /** Fields of the reply that the asker was granted; leave the others out. */
  fields: ReadonlySet<string>
  /** Nobody waits past this epoch ms. */
  deadlineMs: number
  /** For `settle`, when the handler defers. */
  ticket: Ticket
  /** Aborts at the deadline and when the host stops. */
  signal: AbortSignal
}

/** `defer()` instead of a reply. */
export const deferral: unique symbol = Symbol('deferred')
export type Deferral = typeof deferral

/**
 * The register has this question in its own durable store, and will settle it by the ticket. Say so only when it is on the
 * disk: the host commits the record and nobody delivers it again.
 */
export const defer = (): Deferral => deferral

/**
 * Returns the contract's reply, or defers. Effects must be idempotent by exchange id: a record may be delivered again, and a
 * handler that threw is called again.
 */
export type Handler = (
  request: JsonObject,
  question: Question,
) => JsonObject | Deferral | Promise<JsonObject | Deferral>

export type CreateHandler = (tools: AdapterTools) => Handler

/** A handler's typed failure: `code` is one of the contract's `errors`. Anything else it throws is a fault. */
export class AdapterFailure extends Error {
  readonly code: string

  constructor(code: string, options: { cause?: unknown } = {}) {
    super(code, options)
    this.name = 'AdapterFailure'
    this.code = code
  }
}

/** A settlement as what a handler returns. @throws {AdapterFailure} it is a failure */
export function answerOf(settlement: Settlement): JsonObject {
  if ('failure' in settlement) throw new AdapterFailure(settlement.failure)
  return settlement.reply
}

/** Keeps the members of a record that were granted and are known: what a disclosing handler returns. */
export function pickFields(record: JsonObject, fields: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([name, value]) => fields.has(name) && value !== undefined))
}
