// The faults that every change must stand: ten kills under load with 20,000 exchanges, then one of each other kind, on one
// platform. Nothing may be lost, doubled or contradictory; `npm run faults` runs more.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Campaign, type Finding, startCampaign } from '../campaign.ts'
import { clocks, diskFull, type Fault, kills, redisFaults, roads, stops } from '../faults.ts'

const perSecond = 200
const deadlineMs = 3_000
const answeredMin = 2_000
const answeredBriefly = 300
let campaign: Campaign

beforeAll(async () => {
  campaign = await startCampaign({ perSecond, deadlineMs })
}, 240_000)

afterAll(() => campaign?.stop())

const named = (faults: readonly Fault[], ...names: string[]): Fault[] =>
  names.map(name => {
    const fault = faults.find(one => one.name === name)
    if (fault === undefined) throw new Error(`no fault is called ${name}`)
    return fault
  })

/** Twice each: gateway, adapter, broker, Redis, ledger. */
const tenKills = [
  ...named(kills, 'gateway-1 killed', 'population-1 killed', 'broker killed', 'redis killed', 'ledger killed'),
  ...named(kills, 'gateway-2 killed', 'population-2 killed', 'broker killed', 'redis killed', 'ledger killed'),
]

const others = [
  ...named(stops, 'gateway-2 stopped'),
  ...named(roads, 'adapter’s road loses acknowledgements'),
  ...named(redisFaults, 'redis flushed'),
  ...named(clocks, 'population-1’s clock +1 h'),
]

const told = (findings: readonly Finding[]): string[] =>
  findings.map(({ fault, history }) => `after ${fault}, ${history}`)

describe('under load', () => {
  test('ten kills and 20,000 exchanges: nothing is lost, doubled or contradictory', async () => {
    for (const fault of tenKills) await campaign.runRound(fault, answeredMin)
    const { findings, evidence } = await campaign.settle()
    expect(told(findings)).toEqual([])
    expect(evidence.events.filter(({ kind }) => kind === 'accepted').length).toBeGreaterThanOrEqual(20_000)
  }, 900_000)

  test.each(others)(
    'everything answers again after: $name',
    async fault => {
      await campaign.runRound(fault, answeredBriefly)
    },
    240_000,
  )

  test('everything answers again after: ledger’s disk full', async context => {
    const { disk } = campaign.platform
    if ('missing' in disk) return context.skip(disk.missing)
    await campaign.runRound(diskFull, answeredBriefly)
  }, 240_000)

  test('after all of these nothing is lost, doubled or contradictory either', async () => {
    const { findings } = await campaign.settle()
    expect(told(findings)).toEqual([])
  }, 300_000)
})
