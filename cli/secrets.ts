// `ndx secrets`: makes what is missing, touches nothing that is there. Also the first step of docker compose.
import { makeSecrets } from '#runtime/secrets.ts'
import { defineCommand } from './command.ts'
import { configOf, registryOf } from './surroundings.ts'

export const command = defineCommand({
  positionals: [],
  about: `Makes the secrets that are missing under NDX_DATA_DIR (default data) and prints the name of each file made: the
issuer's key, the pseudonym key, and a key pair for every client whose agreement names none. What is there stays as it is.
\`start\` does the same by itself.`,
  options: {},
  examples: [['secrets', 'safe to run again; nothing printed means nothing was missing']],
  run: async (_, terminal) => {
    const config = configOf(terminal)
    const made = makeSecrets(config.dataDir, registryOf(config).simulatedClients)
    await terminal.write(made.map(name => `${name}\n`).join(''))
    terminal.say(
      made.length === 0 ? `nothing was missing in ${config.dataDir}` : `made ${made.length} files in ${config.dataDir}`,
    )
    return 0
  },
})
