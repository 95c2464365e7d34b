// Bounds on what costs no exchange: refusals of nobody in particular by address, before any signature is verified; status, catalogue and
// tokens by client. Each at its limit and one past it.
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { nameOf } from '#gateway/limits/address-limit.ts'
import { clientLimits } from '#gateway/limits/client-limits.ts'
import { goodEnvelope } from '#tests/asker.ts'
import { expectOAuthError, expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'
let nowMs = Date.parse('2028-05-01T10:00:00+07:00')
const world = await startWorld({
  now: () => nowMs,
  silent: ['business-registration'],
  settings: { NDX_ADDRESS_REFUSALS_PER_SECOND: '2' },
})
afterAll(() => world.stop())
/** All buckets are full again. */
beforeEach(() => {
  nowMs += 20_000
})

describe('an address', () => {
  test('has so many refusals, and past them only tokens that were verified pass', async () => {
    const token = await world.token()
    expect((await world.ask(identity, goodEnvelope, { token })).status).toBe(200)
    const forged = world.forge({ claims: { exp: 1 } })
    for (let i = 0; i < 8; i++) expect((await world.ask(identity, goodEnvelope, { token: forged })).status).toBe(401)
    const refused = await world.ask(identity, goodEnvelope, { token: forged })
    expectProblem(refused, 'NDX_ADDRESS_LIMITED')
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await world.send('/nothing')).status).toBe(429)
    const noToken = await world.requestToken('social-insurance')
    expectOAuthError(noToken, 'NDX_ADDRESS_LIMITED', 'Too many refused requests from this address')
    expect((await world.ask(identity, goodEnvelope, { token })).status).toBe(200)
    expect((await world.ask(identity, { ...goodEnvelope, purpose: 'curiosity' }, { token })).status).toBe(403)
    expect((await world.send('/health/live')).status).toBe(200)
    nowMs += 500
    expect((await world.send('/nothing')).status).toBe(404)
    expect((await world.send('/nothing')).status).toBe(429)
  })

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    [undefined, ''],
  ])('%s is %s', (address, name) => expect(nameOf(address)).toBe(name))
})

describe('one client', () => {
  const limitsOf = ({ headers }: { headers: Headers }) => [
    headers.get('ratelimit'),
    headers.get('ratelimit-policy'),
    headers.get('retry-after'),
  ]

  test('reads so often and not once more, and another client goes on', async () => {
    const { burst, ratePerSecond } = clientLimits.reading
    await Promise.all([world.token(), world.token('bank')])
    const answers = await Promise.all(Array.from({ length: burst }, () => world.get('/v1/services')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const refused = await world.get('/v1/exchanges/0198c7a0-0000-7000-8000-000000000001')
    expectProblem(refused, 'NDX_RATE_EXCEEDED', { detail: 'A client may ask this 50 times a second, 100 at once.' })
    expect(limitsOf(refused)).toEqual(['"burst";r=0;t=1', '"burst";q=100;w=2', '1'])
    expect((await world.get('/v1/services', { client: 'bank' })).status).toBe(200)
    expect((await world.ask(identity)).status).toBe(200)
    nowMs += 1_000 / ratePerSecond
    expect([(await world.get('/v1/services')).status, (await world.get('/v1/services')).status]).toEqual([200, 429])
  })

  test('gets so many tokens and not one more', async () => {
    const { burst, ratePerSecond } = clientLimits.tokens
    for (let i = 0; i < burst; i++) expect((await world.requestToken('social-insurance')).status).toBe(200)
    const refused = await world.requestToken('social-insurance')
    expectOAuthError(refused, 'NDX_RATE_EXCEEDED', 'A client may ask this 5 times a second, 20 at once.')
    expect(limitsOf(refused)).toEqual(['"burst";r=0;t=1', '"burst";q=20;w=4', '1'])
    expect((await world.requestToken('bank')).status).toBe(200)
    nowMs += 1_000 / ratePerSecond
    expect((await world.requestToken('social-insurance')).status).toBe(200)
  })
})
