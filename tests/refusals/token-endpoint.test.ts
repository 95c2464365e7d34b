// Who gets a token: client assertions (RFC 7523) that are wrong in every way we know are refused, one is used once, and a
// token is revoked by the client it was issued to and nobody else.
import { createHmac, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { type Forgery, signerOf } from '#tests/asker.ts'
import { expectOAuthError, expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const world = await startWorld({
  clientLimits: { tokens: { ratePerSecond: 1_000, burst: 1_000 } },
  silent: ['business-registration'],
  agreements: {
    bank: agreement => {
      agreement.keys = [
        { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'bank-rsa', alg: 'RS256', use: 'sig' } as never,
      ]
    },
  },
})
afterAll(() => world.stop())

const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const nowSeconds = (): number => Math.floor(Date.now() / 1000)
const token = (assertion: string, more: Record<string, string> = {}) =>
  world.requestToken('social-insurance', { client_assertion: assertion, ...more })
const refused = (reason: string): string => `The client assertion was refused: ${reason}.`

test('a good assertion gets a token of RFC 9068', async () => {
  const answered = await token(world.assertion())
  expect(answered.body).toEqual({
    access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]{86}$/),
    token_type: 'Bearer',
    expires_in: 600,
    scope: 'exchange catalogue',
  })
  expect(answered.headers.get('cache-control')).toBe('no-store')
  const [header, claims] = answered.body.access_token.split('.').slice(0, 2).map(decode)
  expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: world.secrets.issuerKeyId })
  expect(claims).toEqual({
    iss: 'http://localhost:8080',
    aud: 'ndx',
    sub: 'social-insurance',
    client_id: 'social-insurance',
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    scope: 'exchange catalogue',
    iat: expect.any(Number),
    exp: claims.iat + 600,
  })
})

test('an RSA key that the agreement names signs as well', async () => {
  const assertion = world.assertion({ client: 'bank', header: { alg: 'RS256', kid: 'bank-rsa' }, key: rsa.privateKey })
  expect((await token(assertion)).status).toBe(200)
})

const claim = (name: string, reason: string): string => refused(`claim ${name}: ${reason}`)
const failed = 'check failed'
const broken: [string, Forgery | string | (() => string), string][] = [
  ['nothing', '', refused('it is not a JWT')],
  ['a text that is no JWT', 'a.b.c', refused('it is not a JWT')],
  ['alg none', { header: { alg: 'none' }, sign: () => Buffer.alloc(0) }, refused('it cannot be verified')],
  [
    'HS256 with a public key as secret',
    { header: { alg: 'HS256' }, sign: hmacWithPublic },
    refused('it cannot be verified'),
  ],
  ['another key', { key: otherKey }, refused('the signature does not verify')],
  ['an unknown kid', { header: { kid: 'elsewhere' } }, refused('no key of the client matches its kid and alg')],
  [
    'an algorithm that is not the key’s',
    { header: { alg: 'RS256' }, key: rsa.privateKey },
    refused('no key of the client matches its kid and alg'),
  ],
  [
    'a key of its own',
    { header: { jwk: createPublicKey(otherKey).export({ format: 'jwk' }) }, key: otherKey },
    refused('the signature does not verify'),
  ],
  [
    'a DER-encoded signature',
    { sign: input => sign('sha256', Buffer.from(input), otherKey) },
    refused('the signature does not verify'),
  ],
  ['an unknown extension', { header: { crit: ['x'], x: 1 } }, refused('it cannot be verified')],
  ['an unknown client', { claims: { iss: 'nobody', sub: 'nobody' } }, refused('iss names no client')],
  ['no iss', { claims: { iss: undefined } }, refused('iss names no client')],
  ['iss as a list', { claims: { iss: ['social-insurance'] } }, refused('iss names no client')],
  ['sub of another client', { claims: { sub: 'bank' } }, claim('sub', failed)],
  ['no sub', { claims: { sub: undefined } }, claim('sub', 'missing')],
  [
    'another client in both',
    { claims: { iss: 'bank', sub: 'bank' } },
    refused('no key of the client matches its kid and alg'),
  ],
  ['another audience', { claims: { aud: 'http://elsewhere.example' } }, claim('aud', failed)],
  ['the token endpoint as audience', { claims: { aud: 'http://localhost:8080/oauth/token' } }, claim('aud', failed)],
  ['a list of audiences', { claims: { aud: ['http://localhost:8080', 'other'] } }, refused('aud must be one text')],
  ['a list of our issuer alone', { claims: { aud: ['http://localhost:8080'] } }, refused('aud must be one text')],
  ['no audience', { claims: { aud: undefined } }, claim('aud', 'missing')],
  ['no exp', { claims: { exp: undefined } }, claim('exp', 'missing')],
  ['no iat', { claims: { iat: undefined } }, claim('iat', 'missing')],
  ['no jti', { claims: { jti: undefined } }, claim('jti', 'missing')],
  ['an empty jti', { claims: { jti: '' } }, refused('jti must be a text of 1 to 200 characters')],
  ['a jti past its limit', { claims: { jti: 'j'.repeat(201) } }, refused('jti must be a text of 1 to 200 characters')],
  ['a jti that is a number', { claims: { jti: 7 } }, refused('jti must be a text of 1 to 200 characters')],
  ['exp as a text', { claims: { exp: '9999999999' } }, claim('exp', 'invalid')],
  [
    'a life past five minutes',
    () => world.assertion({ claims: { iat: nowSeconds(), exp: nowSeconds() + 301 } }),
    refused('it may live 300 s at most'),
  ],
  [
    'a life that has ended',
    () => world.assertion({ claims: { iat: nowSeconds() - 100, exp: nowSeconds() - 6 } }),
    claim('exp', failed),
  ],
  ['an issue in the future', () => world.assertion({ claims: { iat: nowSeconds() + 60 } }), claim('iat', failed)],
  ['an issue too long ago', () => world.assertion({ claims: { iat: nowSeconds() - 400 } }), claim('iat', failed)],
  ['a begin in the future', () => world.assertion({ claims: { nbf: nowSeconds() + 60 } }), claim('nbf', failed)],
]

describe('client assertions', () => {
  test('are refused in at least twenty ways', () => expect(broken.length).toBeGreaterThanOrEqual(20))

  test.each(broken)('are refused with %s', async (_, forgery, description) => {
    const assertion =
      typeof forgery === 'string' ? forgery : typeof forgery === 'function' ? forgery() : world.assertion(forgery)
    expectOAuthError(await token(assertion), 'NDX_ASSERTION_INVALID', description)
  })

  test('are used once', async () => {
    const assertion = world.assertion()
    expect((await token(assertion)).status).toBe(200)
    const again = await token(assertion)
    expectOAuthError(again, 'NDX_ASSERTION_REPLAYED', 'Make a new assertion with a new jti for each request.')
    const revoking = await world.sendForm('/oauth/revoke', formOf({ client_assertion: assertion, token: 'x' }))
    expectOAuthError(revoking, 'NDX_ASSERTION_REPLAYED', 'Make a new assertion with a new jti for each request.')
  })

  test('sent twenty times at once get one token', async () => {
    const assertion = world.assertion()
    const answers = await Promise.all(Array.from({ length: 20 }, () => token(assertion)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(401)])
  })

  test('of two clients may have one jti', async () => {
    const jti = randomUUID()
    expect((await token(world.assertion({ claims: { jti } }))).status).toBe(200)
    expect((await token(world.assertion({ client: 'public-service-portal', claims: { jti } }))).status).toBe(200)
  })

  test('spend their jti only when all else is right', async () => {
    const jti = randomUUID()
    expect((await token(world.assertion({ claims: { jti }, key: otherKey }))).status).toBe(401)
    expect((await token(world.assertion({ claims: { jti } }))).status).toBe(200)
  })
})

describe('the token endpoint', () => {
  test('refuses another type of assertion', async () => {
    const answered = await token(world.assertion(), { client_assertion_type: 'urn:other' })
    expectOAuthError(answered, 'NDX_ASSERTION_INVALID', `client_assertion_type must be ${assertionType}.`)
  })

  test('refuses a client_id that is not the assertion’s client', async () => {
    const answered = await token(world.assertion(), { client_id: 'bank' })
    expectOAuthError(answered, 'NDX_ASSERTION_INVALID', 'client_id names another client than the assertion.')
    expect((await token(world.assertion(), { client_id: 'social-insurance' })).status).toBe(200)
  })

  test.each(['password', 'authorization_code', 'CLIENT_CREDENTIALS', ''])('refuses the grant type “%s”', async type => {
    const answered = await token(world.assertion(), { grant_type: type })
    expectOAuthError(answered, 'NDX_GRANT_TYPE_UNSUPPORTED', 'Only client_credentials is supported')
  })

  test.each(['admin', 'exchange  catalogue', 'exchange,catalogue', 'Exchange'])(
    'refuses the scope “%s”',
    async scope => {
      const answered = await token(world.assertion(), { scope })
      expectOAuthError(answered, 'NDX_SCOPE_UNKNOWN', 'Scopes: exchange, catalogue.')
    },
  )

  test('gives the scopes asked for, each once', async () => {
    const answered = await token(world.assertion(), { scope: 'catalogue catalogue' })
    expect([answered.body.scope, decode(answered.body.access_token.split('.')[1]).scope]).toEqual([
      'catalogue',
      'catalogue',
    ])
  })

  test.each(['grant_type', 'client_assertion', 'client_assertion_type', 'scope'])('refuses %s twice', async name => {
    const form = new URLSearchParams(formOf({ client_assertion: world.assertion(), scope: 'exchange' }))
    form.append(name, form.get(name) as string)
    expectOAuthError(await world.sendForm('/oauth/token', form), 'NDX_BODY_MALFORMED', `${name} stands twice.`)
  })

  test.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x'])(
    'refuses a body of %s',
    async type => {
      const body = new URLSearchParams(formOf({ client_assertion: world.assertion() })).toString()
      const answered = await world.send('/oauth/token', { method: 'POST', headers: { 'content-type': type }, body })
      expectProblem(answered, 'NDX_MEDIA_TYPE_UNSUPPORTED')
    },
  )

  test('refuses no body', async () => {
    expectOAuthError(
      await world.send('/oauth/token', { method: 'POST' }),
      'NDX_BODY_MALFORMED',
      'A form body is required.',
    )
  })

  test('refuses a body past its limit', async () => {
    expectProblem(await token(world.assertion(), { more: 'x'.repeat(16_384) }), 'NDX_BODY_TOO_LARGE')
  })

  test('reads nothing from the query', async () => {
    const query = new URLSearchParams(formOf({ client_assertion: world.assertion() }))
    const answered = await world.send(`/oauth/token?${query}`, { method: 'POST' })
    expectOAuthError(answered, 'NDX_BODY_MALFORMED', 'A form body is required.')
  })
})

describe('revocation', () => {
  const askWith = (bearer: string) => world.ask(identity, undefined, { token: bearer })
  const freshToken = async (): Promise<string> => (await token(world.assertion())).body.access_token

  test('ends the caller’s own token at once, and no other', async () => {
    const [ended, other] = [await freshToken(), await freshToken()]
    expect((await askWith(ended)).status).toBe(200)
    const answered = await world.revoke('social-insurance', ended)
    expect([answered.status, answered.text]).toEqual([200, ''])
    expectProblem(await askWith(ended), 'NDX_TOKEN_REVOKED')
    expect((await askWith(other)).status).toBe(200)
  })

  test('leaves another client’s token as it is, and does not say so', async () => {
    const theirs = await freshToken()
    const answered = await world.revoke('public-service-portal', theirs)
    expect([answered.status, answered.text]).toEqual([200, ''])
    expect((await askWith(theirs)).status).toBe(200)
  })

  test('ignores a forged token that names a real one', async () => {
    const real = await freshToken()
    const claims = decode(real.split('.')[1] as string)
    const forged = world.forge({ claims, key: otherKey })
    const unsigned = world.forge({ header: { alg: 'none' }, claims, sign: () => Buffer.alloc(0) })
    for (const one of [forged, unsigned, 'nonsense', ''])
      expect((await world.revoke('social-insurance', one)).status).toBe(200)
    expect((await askWith(real)).status).toBe(200)
  })

  test('needs a good assertion', async () => {
    const real = await freshToken()
    const answered = await world.sendForm(
      '/oauth/revoke',
      formOf({ client_assertion: world.assertion({ key: otherKey }), token: real }),
    )
    expectOAuthError(answered, 'NDX_ASSERTION_INVALID', refused('the signature does not verify'))
    expect((await askWith(real)).status).toBe(200)
  })

  test('is not undone by the verified-token cache of another connection', async () => {
    const ended = await freshToken()
    await Promise.all(Array.from({ length: 10 }, () => askWith(ended)))
    await world.revoke('social-insurance', ended)
    const answers = await Promise.all(Array.from({ length: 10 }, () => askWith(ended)))
    expect(answers.map(({ body }) => body.code)).toEqual(Array(10).fill('NDX_TOKEN_REVOKED'))
  })
})

const formOf = (more: Record<string, string>): Record<string, string> => ({
  grant_type: 'client_credentials',
  client_assertion_type: assertionType,
  ...more,
})

const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())

function hmacWithPublic(input: string): Buffer {
  return createHmac('sha256', JSON.stringify(rsa.publicKey.export({ format: 'jwk' })))
    .update(input)
    .digest()
}

test('a signature made with the right key over other bytes does not verify', async () => {
  const [header, payload] = world.assertion().split('.')
  const good = world.assertion().split('.')[2]
  expectOAuthError(
    await token(`${header}.${payload}.${good}`),
    'NDX_ASSERTION_INVALID',
    refused('the signature does not verify'),
  )
  expect(signerOf(otherKey)('x')).toHaveLength(64)
})
