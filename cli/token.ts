// `ndx token`: an access token on standard output, and nothing else.
import { defineCommand } from './command.ts'
import { fetchToken } from './simulated-client.ts'
import { configOf, urlOf } from './surroundings.ts'

export const command = defineCommand({
  positionals: ['<client>'],
  about: `Prints an access token of a simulated client, valid for ten minutes, and nothing else. The client proves who it is with
its private key under NDX_DATA_DIR (default data); \`npx ndx clients\` lists the clients.`,
  options: {
    scope: { type: 'string', value: 'scopes', about: 'exchange, catalogue, or both in quotes; default both' },
    url: { type: 'string', value: 'url', about: 'the gateway; default NDX_URL, else http://127.0.0.1:8080' },
  },
  examples: [
    ['token social-insurance', 'a token for asking and for reading the catalogue'],
    ["token bank --scope 'exchange'", 'a token that can only ask'],
  ],
  run: async ({ values: { scope, url }, positionals: [client = ''] }, terminal) => {
    const { dataDir } = configOf(terminal)
    const options = { url: urlOf(url, terminal), dataDir, client, ...(scope === undefined ? {} : { scope }) }
    await terminal.write(`${await fetchToken(options)}\n`)
    return 0
  },
})
