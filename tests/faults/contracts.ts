// The contracts that the platform under fault runs on: those of NDX that the harness has handlers for, an effect of its own, and
// one client with generous grants for all of them.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type Agreement, type Contract, type Grant } from '#contracts/contract.ts'
import { ownContractsDir } from '#contracts/registry.ts'

export const clientId = 'social-insurance'
const ownDir = join(import.meta.dirname, 'contracts')
const handlersDir = join(import.meta.dirname, 'services')
/** Deadlines of days stay what they are. */
const shortMaxMs = 60_000

/** @param deadlineMs of every service that answers at once; undefined: what the contract says */
export function writeContracts(directory: string, deadlineMs?: number): void {
  cpSync(ownContractsDir, directory, { recursive: true, filter: isRun })
  const effect = 'residence-registration.v1.json'
  cpSync(join(ownDir, effect), join(directory, 'population', effect))
  rmSync(join(directory, 'agreements'), { recursive: true })
  const contracts = readContracts(directory)
  if (deadlineMs !== undefined) {
    for (const { path, contract } of contracts) {
      if (contract.deadlineMs > shortMaxMs) continue
      writeFileSync(path, JSON.stringify({ ...contract, deadlineMs, maxWaitMs: deadlineMs }))
    }
  }
  const path = join(directory, 'agreements', `${clientId}.json`)
  mkdirSync(dirname(path))
  writeFileSync(path, JSON.stringify(agreementOn(contracts.map(({ contract }) => contract))))
}

/** Whether a file or folder of the contracts is of use here: no code, no contract that nobody would answer. */
function isRun(from: string): boolean {
  const service = /^(.+)\.v\d+\.json$/.exec(relative(ownContractsDir, from))?.[1]
  return service === undefined ? !from.endsWith('.ts') : existsSync(join(handlersDir, `${service}.ts`))
}

function readContracts(directory: string): { path: string; contract: Contract }[] {
  const names = readdirSync(directory, { recursive: true }) as string[]
  return names
    .filter(name => /\.v\d+\.json$/.test(name))
    .map(name => join(directory, name))
    .map(path => ({ path, contract: JSON.parse(readFileSync(path, 'utf8')) as Contract }))
}

const agreementOn = (contracts: readonly Contract[]): Agreement =>
  ({
    client: clientId,
    agency: 'G24',
    name: { vi: 'Bảo hiểm xã hội Việt Nam', en: 'Vietnam Social Security' },
    kind: 'state-agency',
    keys: [],
    grants: contracts.map(grantOf),
  }) as unknown as Agreement

const grantOf = (contract: Contract): Grant =>
  ({
    id: contract.id.replace('/', '-'),
    version: 1,
    service: contract.id,
    mode: contract.mode,
    purposes: contract.purposes.map(({ code }) => code),
    procedures: contract.procedures?.map(({ code }) => code) ?? [],
    fields: contract.fields.map(({ name }) => name),
    legalBasis: contract.legalBasis,
    validFrom: '2020-01-01',
    validTo: '2099-12-31',
    ratePerSecond: 10_000,
    burst: 10_000,
    quotaPerDay: 100_000_000,
  }) as Grant
