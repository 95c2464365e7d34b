// Whether a person is the legal representative of an enterprise, as the business register has recorded them. An unknown
// enterprise, another person and a wrong name all get the same answer, so that a refusal teaches nothing.
import { type CreateHandler } from '../adapter.ts'
import { type AskedIdentity, compareIdentity, recordOf } from '../recorded-person.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const asked = request as unknown as AskedIdentity & { enterpriseCode: string }
    const enterprise = nation.findEnterprise(asked.enterpriseCode)
    const representative =
      enterprise?.legalRepresentativeId === asked.personalId ? nation.findPerson(asked.personalId) : undefined
    const identity = compareIdentity(asked, recordOf(nation, 'business-registration', representative))
    const matched = Object.values(identity).every(Boolean)
    return fields.has('attributes')
      ? { matched, attributes: { enterpriseCode: enterprise !== undefined, ...identity } }
      : { matched }
  }
