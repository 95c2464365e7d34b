// A copy of the contracts that come with NDX, for a test to edit. The one rule for what of the agreements is in it: clients by
// themselves always; the groups of them (ministries, localities …), which no test edits and everybody would wait for, only where
// the whole platform is meant.
import { cpSync } from 'node:fs'
import { relative } from 'node:path'
import { ownContractsDir } from '#contracts/registry.ts'

export interface CopyOptions {
  hasGroups?: boolean
}

const group = /^agreements\/[^/.]+$/

export function copyOwnContracts(directory: string, { hasGroups = false }: CopyOptions = {}): void {
  const isWanted = (from: string): boolean =>
    !from.endsWith('.ts') && (hasGroups || !group.test(relative(ownContractsDir, from)))
  cpSync(ownContractsDir, directory, { recursive: true, filter: isWanted })
}
