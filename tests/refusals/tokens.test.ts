// Access tokens that are forged, broken or somebody else's: every one is a 401, none a 500, and none reaches a provider. The
// list begins where attacks on JWT verifiers began (RFC 8725) and goes on to spelling.
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, describe, expect, test } from 'vitest'
import { encode } from '#tests/asker.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'
const world = await startWorld({ silent: ['business-registration'] })
afterAll(() => world.stop())

const { issuerKey, issuerKeyId } = world.secrets
const publicKey = createPublicKey(issuerKey)
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const publicJwk = JSON.stringify(publicKey.export({ format: 'jwk' }))
const otherEc = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const ed25519 = generateKeyPairSync('ed25519').privateKey
const otherJwk = { ...otherEc.publicKey.export({ format: 'jwk' }), kid: issuerKeyId }
const seconds = Math.floor(Date.now() / 1000)
const good = world.forge()
const [header = '', payload = '', signature = ''] = good.split('.')

const hmac = (secret: string) => (input: string) => createHmac('sha256', secret).update(input).digest()
const der = (key: KeyObject) => (input: string) => sign('sha256', Buffer.from(input), key)
const withHeader = (changes: object): string => world.forge({ header: { ...changes } })
const withClaims = (claims: Record<string, unknown>): string => world.forge({ claims })
const unsigned = (alg: string): string => `${encode({ alg, typ: 'at+jwt', kid: issuerKeyId })}.${payload}.`
const flipped = (text: string, at: number): string =>
  `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`

const forged: [string, string][] = [
  ['alg none', unsigned('none')],
  ['alg None', unsigned('None')],
  ['alg NONE with a signature', world.forge({ header: { alg: 'NONE' } })],
  ['alg empty', unsigned('')],
  ['no alg', withHeader({ alg: undefined })],
  ['alg as a list', withHeader({ alg: ['ES256'] })],
  ['HS256 with the public key’s PEM', world.forge({ header: { alg: 'HS256' }, sign: hmac(publicPem) })],
  [
    'HS256 with the PEM without its last line break',
    world.forge({ header: { alg: 'HS256' }, sign: hmac(publicPem.trim()) }),
  ],
  ['HS256 with white space before the PEM', world.forge({ header: { alg: 'HS256' }, sign: hmac(`\n${publicPem}`) })],
  ['HS256 with the public JWK', world.forge({ header: { alg: 'HS256' }, sign: hmac(publicJwk) })],
  ['HS256 with an empty secret', world.forge({ header: { alg: 'HS256' }, sign: hmac('') })],
  ['another EC key', world.forge({ key: otherEc.privateKey })],
  ['another curve', world.forge({ header: { alg: 'ES384' }, key: p384 })],
  ['RS256 with another key', world.forge({ header: { alg: 'RS256' }, key: rsa })],
  ['RS256 said, ES256 done', withHeader({ alg: 'RS256' })],
  ['EdDSA', world.forge({ header: { alg: 'EdDSA' }, sign: input => sign(null, Buffer.from(input), ed25519) })],
  ['an unknown kid', withHeader({ kid: 'elsewhere' })],
  ['no kid', withHeader({ kid: undefined })],
  ['a kid that is a path', withHeader({ kid: '../../../../dev/null' })],
  ['a kid that is a number', withHeader({ kid: 1 })],
  ['a key of its own in jwk', world.forge({ header: { jwk: otherJwk }, key: otherEc.privateKey })],
  ['a key of its own at jku', world.forge({ header: { jku: 'http://127.0.0.1:1/jwks' }, key: otherEc.privateKey })],
  [
    'a certificate of its own at x5u',
    world.forge({ header: { x5u: 'http://127.0.0.1:1/c' }, key: otherEc.privateKey }),
  ],
  ['a certificate of its own in x5c', world.forge({ header: { x5c: ['MIIB'] }, key: otherEc.privateKey })],
  ['an unknown extension in crit', withHeader({ crit: ['exp2'], exp2: 1 })],
  ['an empty crit', withHeader({ crit: [] })],
  ['crit that is no list', withHeader({ crit: 'b64' })],
  ['unencoded payload (b64)', withHeader({ crit: ['b64'], b64: false })],
  ['typ JWT', withHeader({ typ: 'JWT' })],
  ['no typ', withHeader({ typ: undefined })],
  ['typ of another kind of token', withHeader({ typ: 'dpop+jwt' })],
  ['typ that is a list', withHeader({ typ: ['at+jwt'] })],
  ['another issuer', withClaims({ iss: 'https://issuer.example' })],
  ['the issuer with a slash more', withClaims({ iss: 'http://localhost:8080/' })],
  ['the issuer in a list', withClaims({ iss: ['http://localhost:8080'] })],
  ['another audience', withClaims({ aud: 'other' })],
  ['the audience in other case', withClaims({ aud: 'NDX' })],
  ['a list with our audience in it', withClaims({ aud: ['ndx', 'other'] })],
  ['a list of our audience alone', withClaims({ aud: ['ndx'] })],
  ['an empty list of audiences', withClaims({ aud: [] })],
  ...['iss', 'aud', 'sub', 'client_id', 'jti', 'scope', 'iat', 'exp'].map((claim): [string, string] => [
    `no ${claim}`,
    withClaims({ [claim]: undefined }),
  ]),
  ['a subject that is not the client', withClaims({ sub: 'bank' })],
  ['a client that is a list', withClaims({ client_id: ['bank'], sub: ['bank'] })],
  ['an empty jti', withClaims({ jti: '' })],
  ['a jti past its limit', withClaims({ jti: 'j'.repeat(201) })],
  ['a jti that is a number', withClaims({ jti: 7 })],
  ['a scope that is a list', withClaims({ scope: ['exchange'] })],
  ['exp as a text', withClaims({ exp: String(seconds + 600) })],
  ['exp null', withClaims({ exp: null })],
  ['exp as a list', withClaims({ exp: [seconds + 600] })],
  ['iat as a text', withClaims({ iat: String(seconds) })],
  ['iat null', withClaims({ iat: null })],
  ['issued in the future', withClaims({ iat: seconds + 60, exp: seconds + 600 })],
  ['a life longer than ten minutes', withClaims({ iat: seconds, exp: seconds + 601 })],
  ['a life of a century', withClaims({ exp: seconds + 3_155_760_000 })],
  ['not valid yet', withClaims({ nbf: seconds + 60 })],
  ['nbf as a text', withClaims({ nbf: String(seconds) })],
  ['a truncated signature', good.slice(0, -4)],
  ['half a signature', `${header}.${payload}.${signature.slice(0, 43)}`],
  ['a doubled signature', `${good}${signature}`],
  ['a flipped bit at the signature’s start', `${header}.${payload}.${flipped(signature, 0)}`],
  ['a flipped bit in its middle', `${header}.${payload}.${flipped(signature, 50)}`],
  ['an all-zero signature', world.forge({ sign: () => Buffer.alloc(64) })],
  ['a signature of no bytes', `${header}.${payload}.`],
  ['a DER-encoded signature', world.forge({ sign: der(issuerKey) })],
  ['a swapped payload', `${header}.${encode({ sub: 'bank' })}.${signature}`],
  ['another token’s signature', `${header}.${payload}.${world.forge({}, 'bank').split('.')[2]}`],
  ['a fourth part', `${good}.x`],
  ['two parts', `${header}.${payload}`],
  ['one part', header],
  ['five parts (JWE)', `${header}.${payload}.${signature}.x.y`],
  ['no header', `.${payload}.${signature}`],
  ['no payload', `${header}..${signature}`],
  ['dots alone', '..'],
  ['a payload that is no JSON', `${header}.${Buffer.from('{').toString('base64url')}.${signature}`],
  ['a payload that is a list', world.forge({ sign: der(issuerKey) }).replace(payload, encode([]))],
  ['a header that is no JSON', `e30x.${payload}.${signature}`],
  ['a header that is null', `${encode(null)}.${payload}.${signature}`],
  ['padded base64', `${header}=.${payload}.${signature}`],
  ['base64 with + and /', `${header}.${payload}.+/${signature.slice(2)}`],
  ['characters outside base64url', `${header}.${payload}.~~${signature.slice(2)}`],
  ['a token longer than 4096', world.forge({ claims: { more: 'x'.repeat(4000) } })],
]

describe('forged and broken tokens', () => {
  test('are at least forty', () => expect(forged.length).toBeGreaterThanOrEqual(40))

  test('differ from a good one, which is answered', async () => {
    const answered = await world.ask(identity, undefined, { token: good })
    expect(answered.body).toEqual({
      exchangeId: answered.headers.get('exchange-id'),
      service: identity,
      outcome: 'answered',
      reply: { matched: true },
    })
  })

  test.each(forged)('refuses %s', async (_, token) => {
    const refused = await world.ask(identity, undefined, { token })
    expectProblem(refused, 'NDX_TOKEN_INVALID', factsOf(refused.body))
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="ndx", error="invalid_token"')
  })

  test.each([
    ['expired a second ago', { iat: seconds - 500, exp: seconds - 1 }],
    ['expired long ago', { iat: seconds - 86_400, exp: seconds - 86_000 }],
    ['issued more than ten minutes ago', { iat: seconds - 602, exp: seconds + 100 }],
  ])('refuses one that %s', async (_, claims) => {
    expectProblem(await world.ask(identity, undefined, { token: withClaims(claims) }), 'NDX_TOKEN_EXPIRED')
  })

  test('refuses a client that no agreement names', async () => {
    const token = world.forge({}, 'nobody')
    expectProblem(await world.ask(identity, undefined, { token }), 'NDX_CLIENT_UNKNOWN')
    const proto = world.forge({}, '__proto__')
    expectProblem(await world.ask(identity, undefined, { token: proto }), 'NDX_CLIENT_UNKNOWN')
  })

  test('refuses a scope that only looks like the one needed', async () => {
    const facts = { detail: 'The scope “exchange” is needed.' }
    for (const scope of ['catalogue', 'Exchange', 'exchange2', 'x-exchange', ' '])
      expectProblem(await world.ask(identity, undefined, { token: withClaims({ scope }) }), 'NDX_SCOPE_MISSING', facts)
  })

  test('refuses a token that was good and has expired since', async () => {
    let nowMs = Date.now()
    const later = await startWorld({ now: () => nowMs, silent: ['business-registration'] })
    const token = later.forge({ claims: { exp: Math.floor(nowMs / 1000) + 60 } })
    expect((await later.ask(identity, undefined, { token })).status).toBe(200)
    nowMs += 60_000
    expectProblem(await later.ask(identity, undefined, { token }), 'NDX_TOKEN_EXPIRED')
    await later.stop()
  })
})

describe('the Authorization field', () => {
  const sent = (authorization: string) =>
    world.ask(identity, undefined, { token: null, headers: authorization === '' ? {} : { authorization } })
  const form = { detail: 'Authorization must be “Bearer <token>”.' }

  test('is missed when it is not there', async () => {
    const refused = await sent('')
    expectProblem(refused, 'NDX_TOKEN_MISSING')
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="ndx"')
  })

  test.each([
    ['the token alone', good],
    ['the scheme alone', 'Bearer'],
    ['another scheme', 'Basic c29jaWFsOnNlY3JldA=='],
    ['another scheme with a token', `DPoP ${good}`],
    ['two schemes', `Bearer Bearer ${good}`],
    ['two spaces', `Bearer  ${good}`],
    ['a tab', `Bearer\t${good}`],
    ['white space inside', `Bearer ${good.slice(0, 20)} ${good.slice(20)}`],
    ['something after the token', `Bearer ${good} x`],
    ['two tokens in one field', `Bearer ${good}, Bearer ${good}`],
    ['Latin-1 letters', `Bearer ${header}.${payload}.é${signature.slice(1)}`],
    ['quotes', `Bearer "${good}"`],
  ])('is refused with %s', async (_, authorization) =>
    expectProblem(await sent(authorization), 'NDX_TOKEN_INVALID', form),
  )

  test.each(['bearer', 'BEARER', 'bEaReR'])('may spell its scheme %s', async scheme => {
    expect((await sent(`${scheme} ${good}`)).status).toBe(200)
  })

  test.each(['AT+JWT', 'application/at+jwt'])('may carry a token of typ %s', async typ => {
    expect((await sent(`Bearer ${withHeader({ typ })}`)).status).toBe(200)
  })

  test('is refused when it stands twice', async () => {
    const { status, body } = await sendRaw(['Bearer nonsense', `Bearer ${good}`])
    expect([status, body.code, body.detail]).toEqual([
      401,
      'NDX_TOKEN_INVALID',
      'The Authorization field stands twice.',
    ])
    expect((await sendRaw([`Bearer ${good}`, `Bearer ${good}`])).status).toBe(401)
  })
})

test('no token above reached the counters or a provider but the good ones', async () => {
  const { text } = await world.operations('/counters')
  const outcomes = (JSON.parse(text) as { counts: { client: string; outcome: string }[] }).counts
  expect(new Set(outcomes.map(({ client, outcome }) => `${client} ${outcome}`))).toEqual(
    new Set(['social-insurance answered', 'social-insurance refused']),
  )
})

/** What a refusal may say beside its code: one of our own sentences or nothing. */
function factsOf({ detail }: { detail?: string }): { detail?: string } {
  const known = [
    'The token is from the future.',
    'The token lives longer than 600 s.',
    'The token is too long.',
    'Authorization must be “Bearer <token>”.',
  ]
  if (detail === undefined) return {}
  expect(known).toContain(detail)
  return { detail }
}

/** Two fields of one name, which fetch would join. */
function sendRaw(
  authorization: string[],
): Promise<{ status: number | undefined; body: { code: string; detail: string } }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number | undefined
    body: { code: string; detail: string }
  }>()
  const sent = request(`${world.url}/v1/services`, { agent: false }, async response => {
    const body = Buffer.concat(await response.toArray()).toString()
    resolve({ status: response.statusCode, body: JSON.parse(body) as { code: string; detail: string } })
  })
  for (const value of authorization) sent.appendHeader('authorization', value)
  sent.on('error', reject).end()
  return promise
}
