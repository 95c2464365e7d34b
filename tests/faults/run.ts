// The fault harness from the command line: `node tests/faults/run.ts --help`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { createChance, within } from '#nation/chance.ts'
import { type Campaign, type RoundTimes, startCampaign } from './campaign.ts'
import { allFaults, type Fault, kills } from './faults.ts'
import { measureKill, renderKillFigures } from './kill-figures.ts'
import { help, type Options, readOptions } from './options.ts'
import { renderTable } from './report.ts'

/** Short, so that many exchanges end unknown, and rounds end soon. */
const deadlineMs = 3_000
/** So many rounds are checked together. */
const roundsAtOnce = 10
const historiesMax = 20
/** Kills come as often as all other faults together. */
const killShare = 2

const options = orComplain(() => readOptions(process.argv.slice(2)))
if (options === undefined) console.log(help)
else process.exitCode = options.killFigures ? await figures(options) : await manyRounds(options)

async function manyRounds(wanted: Options): Promise<number> {
  const campaign = await startCampaign({ perSecond: wanted.perSecond, deadlineMs })
  try {
    await campaign.ask(wanted.perSecond)
    return await runRounds(campaign, wanted)
  } finally {
    await campaign.stop()
  }
}

async function runRounds(campaign: Campaign, wanted: Options): Promise<number> {
  const { rounds, seed, answeredMin, only } = wanted
  const { platform } = campaign
  if ('missing' in platform.disk) console.error(`no full disk here: ${platform.disk.missing}`)
  const choose = chooser(
    allFaults(platform).filter(({ name }) => name.includes(only)),
    seed,
  )
  let failure: unknown
  for (let round = 1; round <= rounds && failure === undefined; round++) {
    const fault = choose(round)
    const begun = `${new Date().toISOString().slice(11, 19)} round ${round} of ${rounds}: ${fault.name}`
    failure = await campaign.runRound(fault, answeredMin).then(
      times => console.error(`${begun}; ${tellTimes(times)}`),
      (error: unknown) => error,
    )
    if (round % roundsAtOnce === 0 || round === rounds || failure !== undefined) {
      const { findings } = await campaign.settle()
      console.error(`         checked: ${findings.length} findings`)
      for (const { fault: name, history } of findings.slice(0, historiesMax)) console.error(`after ${name}, ${history}`)
    }
  }
  const table = renderTable(campaign.rounds, campaign.findings)
  console.log(table)
  write(wanted, { seed, rounds: campaign.rounds, findings: campaign.findings, table })
  if (failure !== undefined) throw failure
  return campaign.findings.length === 0 ? 0 : 1
}

async function figures(wanted: Options): Promise<number> {
  const measured = []
  for (const victim of ['population-1', 'gateway-1'] as const) {
    console.error(`75 s of load at ${wanted.perSecond} a second; ${victim} is killed after 15 s`)
    measured.push(await measureKill(victim, wanted.perSecond))
  }
  console.log(measured.map(renderKillFigures).join('\n\n'))
  write(wanted, measured)
  return measured.every(({ findings }) => findings === 0) ? 0 : 1
}

function tellTimes({ mendedMs, recoveredMs, overMs }: RoundTimes): string {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  return `mended after ${seconds(mendedMs)}, answers again after ${seconds(recoveredMs)}, over after ${seconds(overMs)}`
}

/** Every fault of a list as often as any other, kills more often. */
function chooser(faults: readonly Fault[], seed: number): (round: number) => Fault {
  const chance = createChance(seed)
  const killing = faults.filter(fault => kills.includes(fault))
  const others = faults.filter(fault => !kills.includes(fault))
  return round => {
    const isKill = others.length === 0 || (killing.length > 0 && within(chance.draw(round, 1), killShare) === 0)
    const some = isKill ? killing : others
    const fault = some[within(chance.draw(round, 2), some.length)]
    if (fault === undefined) throw new Error('there is no such fault')
    return fault
  }
}

function write({ json }: Options, results: object): void {
  mkdirSync(dirname(json), { recursive: true })
  writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`)
  console.error(`written: ${json}`)
}

function orComplain<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nSee --help.`)
    process.exit(2)
  }
}
