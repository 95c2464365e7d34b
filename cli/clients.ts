// `ndx clients`: who may ask, from the agreements.
import { type Agreement, type Grant } from '#contracts/contract.ts'
import { defineCommand } from './command.ts'
import { safeJson } from './safe-text.ts'
import { configOf, registryOf } from './surroundings.ts'
import { formatTable } from './table.ts'

const titles = ['CLIENT', 'AGENCY', 'KIND', 'GRANTS', 'NAME']

export const command = defineCommand({
  positionals: [],
  about: 'Lists the clients and what their agreements grant: service, in brackets the mode.',
  options: { json: { type: 'boolean', about: 'an array of everything in the agreements but keys' } },
  examples: [
    ['clients', 'a table'],
    ["clients --json | jq '.[].grants'", 'every grant with purposes, fields and limits'],
  ],
  run: async ({ values: { json } }, terminal) => {
    const agreements = [...registryOf(configOf(terminal)).agreements.values()]
    await terminal.write(
      json ? `${safeJson(agreements.map(withoutKeys), 2)}\n` : formatTable(titles, agreements.map(toRow)),
    )
    return 0
  },
})

const withoutKeys = ({ client, agency, name, kind, callback, grants }: Agreement): object => ({
  client,
  agency,
  name,
  kind,
  ...(callback === undefined ? {} : { callback }),
  grants,
})

const toRow = ({ client, agency, name, kind, grants }: Agreement): string[] => [
  client,
  agency,
  kind,
  grants.map(nameGrant).join(', '),
  name.en,
]

const nameGrant = ({ service, mode }: Grant): string => `${service} (${mode})`
