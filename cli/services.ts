// `ndx services`: what can be asked, from the contracts; with an id, what one contract says.
import { type Bilingual, type Contract } from '#contracts/contract.ts'
import { isJsonObject } from '#contracts/json.ts'
import { type Registry } from '#contracts/registry.ts'
import { CommandError, defineCommand } from './command.ts'
import { findNearest } from './nearest.ts'
import { escapeText, safeJson } from './safe-text.ts'
import { configOf, registryOf } from './surroundings.ts'
import { formatTable } from './table.ts'

const titles = ['SERVICE', 'VERSION', 'MODE', 'PROVIDER', 'TITLE']

export const command = defineCommand({
  positionals: ['[service]'],
  about: 'Lists the services. With a service’s id: what its contract says, and who was granted what of it.',
  options: { json: { type: 'boolean', about: 'the whole contract, or all of them in an array' } },
  examples: [
    ['services', 'a table'],
    ['services population/citizen-record', 'purposes, procedures, request, fields, limits and grants'],
    ['services population/citizen-record --json', 'the contract as it is'],
  ],
  run: async ({ values: { json }, positionals: [id] }, terminal) => {
    const registry = registryOf(configOf(terminal))
    const contracts = registry.services.map(service => service.contract)
    if (id === undefined) {
      await terminal.write(json ? `${safeJson(contracts, 2)}\n` : formatTable(titles, contracts.map(toRow)))
      return 0
    }
    const contract = findContract(registry, id)
    await terminal.write(json ? `${safeJson(contract, 2)}\n` : `${describeContract(contract, registry)}\n`)
    return 0
  },
})

/** The newest version. Throws CommandError with the services there are. */
export function findContract(registry: Registry, id: string): Contract {
  const service = registry.find(id)
  if (service !== undefined) return service.contract
  const ids = [...new Set(registry.services.map(({ contract }) => contract.id as string))]
  const nearest = findNearest(id, ids) ?? ids.find(known => known.endsWith(`/${id}`))
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  throw new CommandError(`there is no service “${escapeText(id.slice(0, 100))}”.${hint}\nServices: ${ids.join(', ')}`)
}

const toRow = ({ id, version, mode, provider, title }: Contract): string[] => [id, version, mode, provider, title.en]

function describeContract(contract: Contract, registry: Registry): string {
  const { id, version, mode, provider, title, description, legalBasis, limits } = contract
  const facts: [string, string][] = [
    ['service', `${id} ${version}, ${mode}`],
    ['title', both(title)],
    ['provider', provider],
    ['legal basis', legalBasis],
    ['limits', [`answers within ${contract.deadlineMs} ms`, ...listLimits(limits)].join(', ')],
  ]
  const named = ({ code, title: meaning }: { code: string; title: Bilingual }): string[] => [
    code,
    meaning.en,
    meaning.vi,
  ]
  const parts: [string, string][] = [
    ['Purposes', formatTable(['CODE', 'MEANING', 'Ý NGHĨA'], contract.purposes.map(named))],
    ['Procedures', formatTable(['CODE', 'MEANING', 'Ý NGHĨA'], (contract.procedures ?? []).map(named))],
    ['Request', formatTable(['MEMBER', 'NEEDED', 'TYPE'], listRequest(contract))],
    ['Fields of the reply', formatTable(['FIELD', 'CLASS', 'RELEASED', 'MEANING'], listFields(contract))],
    ['Grants', formatTable(['CLIENT', 'GRANT', 'PURPOSES', 'FIELDS', 'RATE'], listGrants(contract, registry))],
  ]
  const shown = parts.filter(([name]) => name !== 'Procedures' || contract.procedures !== undefined)
  return [
    ...facts.map(([name, value]) => `${name.padEnd(13)}${escapeText(value)}`),
    '',
    escapeText(description.en),
    ...shown.map(([name, table]) => `\n${name}\n${table.replaceAll(/^/gm, '  ').trimEnd()}`),
  ].join('\n')
}

const both = ({ en, vi }: Bilingual): string => `${en} · ${vi}`

function listLimits({ requestBytesMax, replyBytesMax, mismatchesPerSubjectPerDay }: Contract['limits']): string[] {
  return [
    `request ${requestBytesMax} bytes`,
    `reply ${replyBytesMax} bytes`,
    ...(mismatchesPerSubjectPerDay === undefined
      ? []
      : [`${mismatchesPerSubjectPerDay} mismatches a day about one subject`]),
  ]
}

function listRequest({ request }: Contract): string[][] {
  const { properties, required } = request
  if (!isJsonObject(properties)) return []
  return Object.entries(properties).map(([name, schema]) => {
    const { type, format, enum: values } = isJsonObject(schema) ? schema : {}
    const kind = Array.isArray(values) ? values.join(' | ') : [type, format].filter(Boolean).join(', ')
    return [name, Array.isArray(required) && required.includes(name) ? 'yes' : 'no', kind]
  })
}

const listFields = ({ fields }: Contract): string[][] =>
  fields.map(field => [field.name, field.class, field.always ? 'always' : 'by grant', field.title.en])

const listGrants = ({ id }: Contract, { agreements }: Registry): string[][] =>
  [...agreements.values()].flatMap(({ client, grants }) =>
    grants
      .filter(grant => grant.service === id)
      .map(grant => [
        client,
        `${grant.id}@${grant.version}`,
        grant.purposes.join(', '),
        grant.fields.join(', '),
        `${grant.ratePerSecond}/s, burst ${grant.burst}`,
      ]),
  )
