// `ndx demo`: a tour of a running exchange, told step by step. Every step checks what it was told; a step that is not as told
// makes the exit status 1. Works on the embedded exchange and on the real stack, as often as you like: it asks about other
// people each time, since guesses about one person are few.
import { existsSync } from 'node:fs'
import { logKeyPath, publicSuffix } from '#ledger/notes/keys.ts'
import { createNation } from '#nation/nation.ts'
import { trustOf } from './audit-trust.ts'
import { CommandError, defineCommand } from './command.ts'
import { steps } from './demo-steps.ts'
import { type Step, type Told, type Tour } from './demo-tour.ts'
import { escapeText } from './safe-text.ts'
import { askService, fetchToken, send } from './simulated-client.ts'
import { configOf, ledgerUrlOf, registryOf, urlOf } from './surroundings.ts'
import { type Terminal } from './terminal.ts'

interface TourOptions {
  url?: string
  ledger?: string
  key?: string
}

/** Spreads the people of tours started one after another. */
const stride = 1_000_003

export const command = defineCommand({
  positionals: [],
  about: `Shows what an exchange does, against one that runs: who may ask, an answer, a refusal with its reason, a disclosure of granted
fields only, an unknown purpose, an invalid request, a rate limit; an answer that comes later and a callback, a retry, a gateway
that is killed (one of two that the tour starts for that); the audit line, a receipt and an edited export. Checks every result; exit
status 1 if one is not as told.

The gateway must use the contracts, the nation (NDX_NATION_SEED) and the data directory (NDX_DATA_DIR) of this command. What
cannot be seen from here (a callback out of a container, a ledger whose key is elsewhere) is said and not counted.`,
  options: {
    url: { type: 'string', value: 'url', about: 'the gateway; default NDX_URL, else http://127.0.0.1:8080' },
    ledger: { type: 'string', value: 'url', about: 'the ledger; default NDX_LEDGER_URL, else http://127.0.0.1:9470' },
    key: {
      type: 'string',
      value: 'key|file',
      about: 'the log’s verifier key; default ledger/log-key.pub in the data directory',
    },
  },
  examples: [
    ['demo', 'while `npx ndx start` runs in another terminal'],
    ['demo --url http://127.0.0.1:8080', 'after `docker compose up --wait`'],
  ],
  run: async ({ values }, terminal) => {
    const tour = createTour(values, terminal)
    await send(`${tour.url}/health/live`)
    const failures: string[] = []
    const partial: number[] = []
    await terminal.write(`A tour of the exchange at ${tour.url}\n`)
    for (const [at, step] of steps.entries()) {
      const { checks, isPartial } = await tell(step, at + 1, tour, terminal)
      failures.push(...checks.filter(({ isSo }) => !isSo).map(({ claim }) => `step ${at + 1}: ${escapeText(claim)}`))
      if (isPartial === true) partial.push(at + 1)
    }
    if (failures.length === 0) {
      const rest =
        partial.length === 0 ? '' : ` What could not be seen from here is said in step ${partial.join(' and ')}.`
      await terminal.write(`\n${terminal.paint('green', `All ${steps.length} steps went as told.`)}${rest}\n`)
      return 0
    }
    throw new CommandError(
      `${failures.length} of what was told is not so:\n  ${failures.join('\n  ')}\nDoes the gateway use the contracts, NDX_NATION_SEED and NDX_DATA_DIR of this command?`,
    )
  },
})

/** Runs a step and shows it. */
async function tell({ title, run }: Step, number: number, tour: Tour, { paint, write }: Terminal): Promise<Told> {
  await write(`\n${paint('bold', `${number}. ${title}`)}\n`)
  const told = await run(tour)
  const { story, checks } = told
  await write(story.map(line => `   ${escapeText(line)}\n`).join(''))
  for (const { claim, isSo } of checks)
    await write(`   ${isSo ? paint('green', 'so:') : paint('red', 'NOT SO:')} ${escapeText(claim)}\n`)
  return told
}

function createTour({ url: urlOption, ledger, key }: TourOptions, terminal: Terminal): Tour {
  const config = configOf(terminal)
  const url = urlOf(urlOption, terminal)
  const nation = createNation({ seed: config.nationSeed })
  const tokens = new Map<string, Promise<string>>()
  const tokenOf = (client: string): Promise<string> => {
    const token = tokens.get(client) ?? fetchToken({ url, dataDir: config.dataDir, client })
    tokens.set(client, token)
    return token
  }
  let next = Number((BigInt(Date.now()) * BigInt(stride)) % BigInt(nation.population))
  return {
    url,
    ledgerUrl: ledgerUrlOf(ledger, terminal),
    config,
    registry: registryOf(config),
    nextPerson: () => {
      next = (next + 1) % nation.population
      return nation.person(next)
    },
    ask: async (client, service, envelope, headers = {}) =>
      askService({ url, token: await tokenOf(client), headers }, service, envelope),
    read: async (client, path, headers = {}) =>
      send(`${url}${path}`, { headers: { ...headers, authorization: `Bearer ${await tokenOf(client)}` } }),
    trust: () => {
      if (key !== undefined) return { ...trustOf({ key }, terminal), from: '--key' }
      const isThere = existsSync(`${logKeyPath(config.dataDir)}${publicSuffix}`)
      return isThere ? trustOf({}, terminal) : undefined
    },
  }
}
