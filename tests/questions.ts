// Questions about people and enterprises of the synthetic nation, with the answers they must get. Contracts may be copied and
// changed for a test: shorter deadlines, higher rates.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Agreement, type Contract } from '#contracts/contract.ts'
import { createNation } from '#nation/nation.ts'
import { type CopyOptions, copyOwnContracts } from '#tests/contract-files.ts'

export const nation = createNation({ seed: 1 })

/** The n-th citizen's identity, as social insurance would verify it: matches. */
export function identityOf(
  n: number,
  purpose = 'social-insurance-enrolment',
): { purpose: string; request: { personalId: string; fullName: string; dateOfBirth: string } } {
  const { personalId, fullName, dateOfBirth } = nation.person(n)
  return { purpose, request: { personalId, fullName, dateOfBirth } }
}

/** The n-th enterprise, as the portal would ask for it. */
export const enterpriseOf = (n: number): { purpose: string; request: { enterpriseCode: string } } => ({
  purpose: 'public-service-intake',
  request: { enterpriseCode: nation.enterprise(n).enterpriseCode },
})

/** For tests that are not about limits: rates that nobody reaches. */
export function raiseRates({ grants }: Agreement): void {
  for (const grant of grants) Object.assign(grant, { ratePerSecond: 10_000, burst: 10_000 })
}

export interface ContractEdits extends CopyOptions {
  contract?(contract: Contract): void
  agreement?(agreement: Agreement): void
}

/** A copy of the contracts in a temporary folder, edited. The caller removes it. */
export function copyContracts({ contract = () => {}, agreement = () => {}, ...options }: ContractEdits): string {
  const directory = mkdtempSync(join(tmpdir(), 'ndx-contracts-'))
  copyOwnContracts(directory, options)
  for (const name of readdirSync(directory, { recursive: true }) as string[]) {
    if (!name.endsWith('.json') || dirname(name) === '.') continue
    const path = join(directory, name)
    const value = JSON.parse(readFileSync(path, 'utf8')) as Contract & Agreement
    if (name.startsWith('agreements/')) agreement(value)
    else contract(value)
    writeFileSync(path, JSON.stringify(value))
  }
  return directory
}
