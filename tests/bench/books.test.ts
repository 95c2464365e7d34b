// Whether generator, ledger and broker agree about every exchange of a day, and how the day is told.
import { describe, expect, it } from 'vitest'
import { type ServiceBalance } from '#ledger/reconciliation.ts'
import { type Count, findDifferences, joinBooks, outcomeOf } from '../../bench/books.ts'
import { type Day, measuredOf, renderDay } from '../../bench/day-report.ts'

describe('the books', () => {
  const service = 'population/identity-verification'
  const count = (outcome: Count['outcome'], number: number, code = ''): Count => ({
    client: 'bank',
    service,
    outcome,
    code,
    count: number,
  })
  const balance = (changes: Partial<ServiceBalance>): ServiceBalance => ({
    client: 'bank',
    service,
    answered: 0,
    failed: 0,
    expired: 0,
    unsettled: 0,
    refused: 0,
    ...changes,
  })
  const differencesOf = (counts: Count[], balances: ServiceBalance[], changes = {}) => {
    const accepted = balances.reduce((sum, one) => sum + one.answered + one.failed + one.expired + one.unsettled, 0)
    const refused = balances.reduce((sum, one) => sum + one.refused, 0)
    const settled = balances.reduce((sum, one) => sum + one.answered + one.failed + one.expired, 0)
    const records = { requests: accepted, replies: settled }
    return findDifferences(joinBooks(counts, balances), { accepted, settled, refused, gaps: [], ...changes }, records)
  }

  it('agree when every outcome is there as often as it was seen', () => {
    const counts = [
      count('answered', 5),
      count('refused', 2, 'NDX_QUOTA_EXCEEDED'),
      count('refused', 1, 'NDX_REQUEST_INVALID'),
    ]
    expect(differencesOf(counts, [balance({ answered: 5, refused: 3 })])).toEqual([])
  })

  it('differ by one exchange', () => {
    expect(differencesOf([count('answered', 5)], [balance({ answered: 4, refused: 1 })])).toEqual([
      `bank × ${service}: 5 answered, 4 in the ledger`,
      `bank × ${service}: 0 refused, 1 in the ledger`,
    ])
    expect(differencesOf([count('answered', 5)], [balance({ answered: 6 })])).toContain(
      `bank × ${service}: 5 asked, 6 in the ledger`,
    )
    expect(differencesOf([count('answered', 5)], [])).toContain(`bank × ${service}: 5 asked, 0 in the ledger`)
    expect(differencesOf([], [balance({ answered: 1 })])).toContain(`bank × ${service}: 0 asked, 1 in the ledger`)
  })

  it('take any outcome where the client did not learn it, but each exchange once', () => {
    const counts = [count('answered', 5), count('accepted', 2), count('unknown', 1, 'NDX_REPLY_TIMEOUT')]
    expect(differencesOf(counts, [balance({ answered: 6, failed: 1, refused: 1 })])).toEqual([])
    expect(differencesOf(counts, [balance({ answered: 7 })])).not.toEqual([])
    expect(differencesOf(counts, [balance({ answered: 5, refused: 3 })])).not.toEqual([])
  })

  it('do not balance while something is open, has a gap, or the broker holds another number', () => {
    expect(differencesOf([count('accepted', 1)], [balance({ unsettled: 1 })])).toContain(
      `bank × ${service}: 1 accepted and not settled`,
    )
    const gaps = [{ exchange: 'e1', kind: 'stray', detail: 'no acceptance was read' }]
    expect(differencesOf([count('answered', 1)], [balance({ answered: 1 })], { gaps })).toEqual([
      'stray e1: no acceptance was read',
    ])
    const lines = joinBooks([count('answered', 1)], [balance({ answered: 1 })])
    const totals = { accepted: 1, settled: 1, refused: 0, gaps: [] }
    expect(findDifferences(lines, totals, { requests: 2, replies: 1 })).toEqual([
      'accepted in the ledger, and records on the request topics: 1 and 2',
    ])
  })

  it('know what a client saw from status and code', () => {
    expect(
      [
        [200, ''],
        [202, ''],
        [403, 'NDX_PURPOSE_NOT_GRANTED'],
        [429, 'NDX_QUOTA_EXCEEDED'],
        [503, 'NDX_BUS_UNAVAILABLE'],
        [503, 'NDX_COUNTERS_UNAVAILABLE'],
        [502, 'NDX_PROVIDER_FAILED'],
        [504, 'NDX_REQUEST_EXPIRED'],
        [504, 'NDX_REPLY_TIMEOUT'],
        [500, 'NDX_INTERNAL_FAILURE'],
        [0, 'none'],
      ].map(([status, code]) => outcomeOf(Number(status), String(code))),
    ).toEqual([
      'answered',
      'accepted',
      'refused',
      'refused',
      'refused',
      'unknown',
      'failed',
      'expired',
      'unknown',
      'unknown',
      'unknown',
    ])
  })
})

describe('the report of a day', () => {
  const latencies = { count: 3, p50Ms: 5, p95Ms: 9, p99Ms: 10, maxMs: 11 }
  const service = 'population/identity-verification'
  const day: Day = {
    exchanges: 4,
    concurrent: 2,
    seed: 1,
    processes: [{ name: 'gateway', part: 'gateway' }],
    tally: {
      counts: [
        { client: 'bank', service, outcome: 'answered', code: '', count: 3 },
        { client: 'bank', service, outcome: 'refused', code: 'NDX_QUOTA_EXCEEDED', count: 1 },
      ],
      asked: 4,
      tookMs: 2000,
      latencies,
      byService: { [service]: latencies },
      refusals: { ...latencies, count: 1 },
      unexpected: {},
    },
    books: joinBooks(
      [
        { client: 'bank', service, outcome: 'answered', code: '', count: 3 },
        { client: 'bank', service, outcome: 'refused', code: 'NDX_QUOTA_EXCEEDED', count: 1 },
      ],
      [{ client: 'bank', service, answered: 2, failed: 1, expired: 0, unsettled: 0, refused: 1 }],
    ),
    totals: { accepted: 3, settled: 3, refused: 1 },
    unexpected: [],
    differences: [],
    cpuUs: { gateway: 250 },
    generatorUs: 50,
    memory: [{ name: 'gateway', warmMb: 150, lastMb: 151, maxMb: 160, slope: -0.124 }],
    lag: { maxRecords: 1204, caughtUpMs: 900 },
    sizes: {
      topics: { 'ndx.request.population': 4000, 'ndx.reply.population': 2000, 'ndx.note': 2000 },
      ledger: 10_000,
      logs: 0,
      redis: 400,
      redisKeys: 7,
    },
    rates: { slowest: undefined, fastest: undefined },
  }

  it('has each figure and the books, seen and written where they differ', () => {
    const text = renderDay(day)
    for (const line of [
      '4 exchanges, 2 at once, seed 1: **0:02 min**, 2.0 a second',
      '| gateway | 250 | 150 | 151 | 160 | −0.12 |',
      '| generator | 50 | – | – | – | – |',
      '| ndx.request.population | 0.00 MB | 1,000 |',
      `| bank | ${service} | 3 / 2 | 0 / 1 | 0 | 1 | 0 | 0 |`,
      '| NDX_QUOTA_EXCEEDED | 1 |',
      '**No difference**',
    ])
      expect(text).toContain(line)
  })

  it('names what differs and what was not expected', () => {
    const text = renderDay({ ...day, differences: ['a and b'], unexpected: ['3 × 503'] })
    expect(text).toContain('**The books differ**:\n\n- a and b')
    expect(text).toContain('**Answers that the mix did not expect**:\n\n- 3 × 503')
    expect(text).not.toContain('No difference')
  })

  it('gives capacity what an exchange cost and left behind', () => {
    expect(measuredOf(day)).toEqual({
      cpuUs: { gateway: 250 },
      requestAndReplyBytes: 1500,
      noteBytes: 500,
      ledgerBytes: 2500,
      redisBytes: 100,
      busiestShare: 1,
    })
  })
})
