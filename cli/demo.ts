// `ndx demo`: a tour of a running exchange, told step by step. Every step checks what it was told; a step that is not as told
// makes the exit status 1. Works on the embedded exchange and on the real stack, as often as you like: it asks about other
// people each time, since guesses about one person are few.
import { createNation } from '#nation/nation.ts'
import { CommandError, defineCommand } from './command.ts'
import { type Step, steps, type Tour } from './demo-steps.ts'
import { escapeText } from './safe-text.ts'
import { askService, fetchToken, send } from './simulated-client.ts'
import { configOf, registryOf, urlOf } from './surroundings.ts'
import { type Terminal } from './terminal.ts'

/** Spreads the people of tours started one after another. */
const stride = 1_000_003

export const command = defineCommand({
  positionals: [],
  about: `Shows what an exchange does, against one that runs: who may ask, an answer, a refusal with its reason, a disclosure of granted
fields only, an unknown purpose, an invalid request, a rate limit, the audit line. Checks every result; exit status 1 if one
is not as told. The gateway must use the contracts, the nation (NDX_NATION_SEED) and the data directory (NDX_DATA_DIR) of this command.`,
  options: { url: { type: 'string', value: 'url', about: 'the gateway; default NDX_URL, else http://127.0.0.1:8080' } },
  examples: [
    ['demo', 'while `npx ndx start` runs in another terminal'],
    ['demo --url http://127.0.0.1:8080', 'after `docker compose up --wait`'],
  ],
  run: async ({ values: { url } }, terminal) => {
    const tour = createTour(urlOf(url, terminal), terminal)
    await send(`${tour.url}/health/live`)
    const failures: string[] = []
    await terminal.write(`A tour of the exchange at ${tour.url}\n`)
    for (const [at, step] of steps.entries()) failures.push(...(await tell(step, at + 1, tour, terminal)))
    if (failures.length === 0) {
      await terminal.write(`\n${terminal.paint('green', `All ${steps.length} steps went as told.`)}\n`)
      return 0
    }
    throw new CommandError(
      `${failures.length} of what was told is not so:\n  ${failures.join('\n  ')}\nDoes the gateway use the contracts, NDX_NATION_SEED and NDX_DATA_DIR of this command?`,
    )
  },
})

/** Shows a step; returns what of it was not as told. */
async function tell({ title, run }: Step, number: number, tour: Tour, { paint, write }: Terminal): Promise<string[]> {
  await write(`\n${paint('bold', `${number}. ${title}`)}\n`)
  const { story, checks } = await run(tour)
  await write(story.map(line => `   ${escapeText(line)}\n`).join(''))
  for (const { claim, isSo } of checks)
    await write(`   ${isSo ? paint('green', 'so:') : paint('red', 'NOT SO:')} ${escapeText(claim)}\n`)
  return checks.filter(({ isSo }) => !isSo).map(({ claim }) => `step ${number}: ${escapeText(claim)}`)
}

function createTour(url: string, terminal: Terminal): Tour {
  const config = configOf(terminal)
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
    config,
    registry: registryOf(config),
    nextPerson: () => {
      next = (next + 1) % nation.population
      return nation.person(next)
    },
    ask: async (client, service, envelope) => askService(url, service, await tokenOf(client), envelope),
  }
}
