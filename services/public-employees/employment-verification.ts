// Whether a person works for a public body, as the register of public employees has both. Who works elsewhere, whose body has not
// sent them yet and who is known by an old number alone all get the same answer.
import { canonicalAgencyCode } from '#contracts/agency-code.ts'
import { type CreateHandler } from '../adapter.ts'
import { type AskedIdentity, compareIdentity, recordOf } from '../recorded-person.ts'

type Request = AskedIdentity & { body: string }

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const asked = request as unknown as Request
    const person = nation.findPerson(asked.personalId)
    const employment = person && nation.publicEmploymentOf(person)
    const employee = employment?.isRecorded ? recordOf(nation, 'public-employees', person) : undefined
    const attributes = {
      ...compareIdentity(asked, employee),
      body: employee !== undefined && canonicalAgencyCode(asked.body) === employment?.body.code,
    }
    const matched = Object.values(attributes).every(Boolean)
    return fields.has('attributes') ? { matched, attributes } : { matched }
  }
