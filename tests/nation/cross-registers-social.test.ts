// What the walk through every register (cross-registers.test.ts) leaves out of social insurance, health and labour: whom they do not
// know they do not find, by the number alone they tell what they recorded, and one person has one code and one card in all of them.
import { describe, expect, it } from 'vitest'
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { type JsonObject } from '#contracts/json.ts'
import { isSameName } from '#contracts/person-name.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault, type RegisterName } from '#nation/records.ts'
import { directAsker } from '#tests/services/direct-asker.ts'
import { rememberingNation } from './register-walk.ts'

const computed = createNation({ seed: 20_260_101 })
const people = Array.from({ length: 20_000 }, (_, at) => computed.person((at * 4_993 + 1) % computed.population))
const nation = rememberingNation(computed, people)

/** How a register is asked about someone, and who is in it. */
interface Walk {
  service: string
  register: RegisterName
  isKnown(person: Person): boolean
  requestOf(person: Person): JsonObject
}

const identityOf = ({ personalId, fullName, dateOfBirth }: Person): JsonObject => ({
  personalId,
  fullName,
  dateOfBirth,
})
const isInsured = (person: Person): boolean => nation.insuranceOf(person) !== undefined
const walks: Walk[] = [
  {
    service: 'social-insurance/insurance-status',
    register: 'social-insurance',
    isKnown: isInsured,
    requestOf: identityOf,
  },
  {
    service: 'social-insurance/contribution-history',
    register: 'social-insurance',
    isKnown: isInsured,
    requestOf: identityOf,
  },
  { service: 'health/health-summary', register: 'health', isKnown: isInsured, requestOf: identityOf },
  {
    service: 'labour/benefit-status',
    register: 'labour',
    isKnown: person => nation.benefitOf(person) !== undefined,
    requestOf: identityOf,
  },
  {
    service: 'health/insurance-card-verification',
    register: 'health',
    isKnown: person => nation.insuranceOf(person)?.card !== undefined,
    requestOf: person => ({
      cardNumber: nation.insuranceOf(person)?.card?.number ?? 'GD4790199999999',
      fullName: person.fullName,
      dateOfBirth: person.dateOfBirth,
      validOn: '2026-01-12',
    }),
  },
  {
    service: 'labour/benefit-account-verification',
    register: 'labour',
    isKnown: person => nation.benefitOf(person)?.account !== undefined,
    requestOf: person => {
      const { bank = '000001', number = '8812345678' } = nation.benefitOf(person)?.account ?? {}
      return { personalId: person.personalId, fullName: person.fullName, bank, accountNumber: number }
    },
  },
]

describe.each(walks)('$service', ({ service, isKnown, requestOf }) => {
  it('finds nobody whom the register does not know', async () => {
    const ask = await directAsker(service, nation)
    const strangers = people.filter(person => !isKnown(person))
    expect(strangers.length).toBeGreaterThan(1000)
    const found = strangers.filter(person => {
      const reply = ask(requestOf(person))
      return (reply['found'] ?? reply['matched']) === true
    })
    expect(found.map(({ index }) => index)).toEqual([])
  })
})

describe.each(walks.filter(({ requestOf }) => requestOf === identityOf))('$service, told', walk => {
  it('the number alone, tells names and dates that differ exactly where a fault was seeded', async () => {
    const ask = await directAsker(walk.service, nation)
    const counts = new Map<RecordFault, number>()
    const seeded = new Map<RecordFault, number>()
    const count = (into: Map<RecordFault, number>, fault: RecordFault) => into.set(fault, (into.get(fault) ?? 0) + 1)
    for (const person of people.filter(walk.isKnown)) {
      const { found, fullName = '', dateOfBirth = '' } = ask({ personalId: person.personalId })
      if (found !== true) count(counts, 'old-number')
      else if (!isSameName(String(fullName), person.fullName, { diacritics: 'keep' })) count(counts, 'misspelt-name')
      else if (!agreesWithBirthDate(String(dateOfBirth), person.dateOfBirth)) count(counts, 'wrong-birth-year')
      const { fault } = nation.recordedIn(walk.register, person)
      if (fault !== undefined) count(seeded, fault)
    }
    expect(counts).toEqual(seeded)
  })
})

it('one person has one insurance code and one card wherever they are asked about', async () => {
  const statusOf = await directAsker('social-insurance/insurance-status', nation)
  const historyOf = await directAsker('social-insurance/contribution-history', nation)
  const verify = await directAsker('health/insurance-card-verification', nation)
  let cards = 0
  for (const person of people) {
    const status = statusOf({ personalId: person.personalId })
    const { insuranceCode } = historyOf({ personalId: person.personalId })
    expect(status['insuranceCode']).toBe(insuranceCode)
    const card = status['card'] as { number: string } | undefined
    if (card === undefined || nation.recordedIn('health', person).fault !== undefined) continue
    const { fullName, dateOfBirth } = person
    expect(verify({ cardNumber: card.number, fullName, dateOfBirth, validOn: '2026-01-12' })['matched']).toBe(true)
    cards++
  }
  expect(cards).toBeGreaterThan(15_000)
})
