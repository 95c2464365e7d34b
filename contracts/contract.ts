// The types of a contract and an agreement, as contract.schema.json and agreement.schema.json describe them. The files are
// plain JSON so that lawyers and agencies without Node can read and compare them; registry.ts loads and checks them.
import { type JsonObject } from '#contracts/json.ts'

/** `<provider>/<service>`, e.g. `population/identity-verification`. */
export type ServiceId = string & { readonly __brand: 'ServiceId' }
/** The first half of a service id: names the provider's topics and its folder under services/. */
export type ProviderId = string & { readonly __brand: 'ProviderId' }
export type ClientId = string & { readonly __brand: 'ClientId' }

/** match: a yes or no · disclose: fields of a record · effect: something changes at the provider. */
export type Mode = 'match' | 'disclose' | 'effect'
export interface Bilingual {
  vi: string
  en: string
}

export interface Contract {
  id: ServiceId
  version: string
  title: Bilingual
  description: Bilingual
  /** Official code of the agency that answers, e.g. `G01`. */
  provider: string
  legalBasis: string
  mode: Mode
  purposes: { code: string; title: Bilingual }[]
  /** Administrative procedures (MaDVC) for which the service may be asked; none listed: any. */
  procedures?: { code: string; title: Bilingual }[]
  /** Name of the request's member that names the subject; its pseudonym keys the request topic. */
  subject: string
  request: JsonObject
  reply: JsonObject
  /** Members of the reply that a grant can release. `always` ones go to every grant. */
  fields: { name: string; class: 'basic' | 'sensitive'; always?: boolean; title: Bilingual }[]
  /** From acceptance to reply; past it the outcome is unknown. */
  deadlineMs: number
  /** The longest a client may hold the connection. */
  maxWaitMs: number
  limits: {
    requestBytesMax: number
    replyBytesMax: number
    mismatchesPerSubjectPerDay?: number
    /** How long an Idempotency-Key is remembered; default 24. */
    idempotencyHours?: number
  }
  /** Codes the provider's handler may fail with, and what they mean. */
  errors: { code: string; title: Bilingual }[]
  examples: Example[]
  /** After this date (`yyyy-mm-dd`) the version is refused with 410. */
  sunset?: string
}

/** Documentation, test datum and golden file at once: asked of the synthetic nation's seed, this is the answer. */
export interface Example {
  title: string
  purpose: string
  procedure?: string
  request: JsonObject
  reply: JsonObject
}

export interface Grant {
  id: string
  version: number
  service: ServiceId
  mode: Mode
  purposes: string[]
  procedures: string[]
  fields: string[]
  legalBasis: string
  validFrom: string
  validTo: string
  /** Local hours (UTC+7) in which it holds: from inclusive, to exclusive. */
  hours?: { from: string; to: string; days?: number[] }
  ratePerSecond: number
  burst: number
  quotaPerDay?: number
  /** health: a patient waits, so it gives way to nobody. bulk: gives way to all others when the provider is busy. */
  priority?: 'health' | 'bulk'
}

export interface Agreement {
  client: ClientId
  /** Official code of the asking body. */
  agency: string
  name: Bilingual
  kind: 'state-agency' | 'state-enterprise' | 'enterprise'
  /** Public keys (JWK) with which the client signs its assertions; the simulated clients' are made at first start. */
  keys: JsonObject[]
  /** Where the client is told that an exchange it did not wait for is settled. */
  callback?: { url: string }
  grants: Grant[]
}

/** What a registry holds for one service: the contract and what was computed from it at start. */
export interface Service {
  readonly contract: Contract
  readonly providerId: ProviderId
  /** Last part of the id. */
  readonly name: string
  readonly major: number
  /** First 16 bytes of SHA-256 over the canonical JSON of the contract, base64url; on every record. */
  readonly hash: string
  /** CloudEvents types of its records. */
  readonly requestType: string
  readonly replyType: string
  /** Fault texts, or undefined when valid. */
  readonly checkRequest: Check
  readonly checkReply: Check
}

/** Undefined when `value` meets the schema, else at most 10 faults with pointers under `at`. */
export type Check = (value: unknown, at?: string) => { pointer: string; detail: string }[] | undefined
