// The forms of everything that may stand in a record outside `data`: ids, codes, names, pseudonyms. Whoever reads a topic holds each
// value to its form, so that nothing long, structured or personal can pass for one. Says nothing of whether the thing exists.

const forms = Object.freeze({
  /** UUIDv7 */
  exchange: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  client: /^[a-z][a-z0-9-]{0,59}$/,
  requestType: /^ndx\.request\.[a-z][a-z0-9-]{0,59}\.[a-z][a-z0-9-]{0,59}\.v[0-9]{1,4}$/,
  replyType: /^ndx\.reply\.[a-z][a-z0-9-]{0,59}\.[a-z][a-z0-9-]{0,59}\.v[0-9]{1,4}$/,
  provider: /^[a-z][a-z0-9-]{0,59}$/,
  service: /^[a-z][a-z0-9-]{0,59}\/[a-z][a-z0-9-]{0,59}$/,
  version: /^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$/,
  /** Of a purpose, a procedure, or a contract's error; also the codes of NDX and of hosts, in capitals. */
  code: /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/,
  /** `<key version>.<22 characters>` */
  pseudonym: /^[A-Za-z0-9]{1,12}\.[A-Za-z0-9_-]{22}$/,
  /** A keyed digest of an Idempotency-Key or a body. */
  digest: /^[A-Za-z0-9_-]{1,43}$/,
  /** `<grant id>@<version>` */
  agreement: /^[A-Za-z0-9][A-Za-z0-9._-]{0,59}@[0-9]{1,9}$/,
  /** '' on a reply to what could not be read. */
  contractHash: /^[A-Za-z0-9_-]{0,64}$/,
  field: /^[A-Za-z][A-Za-z0-9_-]{0,59}$/,
  /** W3C Trace Context, version 00. */
  traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/,
  /** `/gateway/<instance>[/<run>]`, `/adapter/<provider>[/<instance>]`, `/ledger/<instance>`, `/operator/<name>` */
  source: /^\/(?:gateway|adapter|ledger|operator)(?:\/[A-Za-z0-9._-]{1,60}){1,2}$/,
  topic: /^ndx\.[a-z0-9.-]{1,80}$/,
  /** `<topic>/<partition>/<offset>` */
  place: /^ndx\.[a-z0-9.-]{1,80}\/[0-9]{1,4}\/[0-9]{1,19}$/,
  digits: /^[0-9]{1,19}$/,
  /** `<provider>-<partition>-<offset>` of a dead letter. */
  letter: /^[a-z][a-z0-9-]{0,90}$/,
  operator: /^[a-z0-9-]{1,40}$/,
  /** A few plain words of ours. */
  reason: /^[A-Za-z0-9 ._-]{1,80}$/,
})
export type Form = keyof typeof forms

export const hasForm = (form: Form, value: unknown): value is string =>
  typeof value === 'string' && forms[form].test(value)

/** Numbers of records, attempts and milliseconds. */
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
