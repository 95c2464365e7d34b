// Whether a person works for a public body, as the register of public employees has both. Who works elsewhere, whose body has not
// sent them yet and who is known by an old number alone all get the same answer.
import { canonicalAgencyCode } from '#contracts/agency-code.ts'
import { agreesWithBirthDate } from '#contracts/birth-date.ts'
import { isSameName } from '#contracts/person-name.ts'
import { type Nation } from '#nation/nation.ts'
import { type CreateHandler } from '../adapter.ts'

interface Request {
  personalId: string
  fullName: string
  dateOfBirth: string
  body: string
}

interface Employee {
  fullName: string
  dateOfBirth: string
  body: string
}

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const { personalId, fullName, dateOfBirth, body } = request as unknown as Request
    const employee = findEmployee(personalId, nation)
    const attributes = {
      personalId: employee !== undefined,
      fullName: employee !== undefined && isSameName(fullName, employee.fullName, { diacritics: 'fold' }),
      dateOfBirth: employee !== undefined && agreesWithBirthDate(dateOfBirth, employee.dateOfBirth),
      body: employee !== undefined && canonicalAgencyCode(body) === employee.body,
    }
    const matched = Object.values(attributes).every(Boolean)
    return fields.has('attributes') ? { matched, attributes } : { matched }
  }

function findEmployee(personalId: string, nation: Nation): Employee | undefined {
  const person = nation.findPerson(personalId)
  const employment = person && nation.publicEmploymentOf(person)
  if (person === undefined || employment?.isRecorded !== true) return undefined
  const { number, fullName, dateOfBirth } = nation.recordedIn('public-employees', person)
  return number === personalId ? { fullName, dateOfBirth, body: employment.body.code } : undefined
}
