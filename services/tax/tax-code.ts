// The tax code of today to a personal number, an enterprise code or a person's ten-digit code from before July 2025, and back.
import { type CreateHandler, pickFields } from '../adapter.ts'
import { findTaxpayer } from './taxpayers.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const taxpayer = findTaxpayer(nation, String(request['taxCode']))
    if (taxpayer === undefined) return { found: false }
    if (taxpayer.kind === 'enterprise') {
      const { enterpriseCode: taxCode, name } = taxpayer.enterprise
      return pickFields({ found: true, kind: 'enterprise', taxCode, name }, fields)
    }
    const { person, recorded } = taxpayer
    const { number: taxCode, fullName: name, dateOfBirth } = recorded
    const formerTaxCode = nation.formerTaxCodeOf(person)
    return pickFields(
      {
        found: true,
        kind: 'person',
        taxCode,
        ...(formerTaxCode === undefined ? {} : { formerTaxCode }),
        name,
        dateOfBirth,
      },
      fields,
    )
  }
