// Codes that name who asks and why: agencies (two official spellings of one code), administrative procedures, officers.
// Structure only; whether an agency exists is for the agreements, and ministries merge too often for a table here.
import { isEnterpriseCode } from '#contracts/enterprise-code.ts'

/** The canonical spelling: level 1 first, trailing empty levels left out, e.g. `G12`, `G12.18`; an enterprise's code as it is. */
export type AgencyCode = string & { readonly __brand: 'AgencyCode' }

const agencyCodeLengthMax = 35
const procedureCodeLengthMax = 20
const officerCodeLengthMax = 20
/** QCVN 102: level 4 (3 digits), 3, 2 (2 digits each), level 1 last. */
const lastForm = /^(\d{3})\.(\d{2})\.(\d{2})\.([A-Z]\d{2})$/
/** Decision 20: level 1 first, then one group a level. */
const firstForm = /^[A-Z]\d{2}(?:\.[0-9A-Z]{2,3})*$/
const procedureForm = /^\d\.\d{6}(?:\.[0-9A-Z]{2,3})*$/
const officerForm = /^[0-9A-Z]+(?:[.\-_][0-9A-Z]+)*$/

/**
 * The one spelling under which an agency is compared, or undefined when the value is no agency code:
 * `000.00.18.G12` (QCVN 102:2016/BTTTT) and `G12.18` (decision 20/2020/QĐ-TTg) both give `G12.18`; levels 3 and 4 follow
 * (`001.02.18.G12` is `G12.18.02.001`). An enterprise is named by its ten-digit code, of either scheme. At most 35 characters.
 */
export function canonicalAgencyCode(value: string): AgencyCode | undefined {
  if (value.length > agencyCodeLengthMax) return undefined
  if (isEnterpriseCode(value, 'simulated') || isEnterpriseCode(value, 'real')) return asIs(value)
  const [, level4, level3, level2, level1] = lastForm.exec(value) ?? []
  if (level1 !== undefined) return withoutEmptyLevels(`${level1}.${level2}.${level3}.${level4}`)
  return firstForm.test(value) ? withoutEmptyLevels(value) : undefined
}

/** Whether the value is an agency code in either official form. */
export function isAgencyCode(value: string): boolean {
  return canonicalAgencyCode(value) !== undefined
}

/**
 * Whether the value is the code of an administrative procedure (MaDVC), e.g. `1.002759`, with or without a local suffix
 * (`1.002759.H49`); at most 20 characters. Source: decision 362/QĐ-VPCP (2019), national database of procedures.
 */
export function isProcedureCode(value: string): boolean {
  return value.length <= procedureCodeLengthMax && procedureForm.test(value)
}

/**
 * Whether the value is an officer's code (MaCanBo), e.g. `G24.63-0412`: digits and capitals in groups parted by single
 * `.`, `-` or `_`; at most 20 characters. Each agency gives its own codes, so nothing more is known.
 */
export function isOfficerCode(value: string): boolean {
  return value.length <= officerCodeLengthMax && officerForm.test(value)
}

const asIs = (value: string): AgencyCode => value as AgencyCode
const withoutEmptyLevels = (code: string): AgencyCode => code.replace(/(?:\.0+)+$/, '') as AgencyCode
