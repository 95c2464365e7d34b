// Who has a tax code: since July 2025 a person's is the personal number; the ten-digit one of before still finds them, and an
// enterprise's is its enterprise code. Whoever the tax register knows by the nine digits of an old card alone is found by neither.
import { type Enterprise } from '#nation/enterprise.ts'
import { type Nation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordedPerson } from '#nation/records.ts'

export type Taxpayer =
  | { kind: 'person'; person: Person; recorded: RecordedPerson }
  | { kind: 'enterprise'; enterprise: Enterprise }

export function findTaxpayer(nation: Nation, taxCode: string): Taxpayer | undefined {
  const enterprise = nation.findEnterprise(taxCode)
  if (enterprise !== undefined) return { kind: 'enterprise', enterprise }
  const person = nation.findPerson(taxCode) ?? nation.findPersonByFormerTaxCode(taxCode)
  if (person === undefined) return undefined
  const recorded = nation.recordedIn('tax', person)
  return recorded.number === person.personalId ? { kind: 'person', person, recorded } : undefined
}
