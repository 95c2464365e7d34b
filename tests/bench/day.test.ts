// The pure parts of a day of the platform: the mix and its repeatability, percentiles of millions, slopes, the bar.
import { describe, expect, it } from 'vitest'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { cpuUsOf, sumByPart } from '../../bench/cost.ts'
import { Histogram } from '../../bench/histogram.ts'
import { createMix, quotaOf } from '../../bench/mix.ts'
import { percentile } from '../../bench/percentile.ts'
import { clockOf, renderProgress } from '../../bench/progress-bar.ts'
import { Rates } from '../../bench/rates.ts'
import { describeMemory, parseLag } from '../../bench/samples.ts'
import { topicOf } from '../../bench/sizes.ts'
import { afterWarmUp, slopeOf } from '../../bench/slope.ts'
import { readDayOptions, readGrowthOptions, readStudy } from '../../bench/studies.ts'

describe('the mix', () => {
  const registry = loadRegistry({ idScheme: 'simulated' })
  const nation = createNation({ seed: 1 })
  const today = '2026-11-22'
  const mixOf = (seed: number) => createMix({ registry, nation, seed, today })
  const mix = mixOf(1)
  const asked = Array.from({ length: 20_000 }, (_, n) => mix.ask(n))

  it('is the same for the same seed, in any order, and another for another', () => {
    expect(mixOf(1).ask(777)).toEqual(asked[777])
    expect(Array.from({ length: 50 }, (_, n) => mixOf(2).ask(n))).not.toEqual(asked.slice(0, 50))
  })

  it('has every client that holds a grant it can ask for', () => {
    const clients = new Set(mix.lines.map(({ client }) => client))
    expect(clients).toEqual(new Set(registry.agreements.keys()))
    expect(mix.lines.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  })

  it('asks for identities most', () => {
    const counts = Map.groupBy(asked, ({ service }) => service)
    const [most] = [...counts].sort(([, a], [, b]) => b.length - a.length)[0] ?? []
    expect(most).toBe('population/identity-verification')
  })

  it('has 2 to 5 % refusals of four kinds, the quota’s beside them', () => {
    const kinds = Map.groupBy(
      asked.filter(({ status }) => status >= 400),
      ({ holds }) => holds,
    )
    expect([...kinds.keys()].sort()).toEqual([
      '"NDX_PURPOSE_NOT_GRANTED"',
      '"NDX_REQUEST_INVALID"',
      '"NDX_SERVICE_NOT_GRANTED"',
      '"NDX_SERVICE_UNKNOWN"',
    ])
    const share = [...kinds.values()].reduce((sum, { length }) => sum + length, 0) / asked.length
    const capped = mix.capped
    if (capped === undefined) throw new Error('no client has a quota that runs out')
    const beyondQuota = asked.length * capped.share * (1 - 0.025) - quotaOf(capped, asked.length)
    expect(share + beyondQuota / asked.length).toBeGreaterThan(0.02)
    expect(share + beyondQuota / asked.length).toBeLessThan(0.05)
    expect(
      asked.filter(({ or }) => or.includes('NDX_QUOTA_EXCEEDED')).every(({ client }) => client === capped.client),
    ).toBe(true)
  })

  it('names the wrong person now and then, never the same one again and again', () => {
    const wrong = asked.filter(({ holds }) => holds === '"matched":false')
    expect(wrong.length / asked.length).toBeGreaterThan(0.005)
    expect(new Set(wrong.map(({ body }) => body)).size).toBe(wrong.length)
  })

  it('asks questions that meet their contracts, but for those made invalid', () => {
    const faults = asked
      .filter(({ service, holds }) => service !== '' && holds !== '"NDX_REQUEST_INVALID"')
      .flatMap(({ service, body }) => {
        const { request } = JSON.parse(body) as { request: unknown }
        return registry.find(service)?.checkRequest(request) ?? []
      })
    expect(faults).toEqual([])
  })

  it('can be one service of some clients alone', () => {
    const only = 'population/identity-verification'
    const narrow = createMix({ registry, nation, seed: 1, today, only, clients: ['social-insurance'] })
    const some = Array.from({ length: 500 }, (_, n) => narrow.ask(n))
    expect(new Set(some.map(({ client, service, holds }) => `${client} ${service} ${holds}`))).toEqual(
      new Set(['social-insurance population/identity-verification "matched":true']),
    )
    expect(() => createMix({ registry, nation, seed: 1, today: '1999-01-01' })).toThrow(/no agreement/)
  })
})

describe('a histogram', () => {
  it('is at most 0.8 % above the nearest rank and never below', () => {
    const values = Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 100_003).map(n => n / 97)
    const histogram = new Histogram()
    for (const value of values) histogram.record(value)
    const sorted = values.toSorted((a, b) => a - b)
    for (const share of [0.01, 0.5, 0.95, 0.99, 0.999, 1]) {
      const [exact, found] = [percentile(sorted, share) ?? 0, histogram.percentile(share) ?? 0]
      expect(found).toBeGreaterThanOrEqual(exact - 0.0005)
      expect(found).toBeLessThanOrEqual(exact * 1.008 + 0.0015)
    }
  })

  it('holds what is extreme, and nothing when it is empty', () => {
    const histogram = new Histogram()
    expect([histogram.count, histogram.percentile(0.5)]).toEqual([0, undefined])
    for (const ms of [0, -1, 1e12]) histogram.record(ms)
    expect([histogram.count, histogram.percentile(0.5), histogram.percentile(1)]).toEqual([3, 0, (2 ** 31 - 1) / 1000])
  })
})

describe('what grows', () => {
  it('has the slope of the line that fits best', () => {
    expect(slopeOf([1, 2, 3, 4].map(x => ({ x, y: 5 + 2 * x })))).toBeCloseTo(2)
    expect(
      slopeOf([
        { x: 0, y: 1 },
        { x: 1, y: 0 },
        { x: 2, y: 2 },
      ]),
    ).toBeCloseTo(0.5)
    expect([
      slopeOf([]),
      slopeOf([{ x: 1, y: 1 }]),
      slopeOf([
        { x: 1, y: 1 },
        { x: 1, y: 9 },
      ]),
    ]).toEqual([undefined, undefined, undefined])
  })

  it('is judged after the warm-up', () => {
    const points = [0, 1, 2, 5, 10].map(x => ({ x, y: x }))
    expect(afterWarmUp(points, 0.2).map(({ x }) => x)).toEqual([2, 5, 10])
    const samples = [0, 1, 2, 3, 4, 5].map(minute => ({
      atMs: minute * 60_000,
      memoryMb: { gateway: minute === 0 ? 50 : 100 + 3 * minute },
      lag: 0,
    }))
    const [line] = describeMemory(samples, 0.2)
    expect(line).toMatchObject({ name: 'gateway', warmMb: 103, lastMb: 115, maxMb: 115 })
    expect(line?.slope).toBeCloseTo(3)
  })

  it('has its rates, now and in the slowest and fastest ten seconds', () => {
    const rates = new Rates()
    expect([rates.latest(), rates.extremes()]).toEqual([0, { slowest: undefined, fastest: undefined }])
    for (let second = 1; second <= 40; second++)
      rates.add(second * 1000, second <= 20 ? second * 100 : 2000 + (second - 20) * 300)
    expect(rates.latest()).toBeCloseTo(300)
    expect(rates.extremes().slowest).toBeCloseTo(100)
    expect(rates.extremes().fastest).toBeCloseTo(300)
  })
})

describe('a long run', () => {
  it('tells in a line how far it is', () => {
    const line = renderProgress({ done: 400_000, total: 1_600_000, elapsedMs: 100_000, perSecond: 4012.4, lag: 1204 })
    expect(line).toBe(
      '[######------------------] 25 %  400,000 of 1,600,000  4,012/s  5:00 left  ledger 1,204 records behind',
    )
    expect(renderProgress({ done: 0, total: 10, elapsedMs: 5, perSecond: 0, lag: undefined })).toBe(
      '[------------------------] 0 %  0 of 10  0/s',
    )
    expect([clockOf(0), clockOf(59_100), clockOf(3_723_000)]).toEqual(['0:00', '1:00', '1:02:03'])
  })

  it('accounts CPU by process and by part', () => {
    const cpuUs = cpuUsOf(
      { gateway: 100, 'gateway-2': 0, redis: 10 },
      { gateway: 300, 'gateway-2': 100, redis: 20 },
      1000,
    )
    expect(cpuUs).toEqual({ gateway: 200, 'gateway-2': 100, redis: 10 })
    const processes = [
      { name: 'gateway', part: 'gateway' },
      { name: 'gateway-2', part: 'gateway' },
      { name: 'redis', part: 'redis' },
      { name: 'broker', part: 'broker' },
    ] as const
    expect(sumByPart(cpuUs, processes)).toEqual({ gateway: 300, redis: 10 })
    expect(cpuUsOf({}, { gateway: 1 }, 0)).toEqual({})
  })

  it('reads the ledger’s lag and a partition’s topic', () => {
    expect(parseLag('# TYPE x\nndx_ledger_lag_records 1204\nother 1\n')).toBe(1204)
    expect(parseLag('other 1')).toBeUndefined()
    expect(['ndx.request.population-11', 'ndx.note-0', '__consumer_offsets-3', 'meta.properties'].map(topicOf)).toEqual(
      ['ndx.request.population', 'ndx.note', undefined, undefined],
    )
  })
})

describe('the studies’ options', () => {
  it('are a national day and the growth that was asked for', () => {
    expect(readDayOptions(['--day'])).toEqual({
      exchanges: 1_600_000,
      concurrent: 256,
      seed: 1,
      gateways: 1,
      adapters: 1,
    })
    expect(readGrowthOptions(['--growth', '--entries', 'none', '--clients', '100,10'])).toMatchObject({
      instances: [1, 2, 4],
      clients: [10, 100],
      entries: [],
    })
    expect(readStudy(['--seconds', '8'])).toBeUndefined()
    expect(readStudy(['--day', '--help'])).toBeUndefined()
  })

  it('refuse what they do not know', () => {
    for (const args of [['--exchanges', '0'], ['--seed', 'x'], ['--rounds', '3'], ['now']])
      expect(() => readStudy(['--day', ...args])).toThrow()
    for (const args of [
      ['--clients', '1,x'],
      ['--entries', ''],
      ['--exchanges', '5'],
    ])
      expect(() => readStudy(['--growth', ...args])).toThrow()
  })
})
