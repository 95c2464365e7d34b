// The granted fields of an enterprise's registration.
import { type JsonObject } from '#contracts/json.ts'
import { type CreateHandler, pickFields } from '../adapter.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const enterprise = nation.findEnterprise(String(request['enterpriseCode']))
    if (enterprise === undefined) return { found: false }
    return pickFields({ found: true, ...(enterprise as unknown as JsonObject) }, fields)
  }
