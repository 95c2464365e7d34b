// Whether a citizen lives in a province and ward. An unknown number and another place get the same answer, so that a refusal
// teaches nothing.
import { type CreateHandler } from '../adapter.ts'

interface Request {
  personalId: string
  /** Two and five digits, of the provinces and wards since July 2025. */
  provinceCode: string
  wardCode: string
}

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const { personalId, provinceCode, wardCode } = request as unknown as Request
    const residence = nation.findPerson(personalId)?.residence
    const attributes = {
      personalId: residence !== undefined,
      province: residence?.province.code === provinceCode,
      ward: residence?.province.code === provinceCode && residence.ward.code === wardCode,
    }
    return fields.has('attributes') ? { matched: attributes.ward, attributes } : { matched: attributes.ward }
  }
