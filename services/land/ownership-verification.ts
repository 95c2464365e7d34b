// Whether a person owns a parcel, alone or with the spouse, as the land register has recorded them. An unknown parcel, another's
// and a wrong name all get the same answer, so that a refusal teaches nothing.
import { type CreateHandler } from '../adapter.ts'
import { type AskedIdentity, compareIdentity, recordOf } from '../recorded-person.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const asked = request as unknown as AskedIdentity & { parcelCode: string }
    const parcel = nation.findParcel(asked.parcelCode)
    const ownerId = parcel?.ownerIds.find(id => id === asked.personalId)
    const owner = ownerId === undefined ? undefined : nation.findPerson(ownerId)
    const identity = compareIdentity(asked, recordOf(nation, 'land', owner))
    const matched = Object.values(identity).every(Boolean)
    return fields.has('attributes')
      ? { matched, attributes: { parcelCode: parcel !== undefined, ...identity } }
      : { matched }
  }
