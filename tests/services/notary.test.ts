// What a notary asks before a home is sold, over HTTP: who stands there, whose the parcel is, what it is, whether tax is due. The
// registers answer of one person and one parcel what the nation says of them.
import { afterAll, expect, test } from 'vitest'
import { createNation } from '#nation/nation.ts'
import { startWorld } from '#tests/world.ts'

const nation = createNation({ seed: 1 })
const seller = nation.findPerson('026701599619')!
const [home] = nation.parcelsOf(seller)
const { personalId, fullName, dateOfBirth } = seller
const { parcelCode, place, areaM2 } = home!
const world = await startWorld()
afterAll(() => world.stop())

const ask = (service: string, purpose: string, request: object, client = 'notary') =>
  world.ask(service, { purpose, request }, { client })

test('the seller is who they say, owns the parcel, and it lies where they live', async () => {
  const identity = { personalId, fullName, dateOfBirth }
  const answers = await Promise.all([
    ask('population/identity-verification', 'customer-identification', identity),
    ask('land/ownership-verification', 'notarisation', { ...identity, parcelCode }),
    ask('land/parcel-record', 'notarisation', { parcelCode }),
    ask('tax/tax-obligation', 'notarisation', { taxCode: personalId }),
  ])
  expect(answers.map(({ status, body }) => [status, body.reply])).toEqual([
    [200, { matched: true }],
    [200, { matched: true }],
    [200, expect.objectContaining({ found: true, address: place, areaM2, ownerKind: 'couple' })],
    [200, { found: true, owes: false }],
  ])
})

test('who signs for an enterprise represents it', async () => {
  const { enterpriseCode, legalRepresentativeId } = nation.findEnterprise('2100584318')!
  const { fullName } = nation.findPerson(legalRepresentativeId)!
  const request = { enterpriseCode, personalId: legalRepresentativeId, fullName }
  const service = 'business-registration/representative-verification'
  const other = { ...request, personalId, fullName: seller.fullName }
  expect((await ask(service, 'notarisation', request)).body.reply).toEqual({ matched: true })
  expect((await ask(service, 'notarisation', other)).body.reply).toEqual({ matched: false })
})

test('whoever guesses at the owner of a parcel is stopped', async () => {
  const guess = { personalId, fullName: 'Nguyễn Văn Sai', parcelCode }
  const statuses: number[] = []
  for (let turn = 0; turn < 6; turn++)
    statuses.push((await ask('land/ownership-verification', 'notarisation', guess)).status)
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429])
})

test('amounts and what was not granted stay where they are', async () => {
  expect((await ask('tax/tax-code', 'tax-collection', { taxCode: personalId })).body.code).toBe(
    'NDX_SERVICE_NOT_GRANTED',
  )
  expect((await ask('land/parcel-record', 'notarisation', { parcelCode }, 'bank')).body.code).toBe(
    'NDX_SERVICE_NOT_GRANTED',
  )
  const owing = await ask('tax/tax-obligation', 'notarisation', { taxCode: '030488184405' })
  expect(owing.body.reply).toEqual({ found: true, owes: true })
})
