// `npm run bench`: what an exchange costs on the real stack, beside a bare route or what a team would pick instead, in turns.
// Starts all it needs and ends it again, on Ctrl-C too. README.md here has the method and the last figures.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startBare } from './bare-target.ts'
import { createEnding, type Ending } from './ending.ts'
import { startGenerator } from './generator-process.ts'
import { findHighest, renderHighest } from './highest.ts'
import { measureHung, renderHung, summarizeHung } from './hung.ts'
import { nameOf } from './load.ts'
import { describeMachine } from './machine.ts'
import { type Bench, newToken, say, tell, warmUp } from './measuring.ts'
import { help, type Options, readOptions } from './options.ts'
import { measureOverload, renderOverload, summarizeOverload } from './overload.ts'
import { startPeers } from './peers.ts'
import { ownRoot, type Platform, startPlatform } from './platform.ts'
import { readCosts, renderCosts } from './profile.ts'
import { compare, renderRatios } from './ratios.ts'
import { renderTables, summarize } from './report.ts'
import { readDayOptions, readStudy, type Study } from './studies.ts'
import { type Target } from './target.ts'
import { judgeTargets, nothingMeasured, type Results, renderTargets } from './targets.ts'
import { bringUp, type Idle, measureAll } from './turns.ts'
import { type Row } from './window.ts'
import { createWorld } from './world.ts'

const ownName = 'NDX'
const otherName = 'NDX (other)'
const unledgeredName = 'NDX, no ledger'
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

/** What a run has come to so far, kept after each step: one that is cut short leaves what it measured. */
interface Found extends Results {
  rows: Row[]
  idle: Idle[]
}

async function run(options: Options, ending: Ending): Promise<void> {
  const startedAt = new Date()
  const folder = join(resultsDir, startedAt.toISOString().slice(0, 19).replaceAll(':', '-'))
  mkdirSync(resultsDir, { recursive: true })
  const { bench, own, skipped } = await start(options, ending, folder)
  const machine = describeMachine()
  const stack = own.stack.describe()
  const file = `${folder}.json`
  const found: Found = { ...nothingMeasured(ownName), rows: [], idle: [] }
  const about = { startedAt, machine, stack, options, skipped }
  const keep = (): void => writeFileSync(file, `${JSON.stringify({ ...about, ...found }, null, 2)}\n`)
  if (options.table) await runTable(bench, options, found, keep)
  else await warmUp(bench, own, options)
  await runProcedures(bench, own, options, found, keep)
  for (const line of skipped) process.stdout.write(`\n${line}\n`)
  process.stdout.write(`\n${machine.cores} × ${machine.processor}, Node ${machine.node}, ${stack}\nwritten: ${file}\n`)
  if (options.profile) await showProfiles(bench, folder, found.rows)
  if (found.rows.some(row => row.faults.length > 0)) process.exitCode = 1
  if (!options.targets) return
  // A day has a platform of its own, alone on the machine.
  await ending.run()
  found.day = await (await import('./day.ts')).runDay(readDayOptions([]), ending, say)
  keep()
  process.stdout.write(`\n${renderTargets(judgeTargets(found))}\n`)
}

async function runTable(bench: Bench, options: Options, found: Found, keep: () => void): Promise<void> {
  for (const target of bench.targets) found.idle.push(await bringUp(bench, target, options))
  await measureAll(bench, found.idle, {
    ...options,
    onRow: row => {
      found.rows.push(row)
      keep()
    },
  })
  found.summaries = summarize(found.rows)
  found.ratios = compare(found.rows, ownName)
  keep()
  process.stdout.write(`\n${renderTables(found.summaries)}\n\nµs: CPU an exchange, user and system\n`)
  if (found.ratios.length > 0) process.stdout.write(`\n${renderRatios(found.ratios, ownName)}\n`)
}

/** Of NDX alone; the peers that still run are idle. */
async function runProcedures(
  bench: Bench,
  own: Platform,
  options: Options,
  found: Found,
  keep: () => void,
): Promise<void> {
  if (options.highest || options.overload) {
    const { highest, rows } = await findHighest(bench, own, options)
    found.rows.push(...rows)
    found.highest = highest
    keep()
    process.stdout.write(`\n${renderHighest(highest)}\n`)
    const saturation = highest.at(-1)?.perSecond
    if (options.overload && saturation === undefined) say('no rate held, so there is none to double: no overload')
    if (options.overload && saturation !== undefined) {
      const overloadRows = await measureOverload(bench, own, saturation, options)
      found.rows.push(...overloadRows)
      found.overload = summarizeOverload(overloadRows, saturation)
      keep()
      process.stdout.write(`\n${renderOverload(found.overload)}\n`)
    }
  }
  if (options.hung) {
    const rows = await measureHung(bench, own, options)
    found.rows.push(...rows)
    found.hung = summarizeHung(rows)
    keep()
    process.stdout.write(`\n${renderHung(rows)}\n`)
  }
}

interface Started {
  bench: Bench
  own: Platform
  /** What was left out, and why. */
  skipped: string[]
}

async function start(options: Options, ending: Ending, folder: string): Promise<Started> {
  const world = createWorld()
  ending.add(world.remove)
  const profiled = options.profile ? { profileDir: folder } : {}
  const own = await tell('starting Kafka, Redis, gateway, adapter and ledger', () =>
    startPlatform({ name: ownName, world, ending, ...profiled }),
  )
  const targets: Target[] = [own]
  const root = resolve(options.against ?? '')
  if (options.against !== undefined)
    targets.push(
      await tell(`starting the same of ${root}`, () =>
        startPlatform({ name: otherName, world, ending, root, ...profiled }),
      ),
    )
  if (options.withoutLedger)
    targets.push(
      await tell('starting the same without a ledger', () =>
        startPlatform({ name: unledgeredName, world, ending, hasLedger: false, ...profiled }),
      ),
    )
  if (options.bare) targets.push(await tell('starting the bare route', () => startBare(world, ending)))
  const issuerUrl = own.url
  const peers = options.peers
    ? await startPeers({ world, ending, stack: own.stack, say, newToken: () => newToken({ issuerUrl, world }) })
    : { targets: [], skipped: [] }
  const generator = await startGenerator()
  ending.add(generator.stop)
  const bench = { world, generator, targets: [...targets, ...peers.targets], issuerUrl }
  return { bench, own, skipped: peers.skipped }
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
