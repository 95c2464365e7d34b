// Who has a tax code: since July 2025 a person's is the personal number; the ten-digit one of before still finds them, and an
// enterprise's is its enterprise code. Whoever the tax register knows by the nine digits of an old card alone is found by neither.
import { type Enterprise } from '#nation/enterprise.ts'
import { type Nation } from '#nation/nation.ts'
import { type FoundPerson, recordOf } from '../recorded-person.ts'

export type Taxpayer = ({ kind: 'person' } & FoundPerson) | { kind: 'enterprise'; enterprise: Enterprise }

export function findTaxpayer(nation: Nation, taxCode: string): Taxpayer | undefined {
  const enterprise = nation.findEnterprise(taxCode)
  if (enterprise !== undefined) return { kind: 'enterprise', enterprise }
  const person = nation.findPerson(taxCode) ?? nation.findPersonByFormerTaxCode(taxCode)
  const found = recordOf(nation, 'tax', person)
  return found && { kind: 'person', ...found }
}
