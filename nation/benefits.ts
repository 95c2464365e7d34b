// Who the labour register pays a monthly benefit, which agrees with age and family: orphans have no parents in the registry, war
// invalids were grown up in a war, a social pension goes to the old who have no other. One benefit a person; every fourth is paid
// to an account, a million in all.
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { lastBirthYear } from '#nation/cells.ts'
import { type Chance, within } from '#nation/chance.ts'
import { nowMonth } from '#nation/contributions.ts'
import { type Month, monthOf, monthText } from '#nation/months.ts'
import { type Permutation } from '#nation/permutation.ts'
import { type Person } from '#nation/person.ts'

export type BenefitKind = 'orphan' | 'war-invalid' | 'social-pension' | 'disability'

export interface BankAccount {
  /** Six digits, from 000001: no real bank's. */
  readonly bank: string
  /** Ten digits. */
  readonly number: string
}

export interface Benefit {
  readonly kind: BenefitKind
  readonly monthlyAmountVnd: number
  /** `yyyy-mm`, the first month it was paid for. */
  readonly since: string
  readonly paidBy: 'account' | 'cash'
  /** When it is paid by account. */
  readonly account?: BankAccount
}

export interface BenefitParts {
  chance: Chance
  accountNumbers: Permutation
  /** Whether social insurance pays them a pension. */
  hasPension(person: Person): boolean
  worksForState(person: Person): boolean
}

const topics = { eligible: 250, grade: 251, since: 252, paidBy: 253, bank: 254 } as const
/** Decree 20/2021/NĐ-CP, decree 76/2024/NĐ-CP: what the rates are multiples of. */
const standardVnd = 500_000
const accountPercent = 22
const banks = 6
const accountPrefix = '88'
const accountTweak = 1

/** Parts per thousand of those who could have it. */
const orphanRate = 120
const warInvalidRates = { male: 62, female: 9 } as const
const socialPensionRate = 965
const disabilityRate = 14

const orphanAgeMax = 15
const infantAgeMax = 3
const warBirthYearMin = 1930
const warBirthYearMax = 1968
const warInvalidAmountsVnd = [1_815_000, 2_640_000, 3_705_000, 5_565_000] as const
/** From July 2025 the social pension is paid from 75 on, before it was from 80. Decree 176/2025/NĐ-CP. */
const socialPensionSince: Month = 2025 * 12 + 6
const socialPensionAge = 75
const earlierSocialPensionAge = 80
const firstSocialPension: Month = 2007 * 12

export function benefitOf(person: Person, parts: BenefitParts): Benefit | undefined {
  const draw = (topic: number, bound: number): number => within(parts.chance.draw(person.index, topic), bound)
  const kind = kindOf(person, draw(topics.eligible, 1000), parts)
  if (kind === undefined) return undefined
  const entitled = {
    kind,
    monthlyAmountVnd: amountOf(kind, person, draw(topics.grade, 4)),
    since: monthText(sinceOf(kind, person, bound => draw(topics.since, bound))),
  }
  if (draw(topics.paidBy, 100) >= accountPercent) return { ...entitled, paidBy: 'cash' }
  const bank = String(1 + draw(topics.bank, banks)).padStart(6, '0')
  const number = accountPrefix + String(parts.accountNumbers.forward(person.index, accountTweak)).padStart(8, '0')
  return { ...entitled, paidBy: 'account', account: { bank, number } }
}

/** The age on the last day of 2025. */
export const ageOf = ({ dateOfBirth }: Pick<Person, 'dateOfBirth'>): number =>
  lastBirthYear - yearOfBirthDate(dateOfBirth)

/** The first kind that fits. */
function kindOf(person: Person, draw: number, { hasPension, worksForState }: BenefitParts): BenefitKind | undefined {
  const { sex, dateOfBirth, fatherId } = person
  const birthYear = yearOfBirthDate(dateOfBirth)
  const age = ageOf(person)
  if (age <= orphanAgeMax && fatherId === undefined && draw < orphanRate) return 'orphan'
  if (birthYear >= warBirthYearMin && birthYear <= warBirthYearMax && draw < warInvalidRates[sex]) return 'war-invalid'
  if (isOldEnough(person) && draw < socialPensionRate && !hasPension(person)) return 'social-pension'
  return draw >= 1000 - disabilityRate && age > 0 && !worksForState(person) ? 'disability' : undefined
}

const isOldEnough = ({ dateOfBirth }: Person): boolean => monthOf(dateOfBirth) + socialPensionAge * 12 < nowMonth

/** @param grade 0 … 3 */
function amountOf(kind: BenefitKind, person: Person, grade: number): number {
  const age = ageOf(person)
  if (kind === 'war-invalid') return warInvalidAmountsVnd[grade] ?? warInvalidAmountsVnd[0]
  if (kind === 'social-pension') return standardVnd
  if (kind === 'orphan') return standardVnd * (age <= infantAgeMax ? 2.5 : 1.5)
  const isChildOrOld = age < 16 || age >= 60
  return standardVnd * ((grade === 0 ? 2 : 1.5) + (isChildOrOld ? 0.5 : 0))
}

function sinceOf(kind: BenefitKind, { dateOfBirth }: Person, draw: (bound: number) => number): Month {
  const born = monthOf(dateOfBirth)
  if (kind === 'social-pension') {
    const at80 = born + earlierSocialPensionAge * 12 + 1
    if (at80 < socialPensionSince) return Math.max(at80, firstSocialPension)
    return Math.max(born + socialPensionAge * 12 + 1, socialPensionSince)
  }
  const earliest = kind === 'war-invalid' ? born + 20 * 12 : Math.max(born, 2000 * 12)
  const latest = kind === 'war-invalid' ? Math.max(earliest, 1990 * 12) : nowMonth
  return earliest + draw(Math.max(latest - earliest, 1))
}
