// The granted fields of an enterprise's registration. A representative whom the register knows by the nine digits of an old card
// alone has no personal number to tell.
import { type JsonObject } from '#contracts/json.ts'
import { type Enterprise } from '#nation/enterprise.ts'
import { type Nation } from '#nation/nation.ts'
import { type CreateHandler, pickFields } from '../adapter.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const enterprise = nation.findEnterprise(String(request['enterpriseCode']))
    if (enterprise === undefined) return { found: false }
    const record = pickFields({ found: true, ...(enterprise as unknown as JsonObject) }, fields)
    if (fields.has('legalRepresentativeId') && !knowsRepresentative(nation, enterprise))
      delete record['legalRepresentativeId']
    return record
  }

function knowsRepresentative(nation: Nation, { legalRepresentativeId }: Enterprise): boolean {
  const person = nation.findPerson(legalRepresentativeId)
  return person !== undefined && nation.recordedIn('business-registration', person).number === legalRepresentativeId
}
