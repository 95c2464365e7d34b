// What social insurance knows of a person: status, insurance code and health-insurance card; 91 of 100 million are known to it.
// Everything follows from what they paid, what they are paid and how old they are. A code is a bijection of people, so a card
// is found again by its number.
import { ageOf, type BenefitKind } from '#nation/benefits.ts'
import { nationDate } from '#nation/cells.ts'
import { type Chance, interpolate, within } from '#nation/chance.ts'
import {
  type ContributionPeriod,
  type Employer,
  nowMonth,
  pensionMonthOf,
  pensionMonthsMin,
} from '#nation/contributions.ts'
import { firstDayOf, lastDayOf, type Month, monthOf, monthText } from '#nation/months.ts'
import { type Permutation } from '#nation/permutation.ts'
import { type Person } from '#nation/person.ts'

/** health: knows them by their health-insurance card only. paused: paid once, neither pays nor draws a pension now. */
export type InsuranceStatus = 'compulsory' | 'voluntary' | 'paused' | 'pension' | 'health'

export interface InsuranceCard {
  /** Fifteen characters: group, rate of cover, province of residence, insurance code; e.g. `GD4790012345678`. */
  readonly number: string
  /** `yyyy-mm-dd`, both days included; no end while the ground for it lasts. */
  readonly validFrom: string
  readonly validTo?: string
}

export interface Insurance {
  readonly status: InsuranceStatus
  /** Months (`yyyy-mm`) in which the status holds. */
  readonly period: { readonly from: string; readonly to?: string }
  /** Ten digits, the same on the card. */
  readonly insuranceCode: string
  readonly card?: InsuranceCard
}

/** What the rest of the nation says of the person. */
export interface Ground {
  contributions: readonly ContributionPeriod[]
  /** With the month (`yyyy-mm`) since when. */
  benefit: { readonly kind: BenefitKind; readonly since: string } | undefined
}

/** Real codes open with a province, from 01. */
const codePrefix = '00'
const codeForm = /^[A-Z]{2}[0-9]{3}(?<code>[0-9]{10})$/
const topics = { known: 237, student: 238, card: 239, renewal: 245 } as const
/** Parts per thousand of those of an age who neither paid nor are paid. */
const knownShares = [
  [6, 985],
  [17, 985],
  [18, 763],
  [59, 763],
  [60, 950],
  [80, 990],
] as const
const smallChildAgeMax = 5
const pupilAgeMax = 17
const studentAgeMax = 22
const studentPercent = 45
/** Of 100 who pay for their card themselves because they pay no contribution any more. */
const householdPercent = 70

export function insuranceOf(
  person: Person,
  { contributions, benefit }: Ground,
  { chance, codes }: { chance: Chance; codes: Permutation },
): Insurance | undefined {
  const draw = (topic: number, bound: number): number => within(chance.draw(person.index, topic), bound)
  const isKnown =
    contributions.length > 0 ||
    benefit !== undefined ||
    ageOf(person) <= smallChildAgeMax ||
    draw(topics.known, 1000) < interpolate(knownShares, ageOf(person))
  if (!isKnown) return undefined
  const status = statusOf(person, contributions)
  const insuranceCode = codePrefix + String(codes.forward(person.index)).padStart(8, '0')
  const term = termOf(person, { status, contributions, benefit }, draw)
  const period = periodOf(status, term, { person, contributions })
  if (term === undefined) return { status, period, insuranceCode }
  const { group, from, to } = term
  const number = cardNumberOf(group, person.residence.province.code, insuranceCode)
  return {
    status,
    period,
    insuranceCode,
    card: { number, validFrom: from, ...(to === undefined ? {} : { validTo: to }) },
  }
}

/** Group of the insured with the rate of cover, e.g. `GD4`, the two digits of today's province, the insurance code. */
export const cardNumberOf = (group: string, provinceCode: string, insuranceCode: string): string =>
  `${group}${provinceCode}${insuranceCode}`

/** Index of the one person who can have a card of this number, if it is a number of the nation's. */
export function indexOfCard(cardNumber: string, codes: Permutation): number | undefined {
  const code = codeForm.exec(cardNumber)?.groups?.['code']
  return code?.startsWith(codePrefix) ? codes.backward(Number(code.slice(codePrefix.length))) : undefined
}

/** Whether social insurance pays them an old-age pension. */
export function hasPension(person: Person, contributions: readonly ContributionPeriod[]): boolean {
  const months = contributions.reduce((sum, period) => sum + period.months, 0)
  const hasStopped = contributions.at(-1)?.to !== undefined
  return hasStopped && months >= pensionMonthsMin && pensionMonthOf(person) < nowMonth
}

function statusOf(person: Person, contributions: readonly ContributionPeriod[]): InsuranceStatus {
  const last = contributions.at(-1)
  if (last === undefined) return 'health'
  if (hasPension(person, contributions)) return 'pension'
  if (last.to !== undefined) return 'paused'
  return last.kind === 'voluntary' ? 'voluntary' : 'compulsory'
}

/** Of those known by their card alone, the card's. */
function periodOf(
  status: InsuranceStatus,
  term: Term | undefined,
  { person, contributions }: { person: Person; contributions: readonly ContributionPeriod[] },
): Insurance['period'] {
  const { from = '', to = from } = contributions.at(-1) ?? {}
  if (status === 'pension') return { from: monthText(pensionMonthOf(person)) }
  if (status === 'paused') return { from: monthText(monthOf(to) + 1) }
  if (status !== 'health') return { from }
  return {
    from: (term?.from ?? nationDate).slice(0, 7),
    ...(term?.to === undefined ? {} : { to: term.to.slice(0, 7) }),
  }
}

interface Term {
  /** Two letters and the rate of cover. Decision 1351/QĐ-BHXH (2015), letters kept in the new cards' data. */
  group: string
  from: string
  to?: string
}

/** Which card they have, and from when to when. */
function termOf(
  person: Person,
  { status, contributions, benefit }: Ground & { status: InsuranceStatus },
  draw: (topic: number, bound: number) => number,
): Term | undefined {
  const age = ageOf(person)
  const last = contributions.at(-1)
  if (age <= smallChildAgeMax) return { group: 'TE1', from: person.dateOfBirth, to: endOfChildhood(person) }
  if (last !== undefined && status === 'compulsory')
    return { group: isEnterprise(last.employer) ? 'DN4' : 'HC4', from: `${last.from}-01` }
  if (status === 'pension') return { group: 'HT3', from: firstDayOf(pensionMonthOf(person)) }
  if (benefit !== undefined)
    return { group: benefit.kind === 'war-invalid' ? 'CC1' : 'BT2', from: `${benefit.since}-01` }
  const isStudent = age <= studentAgeMax && draw(topics.student, 100) < studentPercent
  if (age <= pupilAgeMax || isStudent)
    return { group: age <= pupilAgeMax ? 'HS4' : 'SV4', from: '2025-10-01', to: '2026-09-30' }
  if (status !== 'health' && draw(topics.card, 100) >= householdPercent) return undefined
  const renewed = nowMonth - draw(topics.renewal, 12)
  return { group: 'GD4', from: firstDayOf(renewed), to: lastDayOf(renewed + 11) }
}

const isEnterprise = (employer: Employer | undefined): boolean => /^[0-9]{10}$/.test(employer?.code ?? '')

/** A small child's card is valid to 30 September of the year in which it turns six, or the end of the month of it. Health-insurance law article 16. */
export function endOfChildhood({ dateOfBirth }: Pick<Person, 'dateOfBirth'>): string {
  const sixth: Month = monthOf(dateOfBirth) + 72
  return lastDayOf(Math.max(sixth, Math.floor(sixth / 12) * 12 + 8))
}
