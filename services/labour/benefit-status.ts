// Whether a person is paid a monthly benefit, which and how. Whoever is paid none is not in this register.
import { type CreateHandler, pickFields } from '../adapter.ts'
import { type AskedPerson, findRecorded } from '../recorded-person.ts'

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const found = findRecorded(nation, 'labour', request as unknown as AskedPerson)
    const benefit = found === undefined ? undefined : nation.benefitOf(found.person)
    if (found === undefined || benefit === undefined) return { found: false }
    const { fullName, dateOfBirth } = found.recorded
    const { kind, monthlyAmountVnd, since, paidBy } = benefit
    return pickFields({ found: true, fullName, dateOfBirth, kind, monthlyAmountVnd, since, paidBy }, fields)
  }
