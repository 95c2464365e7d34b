// Parcels agree with their owners from either end: who owns one is told of it, it lies where they live or are registered, and no
// two are one.
import { describe, expect, it } from 'vitest'
import { yearOfBirthDate } from '#contracts/birth-date.ts'
import { type Parcel } from '#nation/land.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'

const nation = createNation({ seed: 7 })
const people = Array.from({ length: 25_000 }, (_, at) => nation.person((at * 3_989 + 11) % nation.population))
const enterprises = Array.from({ length: 5_000 }, (_, at) => nation.enterprise((at * 179 + 3) % nation.enterpriseCount))
const owned = people.map(person => [person, nation.parcelsOf(person)] as const).filter(([, all]) => all.length > 0)
const sites = enterprises.map(enterprise => [enterprise, nation.parcelsOf(enterprise)] as const)

const known = (personalId: string): Person => {
  const person = nation.findPerson(personalId)
  if (person === undefined) throw new Error('an owner is not in the nation')
  return person
}
const isField = ({ use }: Parcel): boolean => !['ODT', 'ONT'].includes(use.code)

describe('parcels of people', () => {
  it('are found again by their code, with the same owners, who each own it', () => {
    for (const [person, parcels] of owned)
      for (const parcel of parcels) {
        expect(nation.findParcel(parcel.parcelCode)).toEqual(parcel)
        expect(parcel.ownerIds).toContain(person.personalId)
        const other = parcel.ownerIds.find(id => id !== person.personalId)
        if (other !== undefined) expect(nation.parcelsOf(known(other))).toContainEqual(parcel)
      }
  })

  it('belong to adults, one or a couple, and lie in the ward where they live', () => {
    for (const [person, parcels] of owned) {
      expect(yearOfBirthDate(person.dateOfBirth)).toBeLessThanOrEqual(2007)
      for (const { ownerIds, ownerKind, place, enterpriseCode } of parcels) {
        const [first, second] = ownerIds.map(known)
        expect(ownerKind).toBe(second === undefined ? 'person' : 'couple')
        if (second !== undefined) expect([first?.sex, first?.spouseId]).toEqual(['male', second.personalId])
        expect(place).toBe(person.residence)
        expect(enterpriseCode).toBeUndefined()
      }
    }
  })

  it('are at most a home and a field; a minor has none, most couples a home, mostly together', () => {
    expect(Math.max(...owned.map(([, parcels]) => parcels.length))).toBe(2)
    for (const [, parcels] of owned) expect(parcels.filter(isField).length).toBeLessThanOrEqual(1)
    const couples = people.filter(({ spouseId }) => spouseId !== undefined)
    const homes = couples.flatMap(person => nation.parcelsOf(person).filter(parcel => !isField(parcel)))
    expect(homes.length / couples.length).toBeGreaterThan(0.6)
    expect(homes.filter(({ ownerKind }) => ownerKind === 'couple').length / homes.length).toBeGreaterThan(0.8)
  })

  it('are as large and used as the place allows', () => {
    for (const [, parcels] of owned)
      for (const { use, areaM2, place } of parcels) {
        expect(areaM2).toBeGreaterThanOrEqual(40)
        expect(areaM2).toBeLessThanOrEqual(5000)
        if (use.code === 'ODT') expect(place.ward.name).toMatch(/^Phường /)
        if (use.code === 'ONT') expect(place.ward.name).toMatch(/^Xã /)
      }
  })
})

describe('sites of enterprises', () => {
  it('are found again by their code and lie in the ward of the address; who is dissolved has none', () => {
    let count = 0
    for (const [{ enterpriseCode, address, status }, parcels] of sites)
      for (const parcel of parcels) {
        count++
        expect(status).not.toBe('dissolved')
        expect(nation.findParcel(parcel.parcelCode)).toEqual(parcel)
        expect(parcel).toMatchObject({ ownerKind: 'enterprise', ownerIds: [], enterpriseCode })
        expect(parcel.place).toBe(address)
      }
    expect(count).toBeGreaterThan(1000)
    expect(Math.max(...sites.map(([, parcels]) => parcels.length))).toBe(1)
  })
})

it('has another code and another certificate for each parcel, none of a real series', () => {
  const all = [...owned, ...sites].flatMap(([, parcels]) => parcels)
  const codes = new Map(all.map(parcel => [parcel.parcelCode, parcel]))
  expect(new Set([...codes.values()].map(({ certificateNumber }) => certificateNumber)).size).toBe(codes.size)
  for (const parcel of all) expect(codes.get(parcel.parcelCode)).toEqual(parcel)
  for (const { certificateNumber } of all) expect(certificateNumber).toMatch(/^Z[ABC] \d{8}$/)
})

it('has in a ward no parcel but those whose owners say so, sheet by sheet', () => {
  const ward = owned[0]?.[1][0]?.place.ward.code ?? ''
  let found = 0
  for (const sheet of [1, 400, 401, 800, 801, 980])
    for (const number of Array.from({ length: 700 }, (_, at) => at * 7 + 1)) {
      const parcel = nation.findParcel(`${ward}.${sheet}.${number}`)
      if (parcel === undefined) continue
      found++
      expect(parcel).toMatchObject({ mapSheet: sheet, parcelNumber: number, place: { ward: { code: ward } } })
      for (const id of parcel.ownerIds) expect(nation.parcelsOf(known(id))).toContainEqual(parcel)
    }
  expect(found).toBeGreaterThan(0)
})

it.each([
  '',
  '90001',
  '90001.1',
  '90001.0.1',
  '90001.1.0',
  '90001.1.5001',
  '90001.981.1',
  '90001.999.5000',
  '00001.1.1',
])('finds no parcel %j', code => expect(nation.findParcel(code)).toBeUndefined())

it('gives another seed other owners', () => {
  const other = createNation({ seed: 8 })
  const codesOf = (one: typeof nation): string[] =>
    Array.from({ length: 200 }, (_, index) =>
      one.parcelsOf(one.person(index)).map(({ parcelCode }) => parcelCode),
    ).flat()
  expect(codesOf(createNation({ seed: 7 }))).toEqual(codesOf(nation))
  expect(codesOf(other)).not.toEqual(codesOf(nation))
})
