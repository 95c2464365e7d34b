// `ndx enterprise`: one enterprise of the synthetic nation as JSON.
import { enterpriseCount } from '#nation/enterprise.ts'
import { createNation } from '#nation/nation.ts'
import { defineCommand } from './command.ts'
import { configOf, readIndex } from './surroundings.ts'

export const command = defineCommand({
  positionals: ['<n>'],
  about: `Prints enterprise n (0 to 899,999) of the synthetic nation as one JSON object. The nation is computed from
NDX_NATION_SEED (default 1); its enterprise codes are nobody's.`,
  options: {},
  examples: [['enterprise 17', 'its code, name, legal form, address, capital and lines of business']],
  run: async ({ positionals: [n = ''] }, terminal) => {
    const index = readIndex(n, enterpriseCount)
    const nation = createNation({ seed: configOf(terminal).nationSeed })
    await terminal.write(`${JSON.stringify(nation.enterprise(index))}\n`)
    return 0
  },
})
