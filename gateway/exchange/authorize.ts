// Decides whether a client may ask this, now, for this purpose (DESIGN section 3, step 6). Pure: all it uses are arguments,
// and the answer is either the grant with the fields it releases, or one refusal with everything the client needs.
import { type Agreement, type Contract, type Grant } from '#contracts/contract.ts'
import { type ErrorCode, type ErrorFacts } from '#contracts/errors.ts'
import { quotaDay } from '../counters/quota-day.ts'

/** What is asked: the envelope's declarations, without the data. */
export interface Ask {
  agreement: Agreement
  contract: Contract
  purpose: string
  procedure?: string
  /** Fields wanted; not given: all that are granted. */
  fields?: readonly string[]
  nowMs: number
}

export type Authorization =
  | { decision: 'granted'; grant: Grant; fields: readonly string[] }
  | { decision: 'refused'; grant?: Grant; code: ErrorCode; facts: ErrorFacts }

type Refusal = { code: ErrorCode; detail: string; remedy: { vi: string; en: string }; retryAfterSeconds?: number }
type Guard = (ask: Ask, grant: Grant, today: string) => Refusal | undefined

/** Tries every grant of the service; when none fits, the refusal is that of the grant which came furthest. */
export function authorize(ask: Ask): Authorization {
  const grants = ask.agreement.grants.filter(grant => grant.service === ask.contract.id)
  if (grants.length === 0) return refuseUngranted(ask)
  const today = quotaDay(ask.nowMs)
  let furthest: { step: number; grant: Grant; refusal: Refusal } | undefined
  for (const grant of grants) {
    const step = guards.findIndex(guard => guard(ask, grant, today) !== undefined)
    if (step === -1) return { decision: 'granted', grant, fields: fieldsReleased(ask, grant) }
    const refusal = guards[step]?.(ask, grant, today)
    if (refusal !== undefined && step > (furthest?.step ?? -1)) furthest = { step, grant, refusal }
  }
  return furthest === undefined ? refuseUngranted(ask) : refuse(furthest.refusal, furthest.grant)
}

const guards: readonly Guard[] = [
  (_, grant, today) =>
    today < grant.validFrom
      ? { code: 'NDX_GRANT_NOT_YET_VALID', detail: `The grant holds from ${grant.validFrom}.`, remedy: remedies.wait }
      : undefined,
  (_, grant, today) =>
    today > grant.validTo
      ? { code: 'NDX_GRANT_EXPIRED', detail: `The grant ended on ${grant.validTo}.`, remedy: remedies.renew }
      : undefined,
  ({ nowMs }, grant) =>
    grant.hours !== undefined && !isWithinHours(grant.hours, localTimeOf(nowMs))
      ? {
          code: 'NDX_GRANT_OUTSIDE_HOURS',
          detail: `The grant holds ${describeHours(grant.hours)}.`,
          remedy: remedies.wait,
        }
      : undefined,
  (ask, grant) =>
    grant.mode === ask.contract.mode
      ? undefined
      : {
          code: 'NDX_MODE_NOT_GRANTED',
          detail: `The grant is for ${grant.mode}; the service is ${ask.contract.mode}.`,
          remedy: remedies.extend,
        },
  (ask, grant) =>
    grant.purposes.includes(ask.purpose)
      ? undefined
      : {
          code: 'NDX_PURPOSE_NOT_GRANTED',
          detail: `Granted purposes: ${grant.purposes.join(', ')}.`,
          remedy: remedies.purpose,
        },
  (ask, grant) =>
    isProcedureGranted(ask, grant)
      ? undefined
      : {
          code: 'NDX_PROCEDURE_NOT_GRANTED',
          detail: `Granted procedures: ${grant.procedures.join(', ') || 'those of the contract'}.`,
          remedy: remedies.procedure,
        },
  (ask, grant) => {
    const missing = (ask.fields ?? []).filter(
      name => !grant.fields.includes(name) && !isAlwaysReleased(ask.contract, name),
    )
    return missing.length === 0
      ? undefined
      : {
          code: 'NDX_FIELD_NOT_GRANTED',
          detail: `Not granted: ${knownOnly(ask.contract, missing)}. Granted: ${grant.fields.join(', ')}.`,
          remedy: remedies.fields,
        }
  },
]

const remedies = {
  wait: { vi: 'Gửi lại khi quyền truy cập có hiệu lực.', en: 'Ask again when the grant holds.' },
  renew: { vi: 'Đề nghị gia hạn thoả thuận.', en: 'Have the agreement renewed.' },
  extend: { vi: 'Đề nghị bổ sung thoả thuận.', en: 'Have the agreement extended.' },
  purpose: {
    vi: 'Khai đúng mục đích đã được cấp, hoặc đề nghị bổ sung thoả thuận.',
    en: 'Declare a granted purpose, or have the agreement extended.',
  },
  procedure: {
    vi: 'Khai mã thủ tục đã được cấp, hoặc đề nghị bổ sung thoả thuận.',
    en: 'Declare a granted procedure, or have the agreement extended.',
  },
  fields: {
    vi: 'Chỉ yêu cầu các trường đã được cấp, hoặc đề nghị bổ sung thoả thuận.',
    en: 'Ask for granted fields only, or have the agreement extended.',
  },
}

function refuseUngranted({ agreement, contract }: Ask): Authorization {
  return {
    decision: 'refused',
    code: 'NDX_SERVICE_NOT_GRANTED',
    facts: {
      detail: `The agreement of ${agreement.client} does not grant ${contract.id}.`,
      agreement: agreement.client,
      legalBasis: contract.legalBasis,
      remedy: remedies.extend,
    },
  }
}

const refuse = ({ code, detail, remedy }: Refusal, grant: Grant): Authorization => ({
  decision: 'refused',
  grant,
  code,
  facts: { detail, agreement: agreementOf(grant), legalBasis: grant.legalBasis, remedy },
})

/** `<id>@<version>`: names the very text that decided. */
export const agreementOf = (grant: Grant): string => `${grant.id}@${grant.version}`

/** A grant without procedures holds for any that the contract knows, and for none declared. */
function isProcedureGranted({ procedure, contract }: Ask, grant: Grant): boolean {
  if (grant.procedures.length > 0) return procedure !== undefined && grant.procedures.includes(procedure)
  if (procedure === undefined || contract.procedures === undefined) return true
  return contract.procedures.some(known => known.code === procedure)
}

/** In the contract's order; what every grant releases is always among them. */
function fieldsReleased({ contract, fields }: Ask, grant: Grant): string[] {
  return contract.fields
    .filter(
      field =>
        field.always || (grant.fields.includes(field.name) && (fields === undefined || fields.includes(field.name))),
    )
    .map(field => field.name)
}

const isAlwaysReleased = (contract: Contract, name: string): boolean =>
  contract.fields.some(field => field.name === name && field.always === true)

/** A name the contract does not know may be anything, so it is not repeated. */
function knownOnly(contract: Contract, names: readonly string[]): string {
  const known = contract.fields.map(field => field.name)
  return names.map(name => (known.includes(name) ? name : 'a field unknown to the contract')).join(', ')
}

interface LocalTime {
  /** `hh:mm` */
  time: string
  /** 1 Monday … 7 Sunday. */
  day: number
}

const utcOffsetMs = 7 * 3_600_000

/** The nation's time, UTC+7 all year. */
function localTimeOf(nowMs: number): LocalTime {
  const local = new Date(nowMs + utcOffsetMs)
  return { time: local.toISOString().slice(11, 16), day: local.getUTCDay() || 7 }
}

function isWithinHours({ from, to, days }: NonNullable<Grant['hours']>, local: LocalTime): boolean {
  if (days !== undefined && !days.includes(local.day)) return false
  return from <= local.time && local.time < to
}

const describeHours = ({ from, to, days }: NonNullable<Grant['hours']>): string =>
  `from ${from} to ${to} (UTC+7)${days === undefined ? '' : ` on days ${days.join(', ')} of the week`}`
