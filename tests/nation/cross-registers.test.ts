// Walks 100,000 people through every register of people, each asked with what the population register says of them. The answers
// that disagree are exactly the seeded faults, person by person and kind by kind: one more is a register that contradicts another,
// one less a fault that no reconciliation would find. A register joins with a line in `walks`.
import { describe, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { faultRates, type RecordFault, type RegisterName } from '#nation/records.ts'
import { type Application, certify, responsibleAge } from '#services/judicial-records/certificate.ts'
import { type Finding, type Identity, lookUp, openService, rememberingNation, type Walk } from './register-walk.ts'

const computed = createNation({ seed: 1 })
const walked = 100_000
const people = Array.from({ length: walked }, (_, at) => computed.person(at))
/** Every register asks about the same people again. */
const nation = rememberingNation(computed, people)
const registry = loadRegistry({ idScheme: 'simulated' })
/** A few seconds each; a busy machine may take long. */
const patient = { timeout: 60_000 }
const bornBy = (year: number, { dateOfBirth }: Person): boolean => Number(dateOfBirth.slice(0, 4)) <= year
const asTold = (identity: Identity): JsonObject => ({ ...identity })
const certificateOf = (request: JsonObject): JsonObject => {
  const decision = certify(request as unknown as Application, nation, { today: '2026-01-12', isTaken: () => false })
  return (decision as { reply: JsonObject }).reply
}

const walks: Walk[] = [
  { service: 'population/identity-verification', ask: asTold },
  { service: 'population/citizen-record', ask: asTold },
  {
    service: 'public-employees/employment-verification',
    register: 'public-employees',
    ask: (identity, person) => {
      const employment = nation.publicEmploymentOf(person)
      return employment?.isRecorded ? { ...identity, body: employment.body.code } : undefined
    },
  },
  {
    service: 'judicial-records/record-certificate',
    register: 'judicial-records',
    ask: (identity, person, at) =>
      bornBy(2025 - responsibleAge, person) ? { ...identity, application: `G09.12-${at}` } : undefined,
    answer: certificateOf,
  },
  {
    service: 'social-insurance/insurance-status',
    register: 'social-insurance',
    ask: (identity, person) => nation.insuranceOf(person) && asTold(identity),
  },
  {
    service: 'social-insurance/contribution-history',
    register: 'social-insurance',
    every: 5,
    ask: (identity, person) => nation.insuranceOf(person) && asTold(identity),
  },
  {
    service: 'health/health-summary',
    register: 'health',
    every: 5,
    ask: (identity, person) => nation.healthOf(person) && asTold(identity),
  },
  {
    service: 'health/insurance-card-verification',
    register: 'health',
    ask: ({ fullName, dateOfBirth }, person) => {
      const cardNumber = nation.insuranceOf(person)?.card?.number
      return cardNumber === undefined ? undefined : { cardNumber, fullName, dateOfBirth, validOn: '2026-01-12' }
    },
  },
  {
    service: 'labour/benefit-status',
    register: 'labour',
    ask: (identity, person) => nation.benefitOf(person) && asTold(identity),
  },
  {
    service: 'labour/benefit-account-verification',
    register: 'labour',
    notices: ['old-number', 'misspelt-name'],
    ask: ({ personalId, fullName }, person) => {
      const account = nation.benefitOf(person)?.account
      return account && { personalId, fullName, bank: account.bank, accountNumber: account.number }
    },
  },
  { service: 'tax/tax-code', register: 'tax', ask: ({ personalId }) => ({ taxCode: personalId }) },
  {
    service: 'tax/tax-obligation',
    register: 'tax',
    every: 5,
    notices: ['old-number'],
    ask: ({ personalId }) => ({ taxCode: personalId }),
  },
  {
    service: 'land/ownership-verification',
    register: 'land',
    ask: (identity, person) => {
      const parcelCode = nation.parcelsOf(person)[0]?.parcelCode
      return parcelCode === undefined ? undefined : { ...identity, parcelCode }
    },
  },
  {
    service: 'business-registration/representative-verification',
    register: 'business-registration',
    personAt: at => nation.findPerson(nation.enterprise(at).legalRepresentativeId),
    ask: (identity, _, at) => ({ ...identity, enterpriseCode: nation.enterprise(at).enterpriseCode }),
  },
  { service: 'civil-status/birth-record', register: 'civil-status', ask: asTold },
  {
    service: 'civil-status/marriage-status',
    register: 'civil-status',
    ask: (identity, { maritalStatus, spouseId }) => ({
      ...identity,
      status: maritalStatus === 'married' ? 'married' : 'unmarried',
      ...(spouseId === undefined ? {} : { spouseId }),
    }),
  },
]
/** Asked about a person, and of no use here. */
const notWalked: readonly string[] = []

const faults: readonly RecordFault[] = ['old-number', 'misspelt-name', 'wrong-birth-year']
const countOf = (findings: readonly Finding[]): Record<string, number> =>
  Object.fromEntries(faults.map(fault => [fault, findings.filter(finding => finding === fault).length]))

describe.each(walks)('$service', walk => {
  test('disagrees about exactly those whom a fault was seeded for', patient, async () => {
    const { close, ...service } = await openService(walk.service, registry, nation, walk.answer)
    const [found, seeded, wrong]: [Finding[], Finding[], string[]] = [[], [], []]
    const { every = 1 } = walk
    for (let at = 0; at < walked; at += every) {
      const person = walk.personAt === undefined ? people[at] : walk.personAt(at)
      const finding = person === undefined ? 'absent' : lookUp(walk, person, at, { ...service, nation })
      if (person === undefined || finding === 'absent') continue
      const fault = seededFor(person, walk)
      found.push(finding)
      seeded.push(fault)
      if (finding !== fault) wrong.push(`person ${person.index}: ${finding ?? 'none'}, seeded: ${fault ?? 'none'}`)
    }
    await close()
    expect(wrong.slice(0, 5)).toEqual([])
    expect(countOf(found)).toEqual(countOf(seeded))
    expect(found.length).toBeGreaterThan(walked / every / 200)
    if (walk.register !== undefined) expect(found.some(finding => finding !== undefined)).toBe(true)
  })
})

function seededFor(person: Person, { register, notices = faults }: Walk): RecordFault | undefined {
  const fault = register === undefined ? undefined : nation.recordedIn(register, person).fault
  return fault !== undefined && notices.includes(fault) ? fault : undefined
}

test('every service of a register with faults that is asked about a person is walked', () => {
  const isOfPeople = ({ providerId, contract }: (typeof registry.services)[number]): boolean =>
    (providerId as string as RegisterName) in faultRates &&
    contract.mode !== 'effect' &&
    'personalId' in (contract.request['properties'] as JsonObject)
  const ids = registry.services.filter(isOfPeople).map(({ contract }) => contract.id)
  expect(ids.filter(id => !notWalked.includes(id) && !walks.some(({ service }) => service === id))).toEqual([])
})
