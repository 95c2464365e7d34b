// The granted fields of a parcel. Of its owners it tells the kind, never who they are.
import { type CreateHandler, pickFields } from '../adapter.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const parcel = nation.findParcel(String(request['parcelCode']))
    if (parcel === undefined) return { found: false }
    const { parcelCode, place, mapSheet, parcelNumber, areaM2, use, certificateNumber, ownerKind } = parcel
    const address = { province: { ...place.province }, ward: { ...place.ward } }
    return pickFields(
      {
        found: true,
        parcelCode,
        address,
        mapSheet,
        parcelNumber,
        areaM2,
        use: { ...use },
        certificateNumber,
        ownerKind,
      },
      fields,
    )
  }
