// Walks people through the handlers of social insurance, health and labour, each asked with what the population register says of
// them. Whoever a register knows is found and told alike, except for exactly the faults that were seeded into it.
import { beforeAll, describe, expect, it } from 'vitest'
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { type JsonObject } from '#contracts/json.ts'
import { isSameName } from '#contracts/person-name.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault, type RegisterName } from '#nation/records.ts'
import { type Ask, directAsker } from '#tests/services/direct-asker.ts'

const nation = createNation({ seed: 20_260_101 })
const people = Array.from({ length: 20_000 }, (_, at) => nation.person((at * 4_993 + 1) % nation.population))

/** How a register is asked about someone, and who is in it. */
interface Walk {
  service: string
  register: RegisterName
  isKnown(person: Person): boolean
  requestOf(person: Person): JsonObject
  /** Which faults it can show: what is not compared is not noticed. */
  notices: readonly RecordFault[]
}

const allFaults: readonly RecordFault[] = ['old-number', 'misspelt-name', 'wrong-birth-year']
const identityOf = ({ personalId, fullName, dateOfBirth }: Person): JsonObject => ({
  personalId,
  fullName,
  dateOfBirth,
})
const isInsured = (person: Person): boolean => nation.insuranceOf(person) !== undefined
const disclosing = { requestOf: identityOf, notices: allFaults }
const walks: Walk[] = [
  { service: 'social-insurance/insurance-status', register: 'social-insurance', isKnown: isInsured, ...disclosing },
  { service: 'social-insurance/contribution-history', register: 'social-insurance', isKnown: isInsured, ...disclosing },
  { service: 'health/health-summary', register: 'health', isKnown: isInsured, ...disclosing },
  {
    service: 'labour/benefit-status',
    register: 'labour',
    isKnown: person => nation.benefitOf(person) !== undefined,
    ...disclosing,
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
    notices: allFaults,
  },
  {
    service: 'labour/benefit-account-verification',
    register: 'labour',
    isKnown: person => nation.benefitOf(person)?.account !== undefined,
    requestOf: person => {
      const { bank = '000001', number = '8812345678' } = nation.benefitOf(person)?.account ?? {}
      return { personalId: person.personalId, fullName: person.fullName, bank, accountNumber: number }
    },
    notices: ['old-number', 'misspelt-name'],
  },
]

describe.each(walks)('$service', ({ service, register, isKnown, requestOf, notices }) => {
  let ask: Ask
  beforeAll(async () => {
    ask = await directAsker(service, nation)
  })

  it('agrees with population about everyone it knows, but for exactly the seeded faults', () => {
    const disagreeing: number[] = []
    const seeded: number[] = []
    let known = 0
    for (const person of people) {
      const reply = ask(requestOf(person))
      const isYes = (reply['found'] ?? reply['matched']) === true
      if (!isKnown(person)) {
        expect(isYes).toBe(false)
        continue
      }
      known++
      if (!isYes) disagreeing.push(person.index)
      const { fault } = nation.recordedIn(register, person)
      if (fault !== undefined && notices.includes(fault)) seeded.push(person.index)
    }
    expect(disagreeing).toEqual(seeded)
    expect(known).toBeGreaterThan(100)
    expect(seeded.length).toBeGreaterThan(0)
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
