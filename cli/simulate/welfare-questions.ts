// Questions to social insurance, to the register of labour and benefits and to the health register: about the insured, those who
// are paid a benefit, patients. What they answer of those whom they have recorded wrongly is known too.
import { type JsonObject } from '#contracts/json.ts'
import { formatPersonalId } from '#contracts/personal-id.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RegisterName } from '#nation/records.ts'
import { type Maker, type MakerTools, type Question } from './maker.ts'
import {
  aboutPeople,
  asJson,
  drawPerson,
  identifyBy,
  identityOf,
  isFoundIn,
  missUnused,
  tellRecorded,
} from './people.ts'
import { drawRecentBirthday } from './population-questions.ts'

const writes = { name: 'fullName', birthDate: 'dateOfBirth' }
/** When patients are admitted: the nation is of the January of that year. */
const admissionDay = '2026-01-12'
const serialSpan = 1_000_000
/** Of cards of children under six. */
const childGroup = 'TE1'

/** Of questions for a card: about a child that has one already. */
const childPercent = 20
const children = aboutPeople({ about: cardOfChild, isAsked: ({ dateOfBirth }) => dateOfBirth >= '2024' })

export const welfareQuestions: Readonly<Record<string, Maker>> = {
  'social-insurance/insurance-status': toldBy('social-insurance', (person, nation) => {
    const insurance = nation.insuranceOf(person)
    return insurance && asJson(insurance)
  }),
  'social-insurance/contribution-history': toldBy('social-insurance', (person, nation) => {
    const insurance = nation.insuranceOf(person)
    if (insurance === undefined) return undefined
    const months = nation.contributionsOf(person).reduce((sum, period) => sum + period.months, 0)
    return { insuranceCode: insurance.insuranceCode, months }
  }),
  'social-insurance/insurance-card-issuance': {
    about: cardOfChild,
    make: tools => (tools.draws.percent(childPercent) ? children.make(tools) : cardOfNewborn(tools)),
  },
  'labour/benefit-status': toldBy('labour', benefitOf, withoutBenefit),
  'labour/benefit-account-verification': aboutPeople({ about: accountOf, writes: { name: 'fullName' } }),
  'health/insurance-card-verification': aboutPeople({ about: cardOf, writes }),
  'health/health-summary': toldBy('health', (person, nation) => {
    const health = nation.healthOf(person)
    return health && asJson(health)
  }),
}

/** About those of whom a register discloses something; what that is, `factsOf` says. */
function toldBy(
  register: RegisterName,
  factsOf: (person: Person, nation: Nation) => JsonObject | undefined,
  miss: (tools: MakerTools) => Question = missUnused,
): Maker {
  const about = (person: Person, { nation, draws }: MakerTools): Question | undefined => {
    const facts = factsOf(person, nation)
    if (facts === undefined) return undefined
    const request = { ...identifyBy(person, draws) }
    if (!isFoundIn(register, person, request, nation)) return { request, expects: { found: false } }
    return { request, expects: { found: true, ...tellRecorded(register, person, nation), ...facts } }
  }
  return aboutPeople({ about, miss, writes })
}

function benefitOf(person: Person, nation: Nation): JsonObject | undefined {
  const benefit = nation.benefitOf(person)
  if (benefit === undefined) return undefined
  const { kind, monthlyAmountVnd, since, paidBy } = benefit
  return { kind, monthlyAmountVnd, since, paidBy }
}

function withoutBenefit(tools: MakerTools): Question {
  for (;;) {
    const person = drawPerson(tools)
    if (tools.nation.benefitOf(person) === undefined)
      return { request: { personalId: person.personalId }, expects: { found: false } }
  }
}

/** The date of birth is not asked for, so a wrong one is not noticed. */
function accountOf(person: Person, { nation }: MakerTools): Question | undefined {
  const account = nation.benefitOf(person)?.account
  if (account === undefined) return undefined
  const { personalId, fullName } = person
  const request = { personalId, fullName, bank: account.bank, accountNumber: account.number }
  return { request, expects: { matched: isFoundIn('labour', person, { fullName }, nation) } }
}

function cardOf(person: Person, { nation }: MakerTools): Question | undefined {
  const card = nation.insuranceOf(person)?.card
  if (card === undefined) return undefined
  const { fullName, dateOfBirth } = identityOf(person)
  const { number: cardNumber, validFrom, validTo = admissionDay } = card
  const isValid = validFrom <= admissionDay && admissionDay <= validTo
  const request = { cardNumber, fullName, dateOfBirth, validOn: admissionDay }
  return { request, expects: { matched: isValid && isFoundIn('health', person, request, nation) } }
}

/** It is told the card that it has. A child recorded wrongly is none to ask for: it would be refused. */
function cardOfChild(person: Person, { nation }: MakerTools): Question | undefined {
  const card = nation.insuranceOf(person)?.card
  const isKnown = isFoundIn('social-insurance', person, person, nation)
  if (card?.number.startsWith(childGroup) !== true || !isKnown) return undefined
  const { registrationNumber: birthRegistration } = nation.birthEntryOf(person)
  const { sex } = person
  return { request: { ...identityOf(person), sex, birthRegistration }, expects: { insuranceCard: card.number } }
}

/** A child with a number that it was given after the nation's date. */
function cardOfNewborn(tools: MakerTools): Question {
  for (;;) {
    const { fullName, sex, birthProvince } = drawPerson(tools)
    const dateOfBirth = drawRecentBirthday(tools)
    const serial = tools.draws.below(serialSpan)
    const personalId = formatPersonalId({ province: birthProvince.code, sex, birthYear: 2025, serial }, 'simulated')
    if (tools.nation.findPerson(personalId) !== undefined) continue
    const birthRegistration = `TP.${birthProvince.code}/2025-${tools.label}`
    return { request: { personalId, fullName, dateOfBirth, sex, birthRegistration }, expects: {} }
  }
}
