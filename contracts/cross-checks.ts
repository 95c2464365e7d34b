// What a schema cannot say about a contract or an agreement: that names, files, fields, purposes and dates fit each other.
// Each check gives fault texts; none throws.
import Ajv from 'ajv'
import secureSchema from 'ajv/lib/refs/json-schema-secure.json' with { type: 'json' }
import { type Agreement, type Contract, type Grant, type Service } from '#contracts/contract.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { findUnbounded } from '#contracts/validation.ts'

/** No connection is held for longer (contract.schema.json, maxWaitMs). */
const waitedForMaxMs = 60_000
const isSecure = new Ajv.default({ strict: false, validateSchema: false }).compile(secureSchema)

export function findContractFaults(file: string, contract: Contract): string[] {
  const faults: string[] = []
  const expect = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`${file}: ${fault}`)
  }
  expect(
    file === `${contract.id}.v${contract.version.split('.')[0]}.json`,
    `is not the file of ${contract.id} ${contract.version}`,
  )
  expect(
    membersOf(contract.request).includes(contract.subject),
    `subject ${contract.subject} is not a member of the request`,
  )
  expect(requiredOf(contract.request).includes(contract.subject), 'the request does not require its subject')
  // Who asks waits for what is read at once; of an effect, and of what takes the register longer, it is told later.
  const isWaitedFor = contract.mode !== 'effect' && contract.deadlineMs <= waitedForMaxMs
  expect(!isWaitedFor || contract.maxWaitMs >= contract.deadlineMs, 'maxWaitMs is shorter than deadlineMs')
  const fields = contract.fields.map(field => field.name)
  expect(sameNames(fields, membersOf(contract.reply)), 'fields and the members of the reply differ')
  const always = contract.fields.filter(field => field.always).map(field => field.name)
  const required = requiredOf(contract.reply)
  expect(
    required.every(name => always.includes(name)),
    'the reply requires a field that a grant may leave out',
  )
  for (const side of ['request', 'reply'] as const) {
    faults.push(...findUnbounded(contract[side], `${file}: /${side}`))
    expect(isSecure(contract[side]), `/${side} fails ajv's secure meta-schema`)
  }
  const purposes = contract.purposes.map(purpose => purpose.code)
  const procedures = contract.procedures?.map(procedure => procedure.code)
  for (const { title, purpose, procedure } of contract.examples) {
    expect(purposes.includes(purpose), `example “${title}” has an unknown purpose`)
    expect(
      procedure === undefined || procedures === undefined || procedures.includes(procedure),
      `example “${title}” has an unknown procedure`,
    )
  }
  return faults
}

export function findAgreementFaults(file: string, agreement: Agreement, services: readonly Service[]): string[] {
  const faults: string[] = []
  if (!file.endsWith(`/${agreement.client}.json`)) faults.push(`${file}: is not the file of ${agreement.client}`)
  const ids = agreement.grants.map(grant => grant.id)
  if (new Set(ids).size !== ids.length) faults.push(`${file}: two grants have one id`)
  return [
    ...faults,
    ...agreement.grants.flatMap(grant =>
      findGrantFaults(grant, services).map(fault => `${file}: ${grant.id} ${fault}`),
    ),
  ]
}

/** A client has one file, in whichever group. */
export function findClientsTwice(files: readonly (readonly [file: string, agreement: Agreement])[]): string[] {
  const first = new Map<string, string>()
  return files.flatMap(([file, { client }]) => {
    const other = first.get(client)
    if (other === undefined) first.set(client, file)
    return other === undefined ? [] : [`${file}: ${client} has an agreement in ${other} already`]
  })
}

function findGrantFaults(grant: Grant, services: readonly Service[]): string[] {
  const contract = services.findLast(service => service.contract.id === grant.service)?.contract
  if (contract === undefined) return [`grants ${grant.service}, of which there is no valid contract`]
  const unknown = (granted: string[], known: string[] | undefined, what: string): string[] =>
    known === undefined
      ? []
      : granted
          .filter(name => !known.includes(name))
          .map(name => `grants the ${what} ${name}, unknown to ${grant.service}`)
  return [
    ...(grant.mode === contract.mode ? [] : [`grants ${grant.mode}, but ${grant.service} is ${contract.mode}`]),
    ...(grant.validFrom < grant.validTo ? [] : ['ends before it begins']),
    ...unknown(
      grant.purposes,
      contract.purposes.map(purpose => purpose.code),
      'purpose',
    ),
    ...unknown(
      grant.procedures,
      contract.procedures?.map(procedure => procedure.code),
      'procedure',
    ),
    ...unknown(
      grant.fields,
      contract.fields.map(field => field.name),
      'field',
    ),
  ]
}

const membersOf = (schema: JsonObject): string[] =>
  isJsonObject(schema['properties']) ? Object.keys(schema['properties']) : []

const requiredOf = (schema: JsonObject): string[] => (schema['required'] ?? []) as string[]

const sameNames = (a: string[], b: string[]): boolean => [...a].sort().join() === [...b].sort().join()
