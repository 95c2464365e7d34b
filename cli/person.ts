// `ndx person`: one person of the synthetic nation as JSON.
import { population } from '#nation/cells.ts'
import { createNation } from '#nation/nation.ts'
import { defineCommand } from './command.ts'
import { configOf, readIndex } from './surroundings.ts'

export const command = defineCommand({
  positionals: ['<n>'],
  about: `Prints person n (0 to 99,999,999) of the synthetic nation as one JSON object. The nation is computed from
NDX_NATION_SEED (default 1), and nobody in it is real: no living person has such a number.`,
  options: {},
  examples: [
    ['person 4711', 'their number, name, date of birth, sex, home and family'],
    ['person 0 | jq -r .personalId', 'the number alone'],
  ],
  run: async ({ positionals: [n = ''] }, terminal) => {
    const index = readIndex(n, population)
    const nation = createNation({ seed: configOf(terminal).nationSeed })
    await terminal.write(`${JSON.stringify(nation.person(index))}\n`)
    return 0
  },
})
