// Whether a number, a name and a date of birth belong to one citizen. An unknown number, a wrong name and a wrong date all
// get the same answer, so that a refusal teaches nothing.
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { isSameName } from '#contracts/person-name.ts'
import { type CreateHandler } from '../adapter.ts'

interface Request {
  personalId: string
  fullName: string
  dateOfBirth: string
}

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const { personalId, fullName, dateOfBirth } = request as unknown as Request
    const person = nation.findPerson(personalId)
    // Clients send names in capitals without diacritics, so diacritics do not count.
    const attributes = {
      personalId: person !== undefined,
      fullName: person !== undefined && isSameName(fullName, person.fullName, { diacritics: 'fold' }),
      dateOfBirth: person !== undefined && agreesWithBirthDate(dateOfBirth, person.dateOfBirth),
    }
    const matched = attributes.personalId && attributes.fullName && attributes.dateOfBirth
    return fields.has('attributes') ? { matched, attributes } : { matched }
  }
