// Tokens of an external issuer (NDX_ISSUER_JWKS_URL), whose key set a tiny server publishes: RSA and EC keys, keys that come
// later, keys that nobody knows, and the server away. The gateway itself then issues nothing.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { externalIssuerKeys } from '#gateway/tokens/issuer-keys.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld, type World } from '#tests/world.ts'

const identity = 'population/identity-verification'
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const later = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwkOf = (key: KeyObject, kid: string, alg?: string): object => ({
  ...key.export({ format: 'jwk' }),
  kid,
  use: 'sig',
  ...(alg === undefined ? {} : { alg }),
})

interface KeyServer {
  url: string
  keys: object[]
  asked: number
  close(): Promise<void>
}

async function startKeyServer(keys: object[]): Promise<KeyServer> {
  const server: Server = createServer((_, response) => {
    started.asked++
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: started.keys }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const started: KeyServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    keys,
    asked: 0,
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
  return started
}

const startAt = (url: string): Promise<World> =>
  startWorld({ silent: ['business-registration'], settings: { NDX_ISSUER_JWKS_URL: url } })

describe('an external issuer', async () => {
  const keyServer = await startKeyServer([jwkOf(ec.publicKey, 'ec-1', 'ES256'), jwkOf(rsa.publicKey, 'rsa-1')])
  const world = await startAt(keyServer.url)
  afterAll(async () => {
    await world.stop()
    await keyServer.close()
  })
  const askWith = (header: object, key: KeyObject) =>
    world.ask(identity, undefined, { token: world.forge({ header: { ...header }, key }) })

  test('signs with EC and with RSA keys', async () => {
    const answers = [
      await askWith({ kid: 'ec-1' }, ec.privateKey),
      await askWith({ kid: 'rsa-1', alg: 'RS256' }, rsa.privateKey),
    ]
    expect(answers.map(({ status, body }) => [status, body.reply])).toEqual([
      [200, { matched: true }],
      [200, { matched: true }],
    ])
    expect(keyServer.asked).toBe(1)
  })

  test.each([
    ['our own key', { kid: world.secrets.issuerKeyId }, world.secrets.issuerKey],
    ['the right kid and another key', { kid: 'ec-1' }, later.privateKey],
    ['the right kid and another algorithm', { kid: 'ec-1', alg: 'RS256' }, rsa.privateKey],
    ['an algorithm outside the pinned ones', { kid: 'rsa-1', alg: 'PS256' }, rsa.privateKey],
    ['no kid', { kid: undefined }, ec.privateKey],
    ['a kid that is a list', { kid: ['ec-1'] }, ec.privateKey],
  ])('is not believed with %s', async (_, header, key) => {
    expectProblem(await askWith(header, key), 'NDX_TOKEN_INVALID')
  })

  test('is not stormed by unknown kids', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => askWith({ kid: `unknown-${i}` }, later.privateKey)))
    expect(keyServer.asked).toBe(1)
  })

  test('issues tokens itself: our endpoints are off and our metadata names none', async () => {
    const attempt = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=b' }
    for (const path of ['/oauth/token', '/oauth/revoke']) {
      const { status } = await world.send(path, attempt)
      expect([path, [404, 415].includes(status)]).toEqual([path, true])
    }
    expect((await world.send('/.well-known/jwks.json')).body).toEqual({ keys: [] })
    expect((await world.send('/.well-known/oauth-authorization-server')).body).toEqual({
      issuer: 'http://localhost:8080',
    })
  })
})

describe('the issuer’s keys', () => {
  const find = (keys: ReturnType<typeof externalIssuerKeys>, kid: string) => keys.find({ kid, alg: 'ES256' })

  test('that are new are fetched once the pause is over', async () => {
    const keyServer = await startKeyServer([jwkOf(ec.publicKey, 'first')])
    const keys = externalIssuerKeys(keyServer.url, { cooldownMs: 0 })
    const pem = await find(keys, 'first')
    keyServer.keys = [jwkOf(ec.publicKey, 'first'), jwkOf(later.publicKey, 'second')]
    expect(await find(keys, 'second')).toBe(later.publicKey.export({ type: 'spki', format: 'pem' }))
    expect(await find(keys, 'first')).toBe(pem)
    keyServer.keys = [jwkOf(later.publicKey, 'second')]
    await expect(find(keys, 'third')).rejects.toMatchObject({ code: 'NDX_TOKEN_INVALID' })
    await expect(find(keys, 'first')).rejects.toMatchObject({ code: 'NDX_TOKEN_INVALID' })
    await keyServer.close()
  })

  test('that cannot be had are 503, and are used as soon as they can', async () => {
    const gone = await startKeyServer([])
    await gone.close()
    const world = await startAt(gone.url)
    const token = world.forge({ header: { kid: 'ec-1' }, key: ec.privateKey })
    const refused = await world.ask(identity, undefined, { token })
    expectProblem(refused, 'NDX_ISSUER_UNAVAILABLE')
    expect(refused.headers.get('retry-after')).toBe('5')
    await world.stop()
  })

  test('that are no key set are 503', async () => {
    const nonsense = await startKeyServer([])
    nonsense.keys = 'none' as never
    const keys = externalIssuerKeys(nonsense.url)
    await expect(find(keys, 'first')).rejects.toMatchObject({ code: 'NDX_ISSUER_UNAVAILABLE' })
    await nonsense.close()
  })
})
