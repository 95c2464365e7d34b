// `npm run bench`: what an exchange costs on the real stack, beside a bare route, in turns. Starts all it needs and ends it
// again, on Ctrl-C too. README.md here has the method and the last figures.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { getToken } from '#tests/client.ts'
import { startBare } from './bare-target.ts'
import { createEnding, type Ending } from './ending.ts'
import { type Generator, startGenerator } from './generator-process.ts'
import { type Load, nameOf } from './load.ts'
import { describeMachine } from './machine.ts'
import { help, type Options, readOptions } from './options.ts'
import { ownRoot, startPlatform } from './platform.ts'
import { readCosts, renderCosts } from './profile.ts'
import { client } from './questions.ts'
import { renderTables, summarize } from './report.ts'
import { readStudy, type Study } from './studies.ts'
import { type Target } from './target.ts'
import { measureWindow, type Row, waitForQuiet } from './window.ts'
import { createWorld, type World } from './world.ts'

const ownName = 'NDX'
const otherName = 'NDX (other)'
const unledgeredName = 'NDX, no ledger'
const leadSeconds = 1
/** So many answers until the compiler has settled, on a busy machine too; but no longer than this. */
const warmAnswers = 25_000
const warmUpMaxSeconds = 40
const resultsDir = join(import.meta.dirname, 'results')

await main()

async function main(): Promise<void> {
  const options = readOrExplain()
  if (options === undefined) return
  const ending = createEnding(say)
  let isInterrupted = false
  const interrupt = (signal: NodeJS.Signals): void => {
    if (isInterrupted) return
    isInterrupted = true
    say(`${signal}: ending what was started …`)
    void ending.run().finally(() => process.exit(130))
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  try {
    await ('run' in options ? options.run(ending, say) : run(options, ending))
  } catch (error) {
    process.exitCode = 1
    // What breaks because its processes were ended is no news.
    if (!isInterrupted) say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await ending.run()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function readOrExplain(): Options | Study | undefined {
  try {
    const options = readStudy(process.argv.slice(2)) ?? readOptions(process.argv.slice(2))
    if (options === undefined) process.stdout.write(`${help}\n`)
    return options
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}\n`)
    process.exitCode = 2
    return undefined
  }
}

interface Bench {
  world: World
  generator: Generator
  targets: readonly Target[]
  /** Issues tokens for all: they share their secrets. */
  issuerUrl: string
}

async function run(options: Options, ending: Ending): Promise<void> {
  const startedAt = new Date()
  const folder = join(resultsDir, startedAt.toISOString().slice(0, 19).replaceAll(':', '-'))
  mkdirSync(resultsDir, { recursive: true })
  const { bench, stack } = await start(options, ending, folder)
  await warmUp(bench, options)
  const rows = await measureAll(bench, options)
  const summaries = summarize(rows)
  const machine = describeMachine()
  const file = `${folder}.json`
  writeFileSync(file, `${JSON.stringify({ startedAt, machine, stack, options, summaries, rows }, null, 2)}\n`)
  process.stdout.write(`\n${renderTables(summaries)}\n\ngateway … sum: CPU µs an exchange, user and system\n`)
  process.stdout.write(`${machine.cores} × ${machine.processor}, Node ${machine.node}, ${stack}\nwritten: ${file}\n`)
  if (options.profile) await showProfiles(bench, folder, rows)
  if (rows.some(row => row.faults.length > 0)) process.exitCode = 1
}

async function start(options: Options, ending: Ending, folder: string): Promise<{ bench: Bench; stack: string }> {
  const world = createWorld()
  ending.add(world.remove)
  const profiled = options.profile ? { profileDir: folder } : {}
  const own = await tell('starting Kafka, Redis, gateway, adapter and ledger', () =>
    startPlatform({ name: ownName, world, ending, ...profiled }),
  )
  const targets: Target[] = [own]
  if (options.against !== undefined) {
    const root = resolve(options.against)
    targets.push(
      await tell(`starting the same of ${root}`, () =>
        startPlatform({ name: otherName, world, ending, root, ...profiled }),
      ),
    )
  }
  if (options.withoutLedger)
    targets.push(
      await tell('starting the same without a ledger', () =>
        startPlatform({ name: unledgeredName, world, ending, hasLedger: false, ...profiled }),
      ),
    )
  if (options.bare) targets.push(await tell('starting the bare route', () => startBare(world, ending)))
  const generator = await startGenerator()
  ending.add(generator.stop)
  return { bench: { world, generator, targets, issuerUrl: own.url }, stack: own.stack.describe() }
}

/** Answers must be right before anything is measured. */
async function warmUp(bench: Bench, { warmUpSeconds }: Options): Promise<void> {
  const { generator, targets } = bench
  for (const target of targets) {
    const url = target.url
    const token = await newToken(bench)
    const first = await generator.run({ url, token, load: { kind: 'open', perSecond: 50 }, seconds: 2 })
    if (first.answered !== 100 || first.wrong > 0)
      throw new Error(`${target.name} does not answer rightly: ${JSON.stringify(first)}`)
    await tell(`${target.name}: 100 answers are right; warming up`, async () => {
      const load = { kind: 'closed', concurrent: 64 } as const
      let answered = 0
      for (let second = 0; second < warmUpSeconds || (answered < warmAnswers && second < warmUpMaxSeconds); second += 2)
        answered += (await generator.run({ url, token, load, seconds: 2 })).answered
    })
  }
}

/** A B A B: each round measures every target under a load before the next load. */
async function measureAll(bench: Bench, { loads, rounds, seconds, patienceSeconds }: Options): Promise<Row[]> {
  const rows: Row[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const load of loads) {
      for (const target of bench.targets) {
        await waitForQuiet(patienceSeconds)
        const row = await measureOne(bench, target, load, seconds)
        rows.push(row)
        say(`round ${round}/${rounds}  ${describeRow(row)}`)
      }
    }
  }
  return rows
}

async function measureOne(bench: Bench, target: Target, load: Load, seconds: number): Promise<Row> {
  const { generator } = bench
  const token = await newToken(bench)
  await generator.run({ url: target.url, token, load, seconds: leadSeconds })
  return measureWindow({ target, generator, load, seconds, token })
}

/** One a measurement, since a token lives ten minutes. */
function newToken({ issuerUrl, world }: Bench): Promise<string> {
  return getToken({ url: issuerUrl, dataDir: world.dataDir, client })
}

function describeRow({ target, load, perSecond, p99Ms, cpuUs, othersShare, speed, faults }: Row): string {
  const cpu = Object.entries(cpuUs).map(([part, us]) => `${part} ${Math.round(us)}`)
  const notes = faults.length === 0 ? '' : `  VOID: ${faults.join('; ')}`
  const others = othersShare === undefined ? '' : `, others ${Math.round(othersShare * 100)} %`
  return `${target}, ${load}: ${perSecond}/s, p99 ${p99Ms?.toFixed(1)} ms, CPU µs ${cpu.join(' ')} (speed ${speed}${others})${notes}`
}

async function showProfiles({ targets }: Bench, folder: string, rows: readonly Row[]): Promise<void> {
  for (const target of targets) {
    await target.stop()
    const spans = rows.filter(
      row => row.target === target.name && row.load === nameOf({ kind: 'closed', concurrent: 64 }),
    )
    for (const part of ['gateway', 'adapter', 'ledger']) {
      if (target.pids[part as 'gateway'] === undefined) continue
      const file = join(folder, `${target.name}-${part}.cpuprofile`)
      process.stdout.write(`\n${renderCosts(`${target.name} ${part}`, readCosts(file, ownRoot, spans))}\n${file}\n`)
    }
  }
}

async function tell<T>(line: string, act: () => Promise<T>): Promise<T> {
  say(`${line} …`)
  return act()
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
