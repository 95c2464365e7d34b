// The land register, asked through its contracts: what it discloses of a parcel, and whether somebody owns one.
import { describe, expect, test } from 'vitest'
import { type Parcel } from '#nation/land.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault } from '#nation/records.ts'
import { askerOf } from './register-asker.ts'

const nation = createNation({ seed: 1 })
const verify = await askerOf(nation, 'land/ownership-verification')
const disclose = await askerOf(nation, 'land/parcel-record')

/** The first owner whom the register has recorded with the fault, or without one. */
function find(fault?: RecordFault): { person: Person; parcel: Parcel } {
  for (let index = 0; index < 20_000; index++) {
    const person = nation.person(index)
    const [parcel] = nation.parcelsOf(person)
    if (parcel !== undefined && nation.recordedIn('land', person).fault === fault) return { person, parcel }
  }
  throw new Error('no owner is recorded so')
}

const { person, parcel } = find()
const { parcelCode } = parcel
const { personalId, fullName, dateOfBirth } = person
const good = { personalId, fullName, parcelCode }
const unknownCode = '90001.400.5000'

describe('parcel record', () => {
  test('tells where it lies, what it is, and of its owner the kind alone', () => {
    const { place, mapSheet, parcelNumber, areaM2, use, certificateNumber, ownerKind } = parcel
    expect(disclose({ parcelCode })).toEqual({
      found: true,
      parcelCode,
      address: place,
      mapSheet,
      parcelNumber,
      areaM2,
      use,
      certificateNumber,
      ownerKind,
    })
    for (const id of parcel.ownerIds) expect(JSON.stringify(disclose({ parcelCode }))).not.toContain(id)
  })

  test('tells granted fields only', () => {
    expect(disclose({ parcelCode }, ['areaM2'])).toEqual({ found: true, areaM2: parcel.areaM2 })
  })

  test('is not found where no parcel is', () => {
    expect(disclose({ parcelCode: unknownCode })).toEqual({ found: false })
  })

  test('is found of an enterprise’s site', () => {
    const site = Array.from({ length: 100 }, (_, index) => nation.parcelsOf(nation.enterprise(index))).flat()[0]!
    expect(disclose({ parcelCode: site.parcelCode }, ['ownerKind'])).toEqual({
      found: true,
      ownerKind: 'enterprise',
    })
  })
})

describe('ownership verification', () => {
  test('matches each owner, with or without the date of birth, however the name is written', () => {
    expect(verify(good)).toEqual({ matched: true, attributes: { parcelCode: true, personalId: true, fullName: true } })
    const shouted = { ...good, fullName: fullName.toUpperCase(), dateOfBirth: dateOfBirth.slice(0, 4) }
    expect(verify(shouted, [])).toEqual({ matched: true })
  })

  test('gives another’s parcel, an unknown one and a wrong name one answer', () => {
    const other = Array.from({ length: 100 }, (_, at) => nation.person(at + 500)).find(
      one => !parcel.ownerIds.includes(one.personalId),
    )!
    const wrong = [
      { ...good, personalId: other.personalId, fullName: other.fullName },
      { ...good, fullName: other.fullName },
      { ...good, parcelCode: unknownCode },
    ]
    for (const request of wrong) expect(verify(request, [])).toEqual({ matched: false })
    expect(verify({ ...good, parcelCode: unknownCode })).toEqual({
      matched: false,
      attributes: { parcelCode: false, personalId: false, fullName: false },
    })
  })

  test.each([
    ['old-number', { personalId: false, fullName: false, dateOfBirth: false }],
    ['misspelt-name', { personalId: true, fullName: false, dateOfBirth: true }],
    ['wrong-birth-year', { personalId: true, fullName: true, dateOfBirth: false }],
  ] as const)('compares with its own record and its fault, %s', (fault, attributes) => {
    const faulty = find(fault)
    const { personalId, fullName, dateOfBirth } = faulty.person
    const request = { personalId, fullName, dateOfBirth, parcelCode: faulty.parcel.parcelCode }
    expect(verify(request)).toEqual({ matched: false, attributes: { parcelCode: true, ...attributes } })
  })
})
