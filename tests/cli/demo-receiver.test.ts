// The tour's receiver of callbacks: takes what its own secret signed, lately, at its own address; nothing else.
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listenForCallbacks, type Receiver } from '#cli/demo-receiver.ts'
import { signMessage } from '#ledger/callbacks/signature.ts'
import { freePort } from '#tests/integration/processes.ts'

const makeSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`
const secret = makeSecret()
const body = JSON.stringify({ type: 'exchange.settled', data: { exchangeId: 'e-1' } })
const nowSeconds = (): number => Math.floor(Date.now() / 1000)

let url: URL
let receiver: Receiver
beforeEach(async () => {
  url = new URL(`http://127.0.0.1:${await freePort()}/told`)
  receiver = (await listenForCallbacks(url, secret)) as Receiver
})
afterEach(() => receiver.stop())

async function post({ path = '/told', key = secret, timestampSeconds = nowSeconds(), sent = body } = {}) {
  const signature = signMessage({ id: 'msg_1', timestampSeconds, body }, key)
  const headers = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signature,
  }
  const { status } = await fetch(new URL(path, url), { method: 'POST', headers, body: sent })
  return status
}

test('takes what is signed, and gives it to whoever waits for that exchange', async () => {
  expect(await post()).toBe(204)
  expect(await receiver.received('e-1', 30_000)).toBe(body)
  expect(await receiver.received('e-2', 0)).toBeUndefined()
})

test.each([
  ['another secret’s signature', { key: makeSecret() }],
  ['another body', { sent: body.replace('e-1', 'e-9') }],
  ['an old timestamp', { timestampSeconds: nowSeconds() - 301 }],
  ['a timestamp of the future', { timestampSeconds: nowSeconds() + 400 }],
  ['no timestamp', { timestampSeconds: Number.NaN }],
  ['another address', { path: '/' }],
  ['a body that is too long', { sent: 'x'.repeat(20_000) }],
])('refuses %s', async (_, change) => {
  expect(await post(change)).toBe(401)
  expect(await receiver.received('e-1', 0)).toBeUndefined()
})

test('says why when it cannot listen', async () => {
  expect(await listenForCallbacks(url, secret)).toEqual({ why: 'EADDRINUSE' })
})
