// Walks people and enterprises through the land, tax and business registers with the facts that the population register has of
// them. The answers that disagree are exactly the seeded faults, each of its kind: one more is a register that contradicts
// another, one less a fault that no reconciliation would find.
import { expect, test } from 'vitest'
import { isSameName } from '#contracts/person-name.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault, type RegisterName } from '#nation/records.ts'
import { askerOf } from '#tests/services/register-asker.ts'
import { rememberingNation } from './register-walk.ts'

const computed = createNation({ seed: 1 })
const people = Array.from({ length: 20_000 }, (_, at) => computed.person((at * 4_999 + 23) % computed.population))
const nation = rememberingNation(computed, people)
const enterprises = Array.from({ length: 5_000 }, (_, at) => nation.enterprise((at * 179 + 5) % nation.enterpriseCount))
const representatives = enterprises.map(({ legalRepresentativeId }) => nation.findPerson(legalRepresentativeId)!)
const owned = people.flatMap(person => nation.parcelsOf(person).map(parcel => ({ person, parcel })))

const [askTaxCode, askObligation, askOwnership, askParcel, askRepresentative, askEnterprise] = await Promise.all(
  [
    'tax/tax-code',
    'tax/tax-obligation',
    'land/ownership-verification',
    'land/parcel-record',
    'business-registration/representative-verification',
    'business-registration/enterprise-record',
  ].map(id => askerOf(nation, id)),
)

const identityOf = ({ personalId, fullName, dateOfBirth }: Person) => ({ personalId, fullName, dateOfBirth })

const seededIn = (register: RegisterName, asked: readonly Person[]): (RecordFault | undefined)[] =>
  asked.map(person => nation.recordedIn(register, person).fault)

/** What a match says is wrong, by its attributes. */
function disagreementOf(reply: Record<string, unknown>): RecordFault | undefined {
  const { personalId, fullName, dateOfBirth } = reply['attributes'] as Record<string, boolean>
  const wrong: RecordFault | undefined = !personalId
    ? 'old-number'
    : !fullName
      ? 'misspelt-name'
      : dateOfBirth
        ? undefined
        : 'wrong-birth-year'
  expect(reply['matched']).toBe(wrong === undefined)
  return wrong
}

function expectSeeded(register: RegisterName, asked: readonly Person[], found: (RecordFault | undefined)[]): void {
  const seeded = seededIn(register, asked)
  expect(seeded.filter(fault => fault !== undefined).length).toBeGreaterThan(50)
  expect(found).toEqual(seeded)
}

test('the tax register knows everyone by the personal number, name and date, but for its seeded faults', () => {
  const found = people.map(({ personalId, fullName, dateOfBirth }): RecordFault | undefined => {
    const reply = askTaxCode!({ taxCode: personalId })
    if (reply['found'] !== true) return 'old-number'
    expect([reply['kind'], reply['taxCode']]).toEqual(['person', personalId])
    if (!isSameName(String(reply['name']), fullName, { diacritics: 'fold' })) return 'misspelt-name'
    return reply['dateOfBirth'] === dateOfBirth ? undefined : 'wrong-birth-year'
  })
  expectSeeded('tax', people, found)
})

test('the tax register answers by the code of before as by the number of today', () => {
  for (const person of people) {
    const taxCode = nation.formerTaxCodeOf(person)
    if (taxCode !== undefined) expect(askTaxCode!({ taxCode })).toEqual(askTaxCode!({ taxCode: person.personalId }))
  }
})

test('the land register matches every owner with what population says of them, but for its seeded faults', () => {
  const found = owned.map(({ person, parcel: { parcelCode } }) =>
    disagreementOf(askOwnership!({ ...identityOf(person), parcelCode })),
  )
  const asked = owned.map(({ person }) => person)
  expectSeeded('land', asked, found)
})

test('the land register matches nobody with a parcel of somebody else', () => {
  for (const [at, { parcel }] of owned.entries()) {
    const stranger = people[(at * 7) % people.length]!
    if (parcel.ownerIds.includes(stranger.personalId)) continue
    const { parcelCode } = parcel
    expect(askOwnership!({ ...identityOf(stranger), parcelCode }, [])).toEqual({ matched: false })
  }
})

test('parcels lie where population and the business register say that their owners are', () => {
  for (const { person, parcel } of owned)
    expect(askParcel!({ parcelCode: parcel.parcelCode }, ['address'])).toEqual({
      found: true,
      address: person.residence,
    })
  for (const enterprise of enterprises)
    for (const { parcelCode } of nation.parcelsOf(enterprise))
      expect(askParcel!({ parcelCode }, ['address'])).toEqual(
        askEnterprise!({ enterpriseCode: enterprise.enterpriseCode }, ['address']),
      )
})

test('land tax is owed by owners alone', () => {
  const taxType = 'non-agricultural-land-use'
  for (const person of people) {
    const { owes } = askObligation!({ taxCode: person.personalId, taxType }, ['owes'])
    if (owes === true) expect(nation.parcelsOf(person)).not.toEqual([])
  }
})

test('the tax register knows of everyone’s obligations whom it knows at all', () => {
  for (const person of people) {
    const isKnown = nation.recordedIn('tax', person).fault !== 'old-number'
    const owes = nation.obligationsOf(person).length > 0
    const reply = askObligation!({ taxCode: person.personalId }, ['owes'])
    expect(reply).toEqual(isKnown ? { found: true, owes } : { found: false })
  }
})

test('the business register matches every representative, but for its seeded faults, and discloses no other', () => {
  const found = enterprises.map(({ enterpriseCode }, at) => {
    const representative = representatives[at]!
    const wrong = disagreementOf(askRepresentative!({ ...identityOf(representative), enterpriseCode }))
    const legalRepresentativeId = wrong === 'old-number' ? {} : { legalRepresentativeId: representative.personalId }
    expect(askEnterprise!({ enterpriseCode }, ['legalRepresentativeId'])).toEqual({
      found: true,
      ...legalRepresentativeId,
    })
    return wrong
  })
  expectSeeded('business-registration', representatives, found)
})

test('the tax register has every enterprise under the code and name of the business register', () => {
  for (const { enterpriseCode } of enterprises) {
    const { name } = askEnterprise!({ enterpriseCode }, ['name'])
    const reply = { found: true, kind: 'enterprise', taxCode: enterpriseCode, name }
    expect(askTaxCode!({ taxCode: enterpriseCode })).toEqual(reply)
  }
})
