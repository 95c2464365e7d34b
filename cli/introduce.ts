// `ndx introduce`: makes a ledger and a witness known to each other, where both directories are at hand. Also a step of compose.
import { introduce } from '#ledger/witness/introduction.ts'
import { defineCommand } from './command.ts'
import { configOf } from './surroundings.ts'

export const command = defineCommand({
  positionals: ['<ledger directory>', '<witness directory>'],
  about: `Makes the keys of a ledger's log and of a witness where they are missing, and gives each the other's public key: into
<ledger directory>/ledger/witnesses and <witness directory>/logs. What is there stays. Where the two are not on one machine,
copy the two .pub files by hand. The log's name is NDX_LOG_ORIGIN. \`start\` does the same by itself.`,
  options: {},
  examples: [
    ['introduce data data/witness', 'keys of both; then NDX_WITNESS_URLS tells the ledger where the witness is'],
  ],
  run: async ({ positionals: [ledgerDir = '', witnessDir = ''] }, terminal) => {
    const { logOrigin } = configOf(terminal)
    introduce({ ledgerDir, witnessDir, origin: logOrigin, witnessName: `${logOrigin}-witness` })
    terminal.say(`${logOrigin} and its witness know each other`)
    return 0
  },
})
