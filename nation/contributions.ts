// Who paid into social insurance, when and through which employer: a career from the first job to the pension, by month. Until
// the register became electronic there is one entry from the paper book; after it one entry a job, each at an enterprise that
// was registered by then, or at the public body that the person works for. Between two jobs there may be gaps.
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { lastBirthYear } from '#nation/cells.ts'
import { type Chance, createLottery, interpolate, mix, within } from '#nation/chance.ts'
import { type Enterprise, enterpriseCount } from '#nation/enterprise.ts'
import { type Month, monthOf, monthText } from '#nation/months.ts'
import { type Person } from '#nation/person.ts'

export type ContributionKind = 'paper-book' | 'compulsory' | 'voluntary'
/** Of the monthly salary that contributions are paid on, million dong. */
export type SalaryBand = 'under-5' | '5-to-10' | '10-to-20' | 'over-20'

export interface ContributionPeriod {
  readonly kind: ContributionKind
  /** `yyyy-mm`, first and last month; no last one while it goes on. */
  readonly from: string
  readonly to?: string
  /** Paid for, by the nation's date. */
  readonly months: number
  readonly salaryBand: SalaryBand
  /** Of a compulsory period. */
  readonly employer?: Employer
}

/** By the code of an enterprise, or of a public body. */
export interface Employer {
  readonly code: string
  readonly name: string
}

/** Work for a public body that goes on. */
export interface PublicWork {
  readonly body: Employer
  /** `yyyy-mm-dd` */
  readonly since: string
}

export interface ContributionParts {
  chance: Chance
  enterprise(index: number): Enterprise
  publicWorkOf?(person: Person): PublicWork | undefined
}

/** The month of the nation's date: the first that nobody has paid for. */
export const nowMonth: Month = (lastBirthYear + 1) * 12
/** Those who leave work with fewer have no pension. Social-insurance law 2024 article 64. */
export const pensionMonthsMin = 180
export const periodsMax = 7

const electronicSince: Month = 2008 * 12
const workingAge = 18
const startYears = 8
/** Of 100 people, how many ever pay in, by year of birth. */
const careerShares = [
  [1930, 16],
  [1950, 20],
  [1965, 27],
  [1985, 47],
  [2007, 47],
] as const
/** Of 100 careers: paid into by an employer to the end, by oneself in the end, or broken off. */
const stayPercent = 78
const voluntaryPercent = 8
const jobsMax = 4
const jobMonthsMin = 36
const employerTries = 6
const drawSalaryBand = createLottery<SalaryBand>([
  ['under-5', 14],
  ['5-to-10', 58],
  ['10-to-20', 22],
  ['over-20', 6],
])
const topics = {
  career: 230,
  startYear: 231,
  startMonth: 232,
  path: 233,
  leaving: 234,
  jobs: 235,
  salary: 236,
  publicSalary: 246,
  job: 240,
}

/** At most seven, the oldest first; empty for whoever never paid in. */
export function contributionsOf(person: Person, parts: ContributionParts): readonly ContributionPeriod[] {
  const work = parts.publicWorkOf?.(person)
  if (work === undefined) return careerOf(person, Math.min(pensionMonthOf(person), nowMonth), parts)
  const since = monthOf(work.since)
  const salary = drawSalaryBand(parts.chance.draw(person.index, topics.publicSalary))
  const before = careerOf(person, since, parts)
  const booked = paperBook(since, Math.min(nowMonth, electronicSince), salary)
  return [...before, ...booked, period('compulsory', Math.max(since, electronicSince), nowMonth, salary, work.body)]
}

/** What was paid before `end`, from the first job on. */
function careerOf(person: Person, end: Month, parts: ContributionParts): readonly ContributionPeriod[] {
  const { chance } = parts
  const { index, dateOfBirth } = person
  const draw = (topic: number, bound: number): number => within(chance.draw(index, topic), bound)
  if (draw(topics.career, 100) >= interpolate(careerShares, yearOfBirthDate(dateOfBirth))) return []
  const start =
    monthOf(dateOfBirth) + (workingAge + draw(topics.startYear, startYears)) * 12 + draw(topics.startMonth, 12)
  if (start >= end) return []
  const path = draw(topics.path, 100)
  const leaves = path < stayPercent ? end : start + 1 + draw(topics.leaving, end - start)
  const salary = drawSalaryBand(chance.draw(index, topics.salary))
  const periods = paperBook(start, Math.min(leaves, electronicSince), salary)
  periods.push(...jobsOf(index, Math.max(start, electronicSince), leaves, parts))
  const isVoluntary = path >= stayPercent && path < stayPercent + voluntaryPercent
  const from = Math.max(leaves, electronicSince)
  if (isVoluntary && from < end) periods.push(period('voluntary', from, end, 'under-5'))
  return periods
}

/**
 * The first month of the pension: the least age rises by months every year from 2021 on. Whoever has no month of birth counts
 * from January. Labour code 2019 article 169, decree 135/2020/NĐ-CP.
 */
export function pensionMonthOf({ sex, dateOfBirth }: Pick<Person, 'sex' | 'dateOfBirth'>): Month {
  const [before, step, most] = sex === 'male' ? [720, 3, 744] : [660, 4, 720]
  const born = monthOf(dateOfBirth)
  const ageIn = (year: number): number => Math.min(before + step * Math.max(year - 2020, 0), most)
  let month = born + before
  while (month < born + ageIn(Math.floor(month / 12))) month++
  return month + 1
}

const paperBook = (from: Month, end: Month, salary: SalaryBand): ContributionPeriod[] =>
  from < end ? [period('paper-book', from, end, salary)] : []

/** One after the other from `from` to before `end`; the last goes on when `end` is now. */
function jobsOf(index: number, from: Month, end: Month, parts: ContributionParts): ContributionPeriod[] {
  if (from >= end) return []
  const jobs = 1 + within(parts.chance.draw(index, topics.jobs), Math.min(jobsMax, 1 + (end - from) / jobMonthsMin))
  return Array.from({ length: jobs }, (_, job): ContributionPeriod[] => {
    const begins = from + Math.floor(((end - from) * job) / jobs)
    const ends = from + Math.floor(((end - from) * (job + 1)) / jobs)
    const draw = parts.chance.draw(index, topics.job + job)
    const employer = employerFor(draw, begins, ends === nowMonth, parts)
    const hired = employer === undefined ? ends : Math.max(begins, monthOf(employer.registeredOn) + 1)
    if (employer === undefined || hired >= ends) return []
    const { enterpriseCode: code, name } = employer
    return [period('compulsory', hired, ends, drawSalaryBand(mix(draw, job)), { code, name })]
  }).flat()
}

/** An enterprise that was there when the job began, else the oldest of those drawn; that is active where the job goes on. */
function employerFor(
  draw: number,
  begins: Month,
  goesOn: boolean,
  { enterprise }: ContributionParts,
): Enterprise | undefined {
  let oldest: Enterprise | undefined
  for (let attempt = 0; attempt < employerTries; attempt++) {
    const one = enterprise(within(mix(draw, attempt), enterpriseCount))
    if (goesOn && one.status !== 'active') continue
    if (monthOf(one.registeredOn) < begins) return one
    if (oldest === undefined || one.registeredOn < oldest.registeredOn) oldest = one
  }
  return oldest
}

function period(
  kind: ContributionKind,
  from: Month,
  end: Month,
  salaryBand: SalaryBand,
  employer?: Employer,
): ContributionPeriod {
  return {
    kind,
    from: monthText(from),
    ...(end === nowMonth ? {} : { to: monthText(end - 1) }),
    months: end - from,
    salaryBand,
    ...(employer === undefined ? {} : { employer }),
  }
}
