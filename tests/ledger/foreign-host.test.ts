// Listeners without authentication answer only to names that are theirs, so that no page in an operator's browser can ask them.
import { request } from 'node:http'
import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInnerHost } from '#runtime/inner-host.ts'
import { listenForOperations, type OperationsListener } from '#runtime/operations-listener.ts'
import { RecoveryWorld } from './recovery-world.ts'

const world = new RecoveryWorld()
let operations: OperationsListener
beforeAll(async () => {
  const routes = { '/metrics': () => ({ body: 'x' }) }
  operations = await listenForOperations({ host: '127.0.0.1', port: 0, innerHosts: ['gateway'], routes })
})
afterAll(() => operations.stop())

const statusOf = (url: string, headers: Record<string, string>, method = 'GET'): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on('error', reject).end()
  })

test.each([
  ['127.0.0.1:9470', true],
  ['10.1.2.3', true],
  ['[::1]:9470', true],
  ['localhost:9470', true],
  ['LOCALHOST', true],
  [hostname(), true],
  ['ledger:9470', true],
  ['evil.example', false],
  ['evil.example:9470', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['ledger.evil.example', false],
  ['localhost:9470@evil.example', false],
  ['2130706433', false],
  ['[evil]', false],
  ['', false],
  [undefined, false],
])('a host %s is ours: %s', (host, isOurs) => expect(isInnerHost(host, ['ledger'])).toBe(isOurs))

describe('a foreign host is refused', () => {
  test('by the ledger, and what changes something needs a header that a page cannot send', async () => {
    await world.start()
    const url = (path: string): string => `${world.ledger?.url}${path}`
    const replay = '/v1/callbacks/01a201d4-db6f-735f-b2c8-000000000001/replay'
    const operator = { 'ndx-operator': 'lan' }
    expect(await statusOf(url('/health/live'), { host: 'evil.example' })).toBe(421)
    expect(await statusOf(url('/v1/audit/backup'), { host: 'evil.example', ...operator }, 'POST')).toBe(421)
    expect(await statusOf(url('/health/live'), { host: 'localhost' })).toBe(200)
    for (const path of [replay, '/v1/audit/backup']) expect(await statusOf(url(path), {}, 'POST')).toBe(403)
    expect(await statusOf(url(replay), operator, 'POST')).toBe(404)
    // What a page may send across origins without being asked first: still no.
    expect(await statusOf(url(replay), { 'content-type': 'text/plain', origin: 'http://x' }, 'POST')).toBe(403)
  })

  test('by an operations listener', async () => {
    const url = `http://127.0.0.1:${operations.port}/metrics`
    expect(await statusOf(url, { host: 'evil.example' })).toBe(421)
    expect(await statusOf(url, { host: 'gateway:9464' })).toBe(200)
  })

  test('by a witness', async () => {
    expect(await statusOf(`${world.witness.url}/health/live`, { host: 'evil.example' })).toBe(421)
    expect(await statusOf(`${world.witness.url}/health/live`, {})).toBe(200)
  })
})
