// Loads every contract and agreement once, checks them against their schemas and each other, and freezes them. All faults are
// named at once, each with its file, so that one start is enough to mend them. Reads only its own folder.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Agreement, type ClientId, type Contract, type ProviderId, type Service } from '#contracts/contract.ts'
import { findAgreementFaults, findClientsTwice, findContractFaults } from '#contracts/cross-checks.ts'
import { deepFreeze, isJsonObject, type Json, type JsonObject } from '#contracts/json.ts'
import { type IdScheme } from '#contracts/personal-id.ts'
import { parseStrictJson } from '#contracts/strict-json.ts'
import { createValidation, type Validation } from '#contracts/validation.ts'

export interface Registry {
  /** Every service, all majors, sorted by id. */
  readonly services: readonly Service[]
  readonly agreements: ReadonlyMap<ClientId, Agreement>
  /** Clients whose agreement names no key: they get one at first start, for the command line. */
  readonly simulatedClients: readonly ClientId[]
  /** Clients whose agreement names a callback address. */
  readonly callbackClients: readonly ClientId[]
  readonly providers: readonly ProviderId[]
  /** The major asked for, else the newest. */
  find(id: string, major?: number): Service | undefined
  /** For the adapter's host: the service whose request has this CloudEvents type. */
  findByRequestType(type: string): Service | undefined
}

/** Everything that is wrong in the folder, one line a fault, `<file>: <what>`. */
export class RegistryError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`contracts: ${faults.length} fault(s)\n  ${faults.join('\n  ')}`)
    this.name = 'RegistryError'
    this.faults = faults
  }
}

/** The folder this file is in: the contracts that come with NDX. */
export const ownContractsDir = import.meta.dirname

export function loadRegistry({
  directory = ownContractsDir,
  idScheme,
}: {
  directory?: string
  idScheme: IdScheme
}): Registry {
  const faults: string[] = []
  const validation = createValidation(idScheme)
  const read = readerOf(directory, validation, faults)
  const services = read<Contract>(listContractFiles(directory), 'contract.schema.json', findContractFaults).flatMap(
    ([file, contract]) => toService(file, contract, validation, faults),
  )
  services.sort((a, b) => (a.contract.id < b.contract.id ? -1 : a.contract.id > b.contract.id ? 1 : a.major - b.major))
  const agreementFiles = read<Agreement>(listAgreementFiles(directory), 'agreement.schema.json', (file, agreement) =>
    findAgreementFaults(file, agreement, services),
  )
  faults.push(...findClientsTwice(agreementFiles))
  const agreements = agreementFiles.map(([, agreement]) => agreement)
  if (faults.length > 0) throw new RegistryError(faults)
  return buildRegistry(services, agreements)
}

function buildRegistry(services: Service[], agreements: Agreement[]): Registry {
  const newest = new Map(services.map(service => [service.contract.id as string, service]))
  const byMajor = new Map(services.map(service => [`${service.contract.id} ${service.major}`, service]))
  const byRequestType = new Map(services.map(service => [service.requestType, service]))
  const clientsWhere = (is: (agreement: Agreement) => boolean): readonly ClientId[] =>
    Object.freeze(agreements.filter(is).map(({ client }) => client))
  return Object.freeze({
    services: Object.freeze(services),
    agreements: new Map(agreements.map(agreement => [agreement.client, deepFreeze(agreement)])),
    simulatedClients: clientsWhere(({ keys }) => keys.length === 0),
    callbackClients: clientsWhere(({ callback }) => callback !== undefined),
    providers: Object.freeze([...new Set(services.map(service => service.providerId))]),
    find: (id: string, major?: number) => (major === undefined ? newest.get(id) : byMajor.get(`${id} ${major}`)),
    findByRequestType: (type: string) => byRequestType.get(type),
  })
}

const listFiles = (directory: string, folder: string): string[] =>
  readdirSync(join(directory, folder))
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => `${folder}/${name}`)

const listContractFiles = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && entry.name !== 'agreements')
    .flatMap(entry => listFiles(directory, entry.name))

/** Those of the folder itself, then those of its groups; a group has no groups. */
function listAgreementFiles(directory: string): string[] {
  const groups = readdirSync(join(directory, 'agreements'), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => `agreements/${name}`)
    .sort()
  return ['agreements', ...groups].flatMap(folder => listFiles(directory, folder))
}

/** Reads files of one kind: strict JSON, their schema, then the checks that a schema cannot say. */
function readerOf(directory: string, validation: Validation, faults: string[]) {
  return function read<T>(
    files: string[],
    schemaFile: string,
    crossCheck: (file: string, value: T) => string[],
  ): [string, T][] {
    const check = validation.compile(readJson(join(ownContractsDir, schemaFile)) as JsonObject)
    const found: [string, T][] = []
    for (const file of files) {
      const value = attempt(file, faults, () => readJson(join(directory, file)))
      if (value === undefined) continue
      const wrong = check(value)?.map(fault => `${file}: ${fault.pointer || '/'} ${fault.detail}`)
      if (wrong === undefined) found.push([file, value as T])
      faults.push(...(wrong ?? crossCheck(file, value as T)))
    }
    return found
  }
}

const readJson = (path: string): Json => parseStrictJson(readFileSync(path))

function attempt<T>(file: string, faults: string[], action: () => T): T | undefined {
  try {
    return action()
  } catch (cause) {
    faults.push(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`)
    return undefined
  }
}

function toService(file: string, contract: Contract, validation: Validation, faults: string[]): Service[] {
  const checkRequest = attempt(`${file}: request`, faults, () => validation.compile(contract.request))
  const checkReply = attempt(`${file}: reply`, faults, () => validation.compile(contract.reply))
  if (checkRequest === undefined || checkReply === undefined) return []
  for (const [i, example] of contract.examples.entries()) {
    const wrong = [
      ...(checkRequest(example.request, `/examples/${i}/request`) ?? []),
      ...(checkReply(example.reply, `/examples/${i}/reply`) ?? []),
    ]
    faults.push(...wrong.map(fault => `${file}: ${fault.pointer} ${fault.detail}`))
  }
  const [providerId, name] = contract.id.split('/') as [ProviderId, string]
  const major = Number(contract.version.split('.')[0])
  const type = `${providerId}.${name}.v${major}`
  return [
    Object.freeze({
      contract: deepFreeze(contract),
      providerId,
      name,
      major,
      hash: hashOf(contract),
      requestType: `ndx.request.${type}`,
      replyType: `ndx.reply.${type}`,
      checkRequest,
      checkReply,
    }),
  ]
}

/** 16 bytes of SHA-256 over the canonical JSON, base64url: names the exact text both sides were held to. */
const hashOf = (contract: Contract): string =>
  createHash('sha256').update(canonicalJson(contract)).digest().subarray(0, 16).toString('base64url')

/** JSON with sorted member names and no white space (RFC 8785's order; contracts hold no fractions that need its numbers). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.keys(value).sort()
  return `{${members.map(name => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(',')}}`
}
