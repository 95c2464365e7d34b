// The arithmetic of what changes past one machine, and the verdict on growth.
import { describe, expect, it } from 'vitest'
import { type Measured, planCapacity, renderCapacity, usualAssumptions } from '../../bench/capacity.ts'
import { renderGrowth } from '../../bench/growth.ts'
import { type LoadRow } from '../../bench/growth-load.ts'
import { judgeGrowth, renderShapes } from '../../bench/growth-report.ts'
import { readGrowthOptions } from '../../bench/studies.ts'

const measured: Measured = {
  cpuUs: { gateway: 300, adapter: 100, broker: 100, redis: 20, ledger: 130 },
  requestAndReplyBytes: 1000,
  noteBytes: 500,
  ledgerBytes: 2500,
  redisBytes: 100,
  busiestShare: 0.9,
}
const rowOf = (what: string, given = measured) => {
  const row = planCapacity(given).find(one => one.what.startsWith(what))
  if (row === undefined) throw new Error(`no row ${what}`)
  return row
}

describe('capacity', () => {
  it('is the platform’s day, ten of it and a hundred', () => {
    expect(rowOf('exchanges a day').cells).toEqual(['1,600,000', '16,000,000', '160,000,000'])
    expect(rowOf('a second').cells).toEqual(['19 / 93', '185 / 926', '1,852 / 9,259'])
  })

  it('has processes by their CPU at the peak, never fewer than two of what may die', () => {
    // 9,259 a second × 300 µs = 2.78 cores; at 60 % of a core each 4.6.
    expect(rowOf('gateway processes')).toMatchObject({
      cells: ['2', '2', '5'],
      change: 'from 100×: more of them, stateless, behind a load balancer',
    })
    // 9,259 × 100 µs × 0.9 / 0.6
    expect(rowOf('adapter processes').cells).toEqual(['2', '2', '2'])
    expect(rowOf('broker cores').cells).toEqual(['0.0', '0.5', '4.6'])
  })

  it('says from which load on partitions, ledger and store are too small', () => {
    expect(rowOf('ledgers')).toMatchObject({ cells: ['1', '1', '3'], change: expect.stringMatching(/^from 100×/) })
    expect(rowOf('the ledger grows by').change).toMatch(/^from 1×: more than 1\.0 TB a year/)
    expect(rowOf('reply partitions').change).toBe('')
    const slow = { ...measured, cpuUs: { ...measured.cpuUs, adapter: 2000, gateway: 1000 } }
    expect(rowOf('request partitions', slow)).toMatchObject({
      cells: ['6', '6', '28'],
      change: 'from 100×: more request partitions, or adapters stand idle',
    })
    expect(rowOf('reply partitions', slow).cells).toEqual(['8', '8', '16'])
  })

  it('counts bytes with retention and copies, and does not invent what was not measured', () => {
    // 1.6 M × (1,000 × 1 day + 500 × 7 days) × 3 copies
    expect(rowOf('topics on disk').cells[0]).toBe('22 GB')
    expect(rowOf('Redis memory').cells).toEqual(['0.16 GB', '1.60 GB', '16 GB'])
    const little = { ...measured, noteBytes: undefined, ledgerBytes: undefined }
    expect(rowOf('topics on disk', little).cells[0]).toBe('not measured')
    expect(rowOf('the ledger grows by', little)).toMatchObject({ cells: Array(3).fill('not measured'), change: '' })
  })

  it('grows with the load in no row backwards, and is told with its assumptions', () => {
    for (const { cells } of planCapacity(measured, { ...usualAssumptions, peakFactor: 50 }))
      expect(cells).toHaveLength(3)
    const text = renderCapacity(measured)
    expect(text).toContain('| | now | 1× | 10× | 100× | what changes |')
    expect(text).toContain('the busiest second has 5 times the mean')
    expect(text).toContain('gateway 300 µs')
  })
})

describe('growth', () => {
  const row = (gateways: number, us: number, faults: string[] = []): LoadRow => ({
    gateways,
    adapters: 1,
    clients: 1,
    perSecond: 1000,
    p50Ms: 10,
    p99Ms: 20,
    cpuUs: { gateway: us, redis: 10 },
    gatewayMemoryMb: 150,
    faults,
  })

  it('is flat within noise, or told by how much it is not', () => {
    expect(
      judgeGrowth([
        [100, 102],
        [103, 104],
      ]),
    ).toMatch(/flat within noise \(\+2 %; .* ±5 %\)/)
    expect(
      judgeGrowth([
        [100, 140],
        [110, 130],
        [125, 126],
      ]),
    ).toMatch(/flat within noise/)
    expect(
      judgeGrowth([
        [100, 101],
        [110, 111],
        [150, 151],
      ]),
    ).toMatch(/\*\*\+50 %\*\*/)
    expect(judgeGrowth([[100], [200], [100]])).toMatch(/\*\*\+100 %\*\*/)
    expect(judgeGrowth([[100], [70]])).toMatch(/\*\*−30 %\*\*/)
    expect(judgeGrowth([[100]])).toBe('Nothing to compare.')
  })

  it('leaves void rounds out of a line, and says so', () => {
    const text = renderShapes([row(1, 200), row(1, 900, ['5 answers but 6 requests']), row(2, 200)], ({ gateways }) =>
      String(gateways),
    )
    expect(text.split('\n').slice(2)).toEqual([
      '| 1 | 1,000 | 10 | 20 | 200 | – | – | 10 | – | 210 | 150 | **VOID 1 of 2** |',
      '| 2 | 1,000 | 10 | 20 | 200 | – | – | 10 | – | 210 | 150 | 1 of 1 |',
      '',
      expect.stringMatching(/flat within noise/),
    ])
  })

  it('has a section for what was measured, and capacity from the smallest platform and the largest log', () => {
    const ledgerRow = (entries: number) => ({
      entries,
      appendUs: 50,
      commitP50Ms: 5,
      commitP99Ms: 9,
      statusP50Us: 10,
      statusP99Us: 20,
      proofP50Us: 100,
      proofP99Us: 200,
      bytesPerEntry: 800,
      memoryMb: 300,
    })
    const options = readGrowthOptions(['--growth'])
    const rows = [row(1, 200), row(2, 210)]
    const text = renderGrowth(
      { gateways: rows, adapters: [], clients: [], ledger: [10_000, 1_000_000].map(ledgerRow) },
      options,
    )
    expect(text).toContain('Gateways, with one adapter (64 at once):')
    expect(text).not.toContain('Adapters, with')
    expect(text).toContain('| 1,000,000 | 50 | 5.0 / 9.0 | 10 / 20 | 100 / 200 | 800 | 300 |')
    expect(text).toContain('Computed from the CPU of an exchange (gateway 200 µs, redis 10 µs)')
    expect(text).toContain('| the ledger grows by, a year | one SQLite file | 1.4 TB | 14.0 TB | 140.2 TB |')
    expect(renderGrowth({ gateways: [], adapters: [], clients: [], ledger: [] }, options)).toBe('')
  })
})
