// What was paid into social insurance for a person: by period and employer, and the months in all. Someone insured for whom
// nothing was ever paid has an empty history.
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
    const { insuranceCode } = insurance
    const periods = nation.contributionsOf(found.person)
    const months = periods.reduce((sum, period) => sum + period.months, 0)
    const history = { found: true, fullName, dateOfBirth, insuranceCode, months, periods }
    return pickFields(history as unknown as JsonObject, fields)
  }
