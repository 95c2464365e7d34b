// `ndx simulate`: the connected bodies at work. Plans a day (or so many questions a second) from a seed, runs it against an
// exchange, reconciles what was sent with the ledger, and tells it as a table, as JSON and as a page.
import { writeFileSync } from 'node:fs'
import { type Registry } from '#contracts/registry.ts'
import { mix } from '#nation/chance.ts'
import { createNation } from '#nation/nation.ts'
import { type Config } from '#runtime/config.ts'
import { CommandError, defineCommand, UsageError } from './command.ts'
import { safeJson } from './safe-text.ts'
import { createAsk } from './simulate/asking.ts'
import { createBooks } from './simulate/books.ts'
import { readGaps, readLedger, readLedgerSize } from './simulate/ledger-books.ts'
import { writePage } from './simulate/page.ts'
import { createPlan, type Plan } from './simulate/plan.ts'
import { type Platform, startOwnPlatform } from './simulate/platform.ts'
import { createProgress } from './simulate/progress.ts'
import { isWhole, reconcile } from './simulate/reconciliation.ts'
import { makeReport, type Report } from './simulate/report.ts'
import { run as runPlan } from './simulate/run.ts'
import { tellReport } from './simulate/telling.ts'
import { send } from './simulated-client.ts'
import { configOf, ledgerUrlOf, registryOf, urlOf } from './surroundings.ts'
import { type Terminal } from './terminal.ts'

/** What the real platform carries on a working day. */
const questionsADay = 1_600_000
const defaultScale = 0.01
const defaultSeconds = 60
const settledWithinMs = 120_000
const localOffsetMs = 7 * 3_600_000

export const command = defineCommand({
  positionals: [],
  about: `Simulates the connected bodies: a working Monday (--day), or so many questions a second at its busiest (--rate), or one
client's part of the day (--client). Clients write as real ones do (capitals without diacritics, years for dates, keys made of the
time of day), retry, ask what they may not, mistype; two officers misuse their right. Then every exchange is compared with the
ledger: sent = accepted + refused, accepted = settled.

Without --url it starts an exchange in this process for the run. The same seed asks the same and gives the same table, however
fast the machine. Exit status 1 when the books differ, or when something was not answered as planned.`,
  options: {
    day: { type: 'boolean', about: 'a whole day, as fast as the grants allow' },
    rate: { type: 'string', value: 'n', about: 'n questions a second instead' },
    seconds: { type: 'string', value: 's', about: 'with --rate: for so long; default 60' },
    client: { type: 'string', value: 'id', about: 'only this client’s part' },
    scale: { type: 'string', value: 'part', about: 'of the 1.6 million questions of a day; default 0.01' },
    seed: { type: 'string', value: 'n', about: 'another seed is another day; default 1' },
    url: { type: 'string', value: 'url', about: 'a gateway that runs; default: one of its own' },
    ledger: {
      type: 'string',
      value: 'url',
      about: 'with --url: its ledger; default NDX_LEDGER_URL, else http://127.0.0.1:9470',
    },
    json: { type: 'boolean', about: 'the whole report as JSON instead of the table' },
    report: { type: 'string', value: 'file', about: 'also the report as a page (HTML), and as JSON beside it' },
  },
  examples: [
    ['simulate --day', 'a hundredth of a day, on an exchange of its own'],
    ['simulate --day --scale 0.001 --report day.html', 'a page to open in a browser'],
    ['simulate --rate 200 --seconds 30 --url http://127.0.0.1:8080', 'load for an exchange that runs'],
    ['simulate --client bank', 'the bank’s day'],
  ],
  run: async ({ values }, terminal) => {
    const wishes = readWishes(values)
    const config = configOf(terminal)
    const registry = registryOf(config)
    if (wishes.client !== undefined && !registry.agreements.has(wishes.client as never))
      throw new UsageError(`there is no client “${wishes.client}”; \`npx ndx clients\` lists them.`)
    const platform = await findPlatform(values, config, terminal)
    try {
      const report = await simulate({ wishes, config, registry, platform, terminal })
      if (values.report !== undefined) save(values.report, report, terminal)
      await terminal.write(values.json ? `${safeJson(report, 2)}\n` : tellReport(report, terminal))
      return report.isReconciled && report.isAsPlanned ? 0 : 1
    } finally {
      await platform.stop()
    }
  },
})

interface Wishes {
  seed: number
  scale: number
  client?: string
  rate?: number
  seconds?: number
}

interface Options {
  day?: boolean
  rate?: string
  seconds?: string
  client?: string
  scale?: string
  seed?: string
  url?: string
  ledger?: string
}

function readWishes({ day, rate, seconds, client, scale, seed = '1' }: Options): Wishes {
  if (day !== true && rate === undefined && client === undefined)
    throw new UsageError('say what to simulate: --day, --rate <n> or --client <id>.')
  if (rate !== undefined && (day === true || scale !== undefined))
    throw new UsageError('--rate goes without --day and --scale.')
  if (seconds !== undefined && rate === undefined) throw new UsageError('--seconds goes with --rate.')
  return {
    seed: readNumber('--seed', seed, { least: 0, most: 4_294_967_295, isWhole: true }),
    scale: readNumber('--scale', scale ?? String(defaultScale), { least: 0.000001, most: 1 }),
    ...(client === undefined ? {} : { client }),
    ...(rate === undefined
      ? {}
      : {
          rate: readNumber('--rate', rate, { least: 1, most: 100_000 }),
          seconds: readNumber('--seconds', seconds ?? String(defaultSeconds), {
            least: 1,
            most: 86_400,
            isWhole: true,
          }),
        }),
  }
}

function readNumber(
  name: string,
  text: string,
  { least, most, isWhole = false }: { least: number; most: number; isWhole?: boolean },
): number {
  const number = /^\d{1,12}(\.\d{1,12})?$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= least && number <= most) || (isWhole && !Number.isInteger(number)))
    throw new UsageError(`${name} is a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}.`)
  return number
}

async function findPlatform({ url: wanted, ledger }: Options, config: Config, terminal: Terminal): Promise<Platform> {
  if (wanted === undefined) {
    if (ledger !== undefined) throw new UsageError('--ledger goes with --url.')
    terminal.say('starting an exchange in this process for the run')
    return startOwnPlatform(config)
  }
  const url = urlOf(wanted, terminal)
  await send(`${url}/health/live`)
  return {
    url,
    ledgerUrl: ledgerUrlOf(ledger, terminal),
    dataDir: config.dataDir,
    isEmbedded: false,
    stop: async () => {},
  }
}

interface Simulation {
  wishes: Wishes
  config: Config
  registry: Registry
  platform: Platform
  terminal: Terminal
}

async function simulate({ wishes, config, registry, platform, terminal }: Simulation): Promise<Report> {
  const startedAt = new Date()
  const clock = (): number => performance.now()
  const nation = createNation({ seed: config.nationSeed })
  const plan = planOf(wishes, { registry, nationSeed: config.nationSeed, startedAt })
  const books = createBooks()
  const progress = createProgress(plan, terminal, clock)
  const from = await readLedgerSize(platform.ledgerUrl)
  const startedMs = clock()
  await runPlan({
    plan,
    nation,
    ...identityOfRun(wishes, platform, startedAt),
    ask: createAsk({ url: platform.url, dataDir: platform.dataDir, onAttempt: books.attempt, clock }),
    onResult: (result, errand) => {
      books.result(result, errand)
      progress.result(result)
    },
    onWave: progress.wave,
    clock,
  })
  const tookMs = clock() - startedMs
  terminal.say('reading the ledger')
  const ledger = await readLedger(platform.ledgerUrl, {
    from,
    ids: new Set(books.attempts.keys()),
    isWhole: read => isWhole(books, read),
    withinMs: settledWithinMs,
    clock,
  })
  const reconciled = reconcile(books, ledger, await readGaps(platform.ledgerUrl))
  const simulation = simulationOf(wishes)
  return makeReport({ simulation, platform, registry, plan, nation, books, ledger, reconciled, startedAt, tookMs })
}

function planOf(
  { seed, scale, client, rate, seconds }: Wishes,
  { registry, nationSeed, startedAt }: { registry: Registry; nationSeed: number; startedAt: Date },
): Plan {
  const total = rate === undefined ? questionsADay * scale : rate * (seconds ?? 0)
  return createPlan({
    registry,
    seed,
    nationSeed,
    total: Math.round(total),
    scale: total / questionsADay,
    today: new Date(startedAt.getTime() + localOffsetMs).toISOString().slice(0, 10),
    ...(client === undefined ? {} : { client }),
    ...(seconds === undefined ? {} : { seconds }),
  })
}

/** On an exchange that others used before, people and keys are this run's own: guesses about one person are few a day. */
function identityOfRun(
  { seed }: Wishes,
  { isEmbedded }: Platform,
  startedAt: Date,
): { tag: string; peopleSeed: number } {
  if (isEmbedded) return { tag: '', peopleSeed: seed }
  return {
    tag: `R${startedAt.getTime().toString(36)}`.toUpperCase(),
    peopleSeed: mix(seed, startedAt.getTime() % 0xffff_ffff),
  }
}

const simulationOf = ({ seed, scale, client, rate, seconds }: Wishes): Report['simulation'] => ({
  seed,
  ...(rate === undefined || seconds === undefined
    ? { mode: 'day' as const, scale }
    : { mode: 'rate' as const, ratePerSecond: rate, seconds }),
  ...(client === undefined ? {} : { client }),
})

/** @throws CommandError when it cannot be written */
function save(file: string, report: Report, terminal: Terminal): void {
  const jsonFile = `${file.replace(/\.html?$/i, '')}.json`
  try {
    writeFileSync(file, writePage(report))
    writeFileSync(jsonFile, `${JSON.stringify(report, null, 2)}\n`)
  } catch (cause) {
    throw new CommandError(`the report could not be written: ${(cause as Error).message}`, { cause })
  }
  terminal.say(`report: ${file}, ${jsonFile}`)
}
