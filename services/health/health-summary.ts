// What whoever treats a patient must know at once: blood group, allergies, chronic conditions, last visits.
import { type JsonObject } from '#contracts/json.ts'
import { type CreateHandler, pickFields } from '../adapter.ts'
import { type AskedPerson, findRecorded } from '../recorded-person.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const found = findRecorded(nation, 'health', request as unknown as AskedPerson)
    const health = found === undefined ? undefined : nation.healthOf(found.person)
    if (found === undefined || health === undefined) return { found: false }
    const { fullName, dateOfBirth } = found.recorded
    return pickFields({ found: true, fullName, dateOfBirth, ...(health as unknown as JsonObject) }, fields)
  }
