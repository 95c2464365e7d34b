// Whether a health-insurance card is a person's and valid on a day. The card is social insurance's, by its number; name and date
// of birth are as hospitals have recorded them. An unknown card, a wrong name and an expired card get the same answer. Cards that
// social insurance has issued since the nation's date it does not know (services/README.md).
import { type InsuranceCard } from '#nation/insurance.ts'
import { type CreateHandler } from '../adapter.ts'
import { compareRecorded, recordOf } from '../recorded-person.ts'

interface Request {
  cardNumber: string
  fullName: string
  dateOfBirth: string
  validOn: string
}

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const asked = request as unknown as Request
    const holder = recordOf(nation, 'health', nation.findInsured(asked.cardNumber))
    const card = holder === undefined ? undefined : nation.insuranceOf(holder.person)?.card
    const attributes = {
      cardNumber: card !== undefined,
      ...(holder === undefined ? { fullName: false, dateOfBirth: false } : compareRecorded(asked, holder.recorded)),
      validOn: card !== undefined && isValidOn(card, asked.validOn),
    }
    const matched = Object.values(attributes).every(Boolean)
    return fields.has('attributes') ? { matched, attributes } : { matched }
  }

/** Dates are `yyyy-mm-dd`, so their order is that of their texts. */
const isValidOn = ({ validFrom, validTo }: InsuranceCard, day: string): boolean =>
  validFrom <= day && (validTo === undefined || day <= validTo)
