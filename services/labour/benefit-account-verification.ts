// Whether a bank account is where a beneficiary's benefit is paid to, so that money reaches no other. An unknown person, one paid
// in cash and a wrong account get the same answer.
import { type CreateHandler } from '../adapter.ts'
import { compareRecorded, recordOf } from '../recorded-person.ts'

interface Request {
  personalId: string
  fullName: string
  bank: string
  accountNumber: string
}

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const { personalId, fullName, bank, accountNumber } = request as unknown as Request
    const found = recordOf(nation, 'labour', nation.findPerson(personalId))
    const account = found === undefined ? undefined : nation.benefitOf(found.person)?.account
    const isBeneficiary = found !== undefined && account !== undefined
    const attributes = {
      personalId: isBeneficiary,
      fullName: isBeneficiary && compareRecorded({ fullName }, found.recorded).fullName,
      account: isBeneficiary && account.bank === bank && account.number === accountNumber,
    }
    const matched = Object.values(attributes).every(Boolean)
    return fields.has('attributes') ? { matched, attributes } : { matched }
  }
