// What all targets of a run share: a folder with secrets and contracts, made at its start and removed at its end. The contracts
// are this tree's with the benchmark clients' rates and quotas raised, so that what is measured is never a refusal.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadRegistry } from '#contracts/registry.ts'
import { makeSecrets } from '#runtime/secrets.ts'
import { copyContracts } from '#tests/questions.ts'
import { createGuard, quote } from '#tests/stack/guard.ts'
import { client, enterprise } from './questions.ts'

export const issuer = 'http://localhost:8080'
export const audience = 'ndx'

/** What agreement.schema.json allows at most. */
const raised = { ratePerSecond: 100_000, burst: 100_000, quotaPerDay: 100_000_000 }

export interface World {
  dataDir: string
  contractsDir: string
  providers: ReturnType<typeof loadRegistry>['providers']
  /** A folder in it. */
  folder(name: string): string
  remove(): void
}

export function createWorld(): World {
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-bench-'))
  const contractsDir = copyContracts({
    agreement: agreement => {
      if ([client, enterprise.client].includes(agreement.client))
        for (const grant of agreement.grants) Object.assign(grant, raised)
    },
  })
  const guard = createGuard()
  guard.onLoss(`rm -rf ${quote(dataDir)} ${quote(contractsDir)}`)
  const registry = loadRegistry({ directory: contractsDir, idScheme: 'simulated' })
  makeSecrets(dataDir, registry.simulatedClients)
  return {
    dataDir,
    contractsDir,
    providers: registry.providers,
    folder: name => {
      const folder = join(dataDir, name)
      mkdirSync(folder, { recursive: true })
      return folder
    },
    remove: () => {
      for (const folder of [dataDir, contractsDir]) rmSync(folder, { recursive: true, force: true })
      guard.dismiss()
    },
  }
}
