// What all targets of a run share: a folder with secrets and contracts, made at its start and removed at its end. The contracts
// are this tree's with the benchmark client's rates and quotas raised, so that what is measured is never a refusal; or edited as
// a study needs them, with more agreements.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Agreement } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { makeSecrets } from '#runtime/secrets.ts'
import { copyContracts } from '#tests/questions.ts'
import { createGuard, quote } from '#tests/stack/guard.ts'
import { client, enterprise } from './questions.ts'

export const issuer = 'http://localhost:8080'
export const audience = 'ndx'

/** What agreement.schema.json allows at most. */
export const raised = { ratePerSecond: 100_000, burst: 100_000, quotaPerDay: 100_000_000 }

export interface World {
  dataDir: string
  contractsDir: string
  providers: ReturnType<typeof loadRegistry>['providers']
  /** A folder in it. */
  folder(name: string): string
  remove(): void
}

export interface WorldOptions {
  /** Changes an agreement of the copy in place; default: the benchmark clients' rates are raised. */
  edit?(agreement: Agreement): void
  /** Written beside those that are there. */
  more?: readonly Agreement[]
}

const raiseOwn = ({ client: name, grants }: Agreement): void => {
  if ([client, enterprise.client].includes(name)) for (const grant of grants) Object.assign(grant, raised)
}

export function createWorld({ edit = raiseOwn, more = [] }: WorldOptions = {}): World {
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-bench-'))
  const contractsDir = copyContracts({ agreement: edit, hasGroups: true })
  for (const agreement of more)
    writeFileSync(join(contractsDir, 'agreements', `${agreement.client}.json`), JSON.stringify(agreement))
  const guard = createGuard()
  guard.onLoss(`rm -rf ${quote(dataDir)} ${quote(contractsDir)}`)
  const registry = loadRegistry({ directory: contractsDir, idScheme: 'simulated' })
  makeSecrets(dataDir, registry)
  return {
    dataDir,
    contractsDir,
    providers: registry.providers,
    folder: name => {
      // Kafka takes a comma in its log.dirs for the end of one.
      const folder = join(dataDir, name.replace(/[^A-Za-z0-9-]+/g, '-'))
      mkdirSync(folder, { recursive: true })
      return folder
    },
    remove: () => {
      for (const folder of [dataDir, contractsDir]) rmSync(folder, { recursive: true, force: true })
      guard.dismiss()
    },
  }
}
