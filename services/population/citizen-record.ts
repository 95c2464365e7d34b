// The granted fields of a citizen's record. Where a name or a date of birth is sent along it must agree, else nothing is found.
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { type JsonObject } from '#contracts/json.ts'
import { isSameName } from '#contracts/person-name.ts'
import { type Person } from '#nation/person.ts'
import { type CreateHandler, pickFields } from '../adapter.ts'

interface Request {
  personalId: string
  fullName?: string
  dateOfBirth?: string
}

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const asked = request as unknown as Request
    const person = nation.findPerson(asked.personalId)
    if (person === undefined || !agrees(person, asked)) return { found: false }
    return pickFields({ found: true, ...(person as unknown as JsonObject) }, fields)
  }

function agrees(person: Person, { fullName, dateOfBirth }: Request): boolean {
  if (fullName !== undefined && !isSameName(fullName, person.fullName, { diacritics: 'fold' })) return false
  return dateOfBirth === undefined || agreesWithBirthDate(dateOfBirth, person.dateOfBirth)
}
