// `npm run bench -- --day`: as many exchanges as the national platform has in a day, with its mix of clients, services and
// refusals, through real Kafka, Redis, gateways, adapters and ledger; then what it took, and whether generator, ledger and broker
// agree about every one of them. Ends with 1 when they do not.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Agreement } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { type Reconciliation } from '#ledger/reconciliation.ts'
import { createNation } from '#nation/nation.ts'
import { findDifferences, joinBooks } from './books.ts'
import { cpuUsOf, readCpu } from './cost.ts'
import { type Day, renderDay } from './day-report.ts'
import { type Ending } from './ending.ts'
import { describeMachine } from './machine.ts'
import { createMix, type Mix, quotaOf } from './mix.ts'
import { startMixGenerator } from './mix-generator-process.ts'
import { type MixTally } from './mix-load.ts'
import { ownRoot, type Platform, startPlatform } from './platform.ts'
import { renderProgress } from './progress-bar.ts'
import { Rates } from './rates.ts'
import { describeMemory, type Sampling, startSampling } from './samples.ts'
import { measureSizes } from './sizes.ts'
import { type DayOptions } from './studies.ts'
import { getTokens } from './tokens.ts'
import { createWorld, raised, type World } from './world.ts'

export type Say = (line: string) => void

/** A token lives ten minutes. */
const renewEveryMs = 240_000
const sampleEveryMs = 2_000
const warmUpShare = 0.2
/** Deferred effects are settled a second later; a ledger that is far behind needs longer. */
const settleMaxMs = 600_000
const lineEveryMs = 10_000
const rampSeconds = 20

export async function runDay(options: DayOptions, ending: Ending, say: Say): Promise<Day> {
  const startedAt = new Date()
  const mix = planMix(options.seed)
  say(describeMix(mix))
  const world = createWorld({ edit: agreement => editFor(agreement, mix, options.exchanges) })
  ending.add(world.remove)
  const providers = [...new Set(mix.lines.map(({ service }) => service.providerId))]
  const { gateways, adapters } = options
  say(`starting Kafka, Redis, ledger, ${gateways} gateway(s), ${adapters} adapter(s) each of ${providers.join(', ')} …`)
  const platform = await startPlatform({ name: 'day', world, ending, providers, gateways, adapters })
  const day = await measureDay({ options, world, platform, mix, ending, say })
  const machine = describeMachine()
  const file = writeResult('day', startedAt, { startedAt, machine, stack: platform.stack.describe(), options, day })
  process.stdout.write(`\n${renderDay(day)}\n\n`)
  process.stdout.write(
    `${machine.cores} × ${machine.processor}, Node ${machine.node}, ${platform.stack.describe()}\nwritten: ${file}\n`,
  )
  if (day.differences.length + day.unexpected.length > 0) process.exitCode = 1
  return day
}

const planMix = (seed: number): Mix =>
  createMix({
    registry: loadRegistry({ idScheme: 'simulated' }),
    nation: createNation({ seed: 1 }),
    seed,
    today: new Date().toISOString().slice(0, 10),
  })

const describeMix = ({ lines, capped }: Mix): string =>
  [
    'the mix:',
    ...lines.map(
      ({ client, service, share }) => `  ${(share * 100).toFixed(1).padStart(5)} %  ${client} × ${service.contract.id}`,
    ),
    ...(capped === undefined ? [] : [`  the quota of ${capped.client} runs out`]),
  ].join('\n')

/** Nobody reaches a limit but the one client whose quota runs out; the day may be run at any hour; nobody listens for callbacks. */
function editFor(agreement: Agreement, { capped }: Mix, exchanges: number): void {
  delete agreement.callback
  for (const grant of agreement.grants) {
    delete grant.hours
    Object.assign(grant, raised)
    const isCapped = agreement.client === capped?.client && grant.service === capped.service.contract.id
    if (capped !== undefined && isCapped) grant.quotaPerDay = quotaOf(capped, exchanges)
  }
}

interface DayParts {
  options: DayOptions
  world: World
  platform: Platform
  mix: Mix
  ending: Ending
  say: Say
}

async function measureDay(parts: DayParts): Promise<Day> {
  const { options, world, platform, mix, ending } = parts
  const generator = await startMixGenerator()
  ending.add(generator.stop)
  const clients = [...new Set(mix.lines.map(({ client }) => client as string))]
  const processes = [...platform.processes, { name: 'generator', pid: generator.pid }]
  const tokens = await getTokens(platform, world, clients)
  const sampling = startSampling(processes as Platform['processes'], platform.ledgerUrl, sampleEveryMs)
  ending.add(sampling.stop)
  const renewal = setInterval(() => {
    getTokens(platform, world, clients).then(generator.renew, error => parts.say(`tokens are not renewed: ${error}`))
  }, renewEveryMs)
  const rates = new Rates()
  const cpuBefore = readCpu(processes)
  const { exchanges, concurrent, seed } = options
  const tally = await generator
    .run(
      {
        urls: platform.urls,
        contractsDir: world.contractsDir,
        tokens,
        seed,
        first: 0,
        exchanges,
        concurrent,
        rampSeconds,
      },
      createProgress(parts, sampling, rates),
    )
    .finally(() => clearInterval(renewal))
  const endedMs = performance.now()
  process.stderr.write('\n')
  parts.say('the last answer has come; waiting for the ledger …')
  const reconciliation = await settle(platform.ledgerUrl as string)
  const caughtUpMs = performance.now() - endedMs
  // What the ledger did after the last answer is its share too.
  const cpuUs = cpuUsOf(cpuBefore, readCpu(processes), tally.asked)
  const samples = await sampling.stop()
  const { generator: generatorUs = 0, ...platformUs } = cpuUs
  const records = (await platform.countRecords()) as { requests: number; replies: number }
  const books = joinBooks(tally.counts, reconciliation.services)
  return {
    exchanges,
    concurrent,
    seed,
    processes: platform.processes,
    tally,
    books,
    totals: reconciliation,
    unexpected: findUnexpected(tally, exchanges),
    differences: findDifferences(books, reconciliation, records),
    cpuUs: platformUs,
    generatorUs,
    memory: describeMemory(samples, warmUpShare),
    lag: { maxRecords: maxOf(samples.flatMap(({ lag }) => lag ?? [])), caughtUpMs },
    sizes: await measureSizes(platform),
    rates: rates.extremes(),
  }
}

const maxOf = (values: readonly number[]): number | undefined => (values.length === 0 ? undefined : Math.max(...values))

/** An answer that the mix did not ask for is a fault, whatever the books say. */
const findUnexpected = ({ unexpected, asked }: MixTally, exchanges: number): string[] => [
  ...(asked === exchanges ? [] : [`${asked} of ${exchanges} were asked`]),
  ...Object.entries(unexpected).map(([what, count]) => `${count} × ${what}`),
]

/** A bar that redraws itself on a terminal; elsewhere a line now and then. */
function createProgress({ options, say }: DayParts, sampling: Sampling, rates: Rates): (done: number) => void {
  const startMs = performance.now()
  let saidMs = startMs
  return done => {
    const nowMs = performance.now()
    const elapsedMs = nowMs - startMs
    rates.add(elapsedMs, done)
    const perSecond = rates.latest()
    const line = renderProgress({ done, total: options.exchanges, elapsedMs, perSecond, lag: sampling.last()?.lag })
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
    else if (nowMs - saidMs >= lineEveryMs) {
      saidMs = nowMs
      say(line)
    }
  }
}

/** The books when all that was written is read and nothing is open, or as they are when that takes too long. */
async function settle(ledgerUrl: string): Promise<Reconciliation> {
  const askedMs = Date.now()
  for (;;) {
    const response = await fetch(`${ledgerUrl}/v1/audit/reconciliation`)
    const books = (await response.json()) as Reconciliation
    const isSettled = books.caughtUpMs >= askedMs && books.open === 0
    if (isSettled || Date.now() - askedMs > settleMaxMs) return books
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

/** Returns the file's name. */
export function writeResult(kind: string, startedAt: Date, result: object): string {
  const folder = join(ownRoot, 'bench/results')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${startedAt.toISOString().slice(0, 19).replaceAll(':', '-')}-${kind}.json`)
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
  return file
}
