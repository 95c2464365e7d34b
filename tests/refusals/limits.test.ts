// Refusals by number, 429: the bucket at its burst and one past it, the day's quota, guesses about one subject. The RateLimit
// fields and Retry-After say what is left and when to come back.
import { afterAll, describe, expect, test } from 'vitest'
import { goodEnvelope } from '#tests/asker.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'
// 10:00 in UTC+7: 14 hours before the quota's day ends.
let nowMs = Date.parse('2028-05-01T10:00:00+07:00')
const toMidnight = '50400'
const world = await startWorld({
  now: () => nowMs,
  silent: ['business-registration'],
  agreements: {
    bank: ({ grants }) => {
      for (const grant of grants) Object.assign(grant, { ratePerSecond: 2, burst: 3, quotaPerDay: 1000 })
    },
    'public-service-portal': ({ grants }) => {
      for (const grant of grants) Object.assign(grant, { ratePerSecond: 0.5, burst: 10, quotaPerDay: 4 })
    },
    'social-insurance': ({ grants }) => {
      for (const grant of grants) Object.assign(grant, { quotaPerDay: undefined })
    },
  },
})
afterAll(() => world.stop())

const limitsOf = ({ headers }: { headers: Headers }) => [
  headers.get('ratelimit'),
  headers.get('ratelimit-policy'),
  headers.get('retry-after'),
]

describe('the rate', () => {
  const ask = () => world.ask(identity, { ...goodEnvelope, purpose: 'customer-identification' }, { client: 'bank' })
  const policy = '"burst";q=3;w=2, "day";q=1000;w=86400'

  test('admits the burst, refuses one past it, and admits again when a token is there', async () => {
    const answers = [await ask(), await ask(), await ask()]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(answers.map(limitsOf)).toEqual([
      [`"burst";r=2;t=0, "day";r=999;t=${toMidnight}`, policy, null],
      [`"burst";r=1;t=0, "day";r=998;t=${toMidnight}`, policy, null],
      [`"burst";r=0;t=1, "day";r=997;t=${toMidnight}`, policy, null],
    ])
    const refused = await ask()
    expectProblem(refused, 'NDX_RATE_EXCEEDED', { detail: 'The grant allows 2 a second, 3 at once.' })
    expect(limitsOf(refused)).toEqual([`"burst";r=0;t=1, "day";r=997;t=${toMidnight}`, policy, '1'])
    nowMs += 499
    expect((await ask()).status).toBe(429)
    nowMs += 1
    expect((await ask()).status).toBe(200)
    expect((await ask()).status).toBe(429)
  })

  test('is each client’s own', async () => {
    expect((await world.ask(identity)).status).toBe(200)
  })

  test('is not used up by what is refused before', async () => {
    nowMs += 10_000
    for (let i = 0; i < 6; i++) {
      expect((await world.ask(identity, {}, { client: 'bank' })).status).toBe(422)
      expect((await world.ask(identity, goodEnvelope, { client: 'bank' })).status).toBe(403)
    }
    expect((await ask()).headers.get('ratelimit')).toMatch(/^"burst";r=2;/)
  })
})

test('the quota admits its number and refuses one more until midnight in UTC+7', async () => {
  const midnightMs = Date.parse('2028-05-02T00:00:00+07:00')
  nowMs = midnightMs - 30_001
  const ask = () =>
    world.ask(identity, { ...goodEnvelope, purpose: 'public-service-intake' }, { client: 'public-service-portal' })
  for (let left = 3; left >= 0; left--) {
    const answered = await ask()
    expect([answered.status, answered.headers.get('ratelimit')]).toEqual([
      200,
      `"burst";r=${6 + left};t=0, "day";r=${left};t=31`,
    ])
  }
  const refused = await ask()
  expectProblem(refused, 'NDX_QUOTA_EXCEEDED', { detail: 'The grant allows 4 a day.' })
  expect(limitsOf(refused)).toEqual(['"burst";r=6;t=0, "day";r=0;t=31', '"burst";q=10;w=20, "day";q=4;w=86400', '31'])
  nowMs = midnightMs - 1
  expect((await ask()).status).toBe(429)
  nowMs = midnightMs
  expect((await ask()).headers.get('ratelimit')).toBe('"burst";r=9;t=0, "day";r=3;t=86400')
})

describe('guesses about one subject', () => {
  const wrong = { ...goodEnvelope, request: { ...goodEnvelope.request, fullName: 'Nguyễn Thị Thư' } }
  const ask = (envelope: object) => world.ask(identity, envelope)

  test('are answered five times and then refused, matches costing none', async () => {
    nowMs = Date.parse('2028-06-01T10:00:00+07:00')
    for (let i = 0; i < 5; i++) {
      expect((await ask(goodEnvelope)).body.reply).toEqual({ matched: true })
      expect((await ask(wrong)).body.reply).toEqual({ matched: false })
    }
    const refused = await ask(wrong)
    expectProblem(refused, 'NDX_GUESSES_EXCEEDED', {
      detail: 'The contract allows 5 mismatches a day for one subject.',
    })
    expect(limitsOf(refused)).toEqual([expect.stringMatching(/^"burst";r=\d+;t=0$/), '"burst";q=400;w=2', toMidnight])
  })

  test('are refused even when right, so that a refusal teaches nothing', async () => {
    expectProblem(await ask(goodEnvelope), 'NDX_GUESSES_EXCEEDED', {
      detail: 'The contract allows 5 mismatches a day for one subject.',
    })
  })

  test('are counted for each subject and each client by itself', async () => {
    const other = { personalId: '080700512474', fullName: 'NGUYEN THI THU', dateOfBirth: '2000' }
    expect((await ask({ ...goodEnvelope, request: other })).body.reply).toEqual({ matched: true })
    const bank = await world.ask(identity, { ...wrong, purpose: 'customer-identification' }, { client: 'bank' })
    expect(bank.body.reply).toEqual({ matched: false })
  })

  test('begin anew the next day', async () => {
    nowMs = Date.parse('2028-06-02T00:00:00+07:00')
    expect((await ask(goodEnvelope)).body.reply).toEqual({ matched: true })
  })

  test('made all at once are no more than five', async () => {
    nowMs = Date.parse('2028-06-03T10:00:00+07:00')
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(wrong)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter(status => status === 200).length).toBeLessThanOrEqual(5)
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
  })

  test('of an unknown number and of a wrong name look the same', async () => {
    const unknown = { ...goodEnvelope, request: { ...goodEnvelope.request, personalId: '026701999999' } }
    nowMs = Date.parse('2028-06-04T10:00:00+07:00')
    const [one, other] = [await ask(unknown), await ask(wrong)]
    expect({ ...one.body, exchangeId: 0 }).toEqual({ ...other.body, exchangeId: 0 })
    expect(one.text).toHaveLength(other.text.length)
  })
})
