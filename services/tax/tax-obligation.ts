// What a person or an enterprise owes, by tax and period. That something is due is one thing, how much another: sums are a field
// of their own, and sensitive.
import { type CreateHandler, pickFields } from '../adapter.ts'
import { findTaxpayer } from './taxpayers.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const taxpayer = findTaxpayer(nation, String(request['taxCode']))
    if (taxpayer === undefined) return { found: false }
    const asked = request['taxType']
    const due = nation
      .obligationsOf(taxpayer.kind === 'person' ? taxpayer.person : taxpayer.enterprise)
      .filter(({ taxType }) => asked === undefined || taxType === asked)
    return pickFields(
      {
        found: true,
        owes: due.length > 0,
        obligations: due.map(({ taxType, period, dueOn }) => ({ taxType, period, dueOn })),
        amounts: due.map(({ taxType, period, amountVnd }) => ({ taxType, period, amountVnd })),
      },
      fields,
    )
  }
