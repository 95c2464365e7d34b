// What an agency writes: one handler a service, in services/<provider>/<service>.ts, exported as `createHandler`. The host
// (host.ts) does the rest: reads the topic, checks deadline and contract, replies, commits. A handler sees only validated
// requests and is told which fields it may release; what it returns is checked against the contract before it leaves.
import { type ProviderId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Nation } from '#nation/nation.ts'

/** What the host hands every handler when it is made. */
export interface AdapterTools {
  provider: ProviderId
  /** The register's data, in this synthetic nation. A real adapter ignores it and brings its own source. */
  nation: Nation
}

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
  /** Aborts at the deadline and when the host stops. */
  signal: AbortSignal
}

/** Returns the contract's reply. Effects must be idempotent by exchange id: a record may be delivered again. */
export type Handler = (request: JsonObject, question: Question) => JsonObject | Promise<JsonObject>

export type CreateHandler = (tools: AdapterTools) => Handler

/** A handler's typed failure: `code` is one of the contract's `errors`. Anything else it throws replies `HANDLER_FAILED`. */
export class AdapterFailure extends Error {
  readonly code: string

  constructor(code: string, options: { cause?: unknown } = {}) {
    super(code, options)
    this.name = 'AdapterFailure'
    this.code = code
  }
}

/** Keeps the members of a record that were granted and are known: what a disclosing handler returns. */
export function pickFields(record: JsonObject, fields: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([name, value]) => fields.has(name) && value !== undefined))
}
