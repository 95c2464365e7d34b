// The only place that builds ajv: JSON Schema 2020-12, strict; nothing coerced, removed or defaulted. Formats and keywords are
// the nation's own (numbers, codes, dates). A check stops at the first fault; the full list is made only for the refusal, and
// is bounded. Fault texts hold schema words and pointers, never values.
import Ajv2020, { type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { isAgencyCode, isOfficerCode, isProcedureCode } from '#contracts/agency-code.ts'
import { isBirthDate } from '#contracts/birth-date.ts'
import { type Check } from '#contracts/contract.ts'
import { isEnterpriseCode } from '#contracts/enterprise-code.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { type IdScheme, isPersonalId, personalIdDisagreement, type Sex } from '#contracts/personal-id.ts'

export const faultsMax = 10
const knownMax = 20

export interface Validation {
  /** Compiles a schema; throws what is wrong with it. */
  compile(schema: JsonObject): Check
}

const validations = new Map<IdScheme, Validation>()

/** The one of a scheme: what it has compiled once, of whatever registry, it keeps for the life of the process. */
export function createValidation(idScheme: IdScheme): Validation {
  const validation = validations.get(idScheme) ?? keepCompiled(idScheme)
  validations.set(idScheme, validation)
  return validation
}

function keepCompiled(idScheme: IdScheme): Validation {
  const quick = createAjv(idScheme, false)
  const thorough = createAjv(idScheme, true)
  const checks = new Map<string, Check>()
  const compile = (schema: JsonObject): Check => {
    const isValid = quick.compile(schema)
    let listFaults: ValidateFunction | undefined
    return (value, at = '') => {
      if (isValid(value)) return undefined
      listFaults ??= thorough.compile(schema)
      listFaults(value)
      return describeFaults(listFaults.errors ?? [], at)
    }
  }
  return {
    compile: schema => {
      const text = JSON.stringify(schema)
      const check = checks.get(text) ?? compile(schema)
      checks.set(text, check)
      return check
    },
  }
}

function createAjv(idScheme: IdScheme, allErrors: boolean): Ajv2020.default {
  const ajv = new Ajv2020.default({
    strict: true,
    allErrors,
    // Once is enough: whatever is listed thoroughly was compiled before.
    validateSchema: !allErrors,
    validateFormats: true,
    ownProperties: true,
    messages: true,
    verbose: allErrors,
    addUsedSchema: false,
    // What it would tidy up, V8 does as well; compiling takes a quarter less without.
    code: { optimize: false },
  })
  ajv.addFormat('personal-id', value => isPersonalId(value, idScheme))
  ajv.addFormat('enterprise-code', value => isEnterpriseCode(value, idScheme))
  ajv.addFormat('birth-date', isBirthDate)
  ajv.addFormat('date', isCalendarDate)
  ajv.addFormat('agency-code', isAgencyCode)
  ajv.addFormat('procedure-code', isProcedureCode)
  ajv.addFormat('officer-code', isOfficerCode)
  ajv.addKeyword({
    keyword: 'personalIdAgrees',
    type: 'object',
    schemaType: 'string',
    error: { message: 'the personal number does not agree with the date of birth or the sex' },
    validate: (member: string, value: JsonObject) => agrees(value, member, idScheme),
  })
  return ajv
}

/** Whether the number in `member` agrees with the `dateOfBirth` and `sex` beside it (DESIGN: numbers that name people). */
function agrees(value: JsonObject, member: string, idScheme: IdScheme): boolean {
  const { [member]: personalId, dateOfBirth, sex } = value
  if (typeof personalId !== 'string') return true
  const known = {
    ...(typeof dateOfBirth === 'string' ? { dateOfBirth } : {}),
    ...(sex === 'male' || sex === 'female' ? { sex: sex as Sex } : {}),
  }
  return personalIdDisagreement(personalId, known, idScheme) === undefined
}

const isCalendarDate = (value: string): boolean => value.length === 10 && isBirthDate(value)

function describeFaults(errors: ErrorObject[], at: string): { pointer: string; detail: string }[] {
  return errors.slice(0, faultsMax).map(error => ({ pointer: pointerOf(error, at), detail: detailOf(error) }))
}

function pointerOf(error: ErrorObject, at: string): string {
  const missing = error.keyword === 'required' ? `/${String(error.params['missingProperty'])}` : ''
  return `${at}${error.instancePath}${missing}`
}

function detailOf(error: ErrorObject): string {
  if (error.keyword === 'required') return 'is required'
  if (error.keyword === 'additionalProperties') return `has a member that the contract does not know${knownOf(error)}`
  if (error.keyword === 'enum') return `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}`
  return error.message ?? error.keyword
}

/** An unknown member's name may be anything, a person's included: the known ones are told instead. */
function knownOf({ parentSchema }: ErrorObject): string {
  const known = Object.keys((parentSchema?.['properties'] ?? {}) as object)
  return known.length === 0 ? '' : `; it knows ${known.slice(0, knownMax).join(', ')}`
}

/**
 * Faults of a schema as text: every string, array and object in it must be bounded, every object closed.
 * Beside ajv's secure meta-schema, which asks for a length before a pattern or format.
 */
export function findUnbounded(schema: unknown, at: string): string[] {
  if (Array.isArray(schema)) return schema.flatMap((part, i) => findUnbounded(part, `${at}/${i}`))
  if (!isJsonObject(schema)) return []
  const { type } = schema
  const faults: string[] = []
  const isFixed = 'enum' in schema || 'const' in schema
  if (type === 'string' && !isFixed && !('maxLength' in schema)) faults.push(`${at}: a string without maxLength`)
  if (type === 'array' && !('maxItems' in schema)) faults.push(`${at}: an array without maxItems`)
  if (type === 'object' && schema['additionalProperties'] !== false) faults.push(`${at}: an object that is not closed`)
  if (Array.isArray(type)) faults.push(`${at}: a list of types; use anyOf`)
  return [...faults, ...Object.entries(schema).flatMap(([name, part]) => findUnbounded(part, `${at}/${name}`))]
}
