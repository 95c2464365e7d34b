// How a register has recorded a person: mostly as the population register has it, in a known share of cases with one fault that
// real registers have too. Faults are drawn from the seed, so that a reconciliation of two registers has an exactly known answer.
import { type PersonalId } from '#contracts/personal-id.ts'
import { type Chance, within } from '#nation/chance.ts'
import { type Person } from '#nation/person.ts'

/** Parts per 10,000 of the people a register knows. */
interface FaultRates {
  /** Known by the nine digits of the old identity card alone, so that nobody finds them by their personal number. */
  readonly 'old-number': number
  /** One letter of the given name is another. */
  readonly 'misspelt-name': number
  /** The year of birth is one or ten off. */
  readonly 'wrong-birth-year': number
}

export type RecordFault = keyof FaultRates

/** Round figures: the older the register and the later it was joined with the population's, the more. */
export const faultRates = Object.freeze({
  'civil-status': { 'old-number': 0, 'misspelt-name': 90, 'wrong-birth-year': 45 },
  'social-insurance': { 'old-number': 120, 'misspelt-name': 60, 'wrong-birth-year': 40 },
  tax: { 'old-number': 260, 'misspelt-name': 50, 'wrong-birth-year': 30 },
  land: { 'old-number': 900, 'misspelt-name': 140, 'wrong-birth-year': 110 },
  'business-registration': { 'old-number': 150, 'misspelt-name': 40, 'wrong-birth-year': 20 },
  'public-employees': { 'old-number': 20, 'misspelt-name': 30, 'wrong-birth-year': 60 },
  'judicial-records': { 'old-number': 300, 'misspelt-name': 70, 'wrong-birth-year': 50 },
  labour: { 'old-number': 210, 'misspelt-name': 110, 'wrong-birth-year': 130 },
  health: { 'old-number': 80, 'misspelt-name': 80, 'wrong-birth-year': 50 },
} satisfies Record<string, FaultRates>)

export type RegisterName = keyof typeof faultRates

export interface RecordedPerson {
  /** Twelve digits, or nine where the register has not learnt the new number. */
  readonly number: string
  readonly fullName: string
  readonly dateOfBirth: string
  /** At most one. */
  readonly fault?: RecordFault
}

/** Old cards were for people of 14 and more, the last in 2020. */
const lastOldCardYear = 2006
const faultTopic = 120
const detailTopic = 140
const oldNumbers = 1_000_000_000
const yearSlips = [-1, 1, -10, 10] as const
/** What is heard alike or typed beside it: at the beginning of the given name, else at its end. */
const beginnings = [
  ['Ch', 'Tr'],
  ['Tr', 'Ch'],
  ['Gi', 'D'],
  ['S', 'X'],
  ['X', 'S'],
  ['L', 'N'],
  ['D', 'Gi'],
] as const
const endings = [
  ['ng', 'n'],
  ['nh', 'n'],
  ['n', 'ng'],
  ['t', 'c'],
  ['c', 't'],
] as const

/** A pure function of seed, register and person. */
export function recordedIn(register: RegisterName, person: Person, chance: Chance): RecordedPerson {
  const at = Object.keys(faultRates).indexOf(register)
  const fault = drawFault(faultRates[register], person, chance.draw(person.index, faultTopic + at))
  const detail = chance.draw(person.index, detailTopic + at)
  const { personalId, fullName, dateOfBirth } = person
  return {
    number: fault === 'old-number' ? oldNumberOf(personalId, chance) : personalId,
    fullName: fault === 'misspelt-name' ? misspell(fullName) : fullName,
    dateOfBirth: fault === 'wrong-birth-year' ? slipYear(dateOfBirth, detail) : dateOfBirth,
    ...(fault === undefined ? {} : { fault }),
  }
}

function drawFault(rates: FaultRates, { dateOfBirth }: Person, draw: number): RecordFault | undefined {
  let drawn = within(draw, 10_000)
  for (const [fault, rate] of Object.entries(rates) as [RecordFault, number][]) {
    if (drawn < rate)
      return fault === 'old-number' && Number(dateOfBirth.slice(0, 4)) > lastOldCardYear ? undefined : fault
    drawn -= rate
  }
  return undefined
}

/** The same in every register: a person had one card. Nine digits, which no personal number has. */
function oldNumberOf(personalId: PersonalId, chance: Chance): string {
  const draw = chance.draw(Number(personalId.slice(-9)), detailTopic + 19)
  return String(within(draw, oldNumbers)).padStart(9, '0')
}

function misspell(fullName: string): string {
  const space = fullName.lastIndexOf(' ') + 1
  const [before, given] = [fullName.slice(0, space), fullName.slice(space)]
  for (const [right, wrong] of beginnings)
    if (given.startsWith(right)) return before + wrong + given.slice(right.length)
  for (const [right, wrong] of endings) if (given.endsWith(right)) return before + given.slice(0, -right.length) + wrong
  return `${before}${given}n`
}

/** A day that the other year does not have becomes the one before it. */
function slipYear(dateOfBirth: string, draw: number): string {
  const year = Number(dateOfBirth.slice(0, 4)) + (yearSlips[within(draw, yearSlips.length)] as number)
  const day = dateOfBirth.slice(4)
  return `${year}${day === '-02-29' ? '-02-28' : day}`
}
