// Every route the gateway has, as Fastify registered it, in six states of the token: a new route has no place here and fails
// until it is decided who may use it. Also what is no route (404), another method (405), and a service that ended (410).
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type FastifyInstance } from 'fastify'
import { afterAll, describe, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import { type ErrorCode, errorTable } from '#contracts/errors.ts'
import { type Answered, goodEnvelope } from '#tests/asker.ts'
import { startScriptedLedger } from '#tests/gateway/scripted-ledger.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'

/** Everyone may; nothing in it is anybody's. */
const publicRoutes = {
  'GET /health/live': '/health/live',
  'GET /health/ready': '/health/ready',
  'GET /.well-known/jwks.json': '/.well-known/jwks.json',
  'GET /.well-known/oauth-authorization-server': '/.well-known/oauth-authorization-server',
  'GET /openapi.json': '/openapi.json',
  'GET /problems': '/problems',
  'GET /problems/:code': '/problems/NDX_TOKEN_INVALID',
} as const

/** The documentation page and its files: public, served as files. */
const pagePrefix = '/docs'

/** An exchange of social-insurance, of which the ledger knows. */
const refusedId = '0198c7a0-0000-7000-8000-000000000001'

/** Only a token with this scope. */
const guardedRoutes = {
  'GET /v1/services': { path: '/v1/services', scope: 'catalogue', other: 'exchange' },
  'GET /v1/services/:provider/:service': { path: `/v1/services/${identity}`, scope: 'catalogue', other: 'exchange' },
  'POST /v1/services/:provider/:service': { path: `/v1/services/${identity}`, scope: 'exchange', other: 'catalogue' },
  'GET /v1/exchanges/:exchangeId': { path: `/v1/exchanges/${refusedId}`, scope: 'exchange', other: 'catalogue' },
  'GET /v1/exchanges/:exchangeId/events': {
    path: `/v1/exchanges/${refusedId}/events`,
    scope: 'exchange',
    other: 'catalogue',
  },
} as const

/** Guarded by the client's assertion, not by a token. */
const assertedRoutes = { 'POST /oauth/token': '/oauth/token', 'POST /oauth/revoke': '/oauth/revoke' } as const

const ledger = await startScriptedLedger()
ledger.know({
  exchangeId: refusedId,
  state: 'refused',
  client: 'social-insurance' as ClientId,
  isDeferred: false,
  isLate: false,
})
const { world, routes } = await startListed()
afterAll(async () => {
  await world.stop()
  await ledger.stop()
})
const revoked: string = (await world.requestToken('social-insurance')).body.access_token
await world.revoke('social-insurance', revoked)

const seconds = Math.floor(Date.now() / 1000)
const states: [string, (other: string) => string | null, ErrorCode][] = [
  ['no token', () => null, 'NDX_TOKEN_MISSING'],
  ['a malformed token', () => 'x.y', 'NDX_TOKEN_INVALID'],
  ['an expired token', () => world.forge({ claims: { iat: seconds - 100, exp: seconds - 1 } }), 'NDX_TOKEN_EXPIRED'],
  ['a token for another audience', () => world.forge({ claims: { aud: 'other' } }), 'NDX_TOKEN_INVALID'],
  ['a token with another scope', other => world.forge({ claims: { scope: other } }), 'NDX_SCOPE_MISSING'],
  ['a revoked token', () => revoked, 'NDX_TOKEN_REVOKED'],
]

const send = (route: string, path: string, token: string | null): Promise<Answered> => {
  const [method = ''] = route.split(' ')
  return world.send(path, {
    method,
    headers: {
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(method === 'POST' ? { body: JSON.stringify(goodEnvelope) } : {}),
  })
}

test('every route is public, guarded or asserted', () => {
  const known = [publicRoutes, guardedRoutes, assertedRoutes].flatMap(Object.keys)
  expect(routes.filter(route => !(route.split(' ')[1] as string).startsWith(pagePrefix)).sort()).toEqual(known.sort())
})

describe.each(Object.entries(guardedRoutes))('%s', (route, { path, scope, other }) => {
  test.each(states)('refuses %s', async (_, tokenOf, code) => {
    const refused = await send(route, path, tokenOf(other))
    expectProblem(
      refused,
      code,
      code === 'NDX_SCOPE_MISSING'
        ? { detail: `The scope “${scope}” is needed.` }
        : {
            ...(refused.body.detail === 'Authorization must be “Bearer <token>”.'
              ? { detail: refused.body.detail }
              : {}),
          },
    )
  })

  test('answers a token with its scope alone', async () => {
    expect((await send(route, path, world.forge({ claims: { scope } }))).status).toBe(200)
  })
})

describe.each(Object.entries(publicRoutes))('%s', (route, path) => {
  test.each(states)('answers %s', async (_, tokenOf) => {
    expect((await send(route, path, tokenOf('exchange'))).status).toBe(200)
  })
})

describe.each(Object.entries(assertedRoutes))('%s', (route, path) => {
  test.each([...states, ['a good token', () => world.forge(), 'NDX_TOKEN_MISSING']] as typeof states)(
    'refuses %s, since it proves no client',
    async (_, tokenOf) => {
      const authorization = tokenOf('exchange')
      const answered = await world.send(path, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...(authorization === null ? {} : { authorization: `Bearer ${authorization}` }),
        },
        body: 'grant_type=client_credentials&token=x',
      })
      expect([route, answered.status, answered.body.code]).toEqual([route, 401, 'NDX_ASSERTION_INVALID'])
    },
  )
})

test('the documentation page’s routes are read-only files', async () => {
  const pages = routes.filter(route => (route.split(' ')[1] as string).startsWith(pagePrefix))
  expect(pages.length).toBeGreaterThan(0)
  expect(pages.filter(page => !/^(GET|HEAD) /.test(page))).toEqual([])
  expect((await world.send('/docs/')).status).toBe(200)
  expect((await world.send('/docs/static/..%2f..%2fpackage.json')).status).toBe(404)
})

describe('what is no route', () => {
  test.each([
    '/',
    '/v1',
    '/v1/services/',
    '/v1/services/population',
    '/v1/services/population/identity-verification/x',
    '/V1/services',
    '//v1/services',
    '/v1//services',
    '/metrics',
    '/counters',
    '/problems/NDX_NONE',
    '/problems/__proto__',
    '/problems/toString',
    `/v1/services/${'x'.repeat(200)}/y`,
  ])('%s is 404', async path => {
    const token = await world.token('social-insurance', 'catalogue')
    expectProblem(await world.send(path, { headers: { authorization: `Bearer ${token}` } }), 'NDX_ROUTE_UNKNOWN')
  })

  test.each([
    ['PUT', `/v1/services/${identity}`, 'GET, POST'],
    ['DELETE', '/v1/services', 'GET'],
    ['PATCH', '/v1/services?a=b', 'GET'],
    ['OPTIONS', '/v1/services', 'GET'],
    ['GET', '/oauth/token', 'POST'],
    ['POST', '/health/live', 'GET'],
    ['PUT', '/problems/NDX_TOKEN_INVALID', 'GET'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allowed) => {
    const refused = await world.send(path, { method })
    expectProblem(refused, 'NDX_METHOD_UNSUPPORTED')
    expect(refused.headers.get('allow')).toBe(allowed)
  })

  test('HEAD is answered without a body', async () => {
    const refused = await world.send('/v1/services', { method: 'HEAD' })
    expect([refused.status, refused.text, refused.headers.get('allow')]).toEqual([405, '', 'GET'])
  })

  test.each([
    'population/unknown',
    'unknown/identity-verification',
    '__proto__/constructor',
    'population/%69dentity-verification%00',
    'population%2Fidentity-verification/x',
  ])('the service %s is unknown', async service => {
    const facts = { detail: 'GET /v1/services lists what you may ask.' }
    expectProblem(await world.ask(service), 'NDX_SERVICE_UNKNOWN', facts)
    expectProblem(await world.get(`/v1/services/${service}`), 'NDX_SERVICE_UNKNOWN', facts)
  })

  test.each([
    ['2', 'GET /v1/services lists what you may ask.'],
    ['0', 'GET /v1/services lists what you may ask.'],
    ['1.0.0', 'ndx-service-version must be a major version.'],
    ['latest', 'ndx-service-version must be a major version.'],
    ['99999', 'ndx-service-version must be a major version.'],
  ])('the version %s of a service is unknown', async (version, detail) => {
    const refused = await world.ask(identity, undefined, { headers: { 'ndx-service-version': version } })
    expectProblem(refused, 'NDX_SERVICE_UNKNOWN', { detail })
  })
})

test('a version that ends is answered to the last millisecond of its day in UTC+7, and retired after it', async () => {
  let nowMs = Date.parse('2030-06-30T23:59:59.999+07:00')
  const ending = await startWorld({
    now: () => nowMs,
    silent: ['business-registration'],
    contracts: {
      'population/identity-verification.v1.json': contract => {
        contract.sunset = '2030-06-30'
      },
    },
  })
  const last = await ending.ask(identity)
  expect([last.status, last.headers.get('sunset')]).toEqual([200, 'Sun, 30 Jun 2030 17:00:00 GMT'])
  nowMs += 1
  expectProblem(await ending.ask(identity), 'NDX_SERVICE_RETIRED', {
    detail: 'population/identity-verification 1.0.0 ended on 2030-06-30.',
  })
  await ending.stop()
})

test('GET /problems explains every code', async () => {
  const { body } = await world.send('/problems')
  expect(body).toEqual({ problems: Object.entries(errorTable).map(([code, row]) => ({ code, ...row })) })
})

/** A world, and every route its gateway registered: seen where Fastify announces its instances. */
async function startListed() {
  const routes: string[] = []
  const onInstance = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.push(`${one} ${url}`)
    })
  }
  subscribe('fastify.initialization', onInstance)
  const world = await startWorld({ silent: ['business-registration'], settings: { NDX_LEDGER_URL: ledger.url } })
  unsubscribe('fastify.initialization', onInstance)
  return { world, routes }
}
