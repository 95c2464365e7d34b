// How a person is insured now: status and since when, insurance code, health-insurance card.
import { type JsonObject } from '#contracts/json.ts'
import { type CreateHandler, pickFields } from '../adapter.ts'
import { type AskedPerson, findRecorded } from '../recorded-person.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const found = findRecorded(nation, 'social-insurance', request as unknown as AskedPerson)
    const insurance = found === undefined ? undefined : nation.insuranceOf(found.person)
    if (found === undefined || insurance === undefined) return { found: false }
    const { fullName, dateOfBirth } = found.recorded
    return pickFields({ found: true, fullName, dateOfBirth, ...(insurance as unknown as JsonObject) }, fields)
  }
