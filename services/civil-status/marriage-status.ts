// Whether somebody is married or not, and to whom, as claimed, by this register's own entry of the person. An unknown number, a
// wrong name and a wrong claim get the same answer, so that a refusal teaches nothing.
import { type CreateHandler } from '../adapter.ts'
import { agrees } from '../recorded-person.ts'
import { findEntry } from './entries.ts'

interface Request {
  personalId: string
  fullName: string
  dateOfBirth: string
  status: 'married' | 'unmarried'
  spouseId?: string
}

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const asked = request as unknown as Request
    const entry = findEntry(nation, asked.personalId)
    const attributes = {
      person: entry !== undefined && agrees(asked, entry.recorded),
      status: entry !== undefined && (entry.person.maritalStatus === 'married') === (asked.status === 'married'),
      spouse: entry !== undefined && (asked.spouseId === undefined || entry.person.spouseId === asked.spouseId),
    }
    const matched = attributes.person && attributes.status && attributes.spouse
    return fields.has('attributes') ? { matched, attributes } : { matched }
  }
