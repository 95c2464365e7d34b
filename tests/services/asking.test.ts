// A register that asks: what it sends, what it makes of every answer a gateway can give, and what it may ask again.
import { rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import { makeSecrets } from '#runtime/secrets.ts'
import { AskError, type Errand, type Ticket } from '#services/adapter.ts'
import { type Asker, createAsker } from '#services/asking.ts'
import { makeFolder } from '#tests/cli/ndx.ts'

const service = 'population/personal-id-issuance'
const exchangeId = '0198c7a0-0000-7000-8000-000000000002'
const parent = '0198c7a0-0000-7000-8000-000000000001'
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const errand: Errand = {
  service,
  envelope: '{"purpose":"birth-registration"}',
  key: `${parent}:number:1`,
  ticket: { exchangeId: parent, traceparent } as Ticket,
}

interface Scripted {
  status?: number
  headers?: Record<string, string>
  body: object
}

let server: Server
let asker: Asker
let dataDir: string
let url: string | undefined
let seen: { line: string; headers: IncomingMessage['headers']; body: string }[]
let answer: Scripted
let tokenAnswer: Scripted

beforeEach(async () => {
  dataDir = makeFolder()
  makeSecrets(dataDir, { simulatedClients: ['civil-status' as ClientId], callbackClients: [] })
  seen = []
  tokenAnswer = { body: { access_token: 'token', expires_in: 600 } }
  server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      const line = `${request.method} ${request.url}`
      seen.push({ line, headers: request.headers, body })
      const metadata: Scripted = { body: { issuer: 'http://issuer', token_endpoint: 'http://issuer/oauth/token' } }
      const scripted = line.includes('well-known') ? metadata : line.includes('/oauth/') ? tokenAnswer : answer
      response.writeHead(scripted.status ?? 200, scripted.headers).end(JSON.stringify(scripted.body))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  asker = createAsker({ client: 'civil-status', url: () => url, dataDir })
})

afterEach(() => {
  asker.stop()
  server.closeAllConnections()
  server.close()
  rmSync(dataDir, { recursive: true })
})

const asked = () => seen.filter(({ line }) => line.includes('/v1/')).map(({ line }) => line)
const problem = (status: number, code: string, more: object = {}): Scripted => ({
  status,
  body: { code, status, fault: status < 500 ? 'client' : 'gateway', retryable: status >= 500, ...more },
})

test('asks with its key, its parent and the trace, without waiting, and keeps its token', async () => {
  answer = { status: 202, body: { exchangeId, service, outcome: 'accepted' } }
  expect(await asker.ask(errand)).toEqual({ outcome: 'accepted', exchangeId })
  await asker.ask(errand)
  expect(seen.map(({ line }) => line)).toEqual([
    'GET /.well-known/oauth-authorization-server',
    'POST /oauth/token',
    `POST /v1/services/${service}`,
    `POST /v1/services/${service}`,
  ])
  expect(seen[2]).toMatchObject({
    body: errand.envelope,
    headers: {
      authorization: 'Bearer token',
      'content-type': 'application/json',
      'idempotency-key': errand.key,
      'ndx-parent': parent,
      prefer: 'respond-async',
      traceparent,
    },
  })
  const claims = JSON.parse(
    Buffer.from(
      String(new URLSearchParams(seen[1]?.body).get('client_assertion')).split('.')[1] ?? '',
      'base64url',
    ).toString(),
  )
  expect(claims).toMatchObject({ iss: 'civil-status', sub: 'civil-status', aud: 'http://issuer' })
})

test('once the exchange is known asks how it stands, and asks anew what never came about', async () => {
  answer = { body: { exchangeId, service, outcome: 'answered', reply: { personalId: '1' } } }
  const standing = { outcome: 'answered', exchangeId, reply: { personalId: '1' } }
  expect(await asker.ask({ ...errand, exchangeId })).toEqual(standing)
  expect(asked()).toEqual([`GET /v1/exchanges/${exchangeId}`])
  answer = problem(404, 'NDX_EXCHANGE_UNKNOWN')
  await asker.ask({ ...errand, exchangeId })
  expect(asked().slice(1)).toEqual([`GET /v1/exchanges/${exchangeId}`, `POST /v1/services/${service}`])
})

describe('an answer', () => {
  test.each<[string, Scripted, object]>([
    [
      'that is accepted',
      { body: { exchangeId, outcome: 'accepted', deferred: true } },
      { outcome: 'accepted', exchangeId },
    ],
    [
      'whose reply is gone',
      { body: { exchangeId, outcome: 'answered', replyGone: true } },
      { outcome: 'gone', code: 'replyGone' },
    ],
    [
      'that it failed, by a code of the contract',
      { body: { exchangeId, outcome: 'failed', code: 'NDX_PROVIDER_FAILED', providerCode: 'no' } },
      { outcome: 'failed', code: 'NDX_PROVIDER_FAILED', providerCode: 'no' },
    ],
    [
      'that it expired',
      { body: { exchangeId, outcome: 'expired', code: 'NDX_REQUEST_EXPIRED' } },
      { outcome: 'expired', code: 'NDX_REQUEST_EXPIRED' },
    ],
    [
      'that it failed when it was first asked',
      problem(502, 'NDX_PROVIDER_FAILED', { outcome: 'failed', providerCode: 'no' }),
      { outcome: 'failed', code: 'NDX_PROVIDER_FAILED', providerCode: 'no' },
    ],
    [
      'that it expired when it was first asked',
      problem(504, 'NDX_REQUEST_EXPIRED', { outcome: 'expired' }),
      { outcome: 'expired', code: 'NDX_REQUEST_EXPIRED' },
    ],
    [
      'that its outcome is unknown, and where it will be told',
      {
        ...problem(504, 'NDX_REPLY_TIMEOUT', { outcome: 'unknown' }),
        headers: { location: `/v1/exchanges/${exchangeId}` },
      },
      { outcome: 'accepted', exchangeId },
    ],
    [
      'that it is not granted',
      problem(403, 'NDX_SERVICE_NOT_GRANTED'),
      { outcome: 'refused', code: 'NDX_SERVICE_NOT_GRANTED' },
    ],
    ['that it is not valid', problem(422, 'NDX_REQUEST_INVALID'), { outcome: 'refused', code: 'NDX_REQUEST_INVALID' }],
  ])('%s is told as it is', async (_, scripted, standing) => {
    answer = scripted
    expect(await asker.ask(errand)).toEqual(standing)
  })

  test.each<[string, Scripted, number | undefined]>([
    ['of a road that is away', { ...problem(503, 'NDX_BUS_UNAVAILABLE'), headers: { 'retry-after': '5' } }, 5_000],
    [
      'of a limit',
      { ...problem(429, 'NDX_RATE_EXCEEDED', { retryable: true }), headers: { 'retry-after': '1' } },
      1_000,
    ],
    ['of a grant that is not valid yet', problem(403, 'NDX_GRANT_NOT_YET_VALID', { retryable: true }), undefined],
    ['that is unknown without a place', problem(504, 'NDX_REPLY_TIMEOUT', { outcome: 'unknown' }), undefined],
    ['of somebody else', { status: 200, body: { hello: 'world' } }, undefined],
  ])('%s is no standing: the same is asked again', async (_, scripted, retryAfterMs) => {
    answer = scripted
    const error = await asker.ask(errand).catch(thrown => thrown)
    expect(error).toBeInstanceOf(AskError)
    expect((error as AskError).retryAfterMs).toBe(retryAfterMs)
  })
})

test('a token that is refused is not used again', async () => {
  answer = problem(401, 'NDX_TOKEN_REVOKED')
  await expect(asker.ask(errand)).rejects.toThrow('401 NDX_TOKEN_REVOKED')
  answer = { status: 202, body: { exchangeId, outcome: 'accepted' } }
  await asker.ask(errand)
  expect(seen.filter(({ line }) => line === 'POST /oauth/token')).toHaveLength(2)
})

test('without a gateway, a token or a stop’s patience it says so, and never what was asked', async () => {
  tokenAnswer = problem(503, 'NDX_COUNTERS_UNAVAILABLE')
  await expect(asker.ask(errand)).rejects.toThrow('the gateway answered 503 NDX_COUNTERS_UNAVAILABLE')
  server.closeAllConnections()
  server.close()
  await expect(asker.ask(errand)).rejects.toThrow('the gateway does not answer')
  url = undefined
  await expect(asker.ask(errand)).rejects.toThrow('it is not known where the gateway is')
})

test('what is under way when it stops is not waited for', async () => {
  answer = { status: 202, body: { exchangeId, outcome: 'accepted' } }
  await asker.ask(errand)
  server.removeAllListeners('request')
  const waiting = asker.ask(errand).catch(error => error.message)
  asker.stop()
  expect(await waiting).toBe('the gateway does not answer')
})
