// Calling clients back: signed as Standard Webhooks has it, at least once, with pauses, never where it must not go.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import { AddressRefused, createCallbackAddresses } from '#ledger/callbacks/address.ts'
import { createReceivers, failingCallsMax, failuresMax } from '#ledger/callbacks/receivers.ts'
import { type CallbackParts, createCallbackSender } from '#ledger/callbacks/sender.ts'
import { isSignedBy, signMessage } from '#ledger/callbacks/signature.ts'
import { openSqliteStore } from '#ledger/sqlite-store.ts'
import { type LedgerStore } from '#ledger/store.ts'
import { until } from '#tests/bus/until.ts'
import { ingestInto } from './ingesting.ts'
import { exchangeIdOf, Records, someMs } from './records.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const loopback = ['127.0.0.1/32']

let store: LedgerStore
let server: Server
let url: string
let nowMs: number
let answers: number[]
let received: { headers: IncomingMessage['headers']; body: string }[]
let noted: { kind: string; exchange: string; facts: object }[]

beforeEach(async () => {
  store = openSqliteStore(':memory:')
  nowMs = someMs
  answers = []
  received = []
  noted = []
  server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      const status = answers.shift() ?? 204
      response.writeHead(status, status === 302 ? { location: `${url}elsewhere` } : {}).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
  store.close()
})

/** `send` waits for what it began. */
const sender = (changes: Partial<CallbackParts> = {}) => {
  const callbacks = createCallbackSender({
    store,
    addresses: createCallbackAddresses(loopback),
    targetOf: () => ({ url, secret }),
    note: (kind, exchange, facts) => void noted.push({ kind, exchange, facts }),
    onReceiver: () => {},
    onFailed: error => {
      throw error
    },
    now: () => nowMs,
    random: () => 0.5,
    pausesMs: [1000, 2000],
    ...changes,
  })
  return {
    ...callbacks,
    send: () => {
      callbacks.send()
      return callbacks.idle()
    },
  }
}

/** An exchange that asked to be called back and is answered. */
function settleOne(): void {
  const records = new Records()
  ingestInto(store, { now: () => someMs - 1 }).ingest([records.request(1, { callback: true }), records.reply(1)])
}

test('a callback says where to look, and is signed so that the receiver can tell', async () => {
  settleOne()
  await sender().send()
  expect(received).toHaveLength(1)
  const { headers, body } = received[0] as (typeof received)[number]
  expect(JSON.parse(body)).toEqual({
    type: 'exchange.settled',
    timestamp: new Date(someMs).toISOString(),
    data: {
      exchangeId: exchangeIdOf(1),
      service: 'population/identity-verification',
      outcome: 'answered',
      location: `/v1/exchanges/${exchangeIdOf(1)}`,
    },
  })
  const mac = createHmac('sha256', Buffer.alloc(32, 7))
    .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
    .digest('base64')
  expect(headers['webhook-signature']).toBe(`v1,${mac}`)
  expect(headers['webhook-timestamp']).toBe(String(Math.floor(someMs / 1000)))
  expect(noted).toEqual([
    { kind: 'called-back', exchange: exchangeIdOf(1), facts: { client: 'social-insurance', tries: 1 } },
  ])
  await sender().send()
  expect(received).toHaveLength(1)
})

test('a receiver that fails is tried again after growing pauses, with one id, and then given up until it is replayed', async () => {
  settleOne()
  answers = [500, 302, 404, 200]
  const callbacks = sender()
  await callbacks.send()
  await callbacks.send()
  expect(received).toHaveLength(1)
  nowMs += 1001
  await callbacks.send()
  expect(received).toHaveLength(2)
  nowMs += 1999
  await callbacks.send()
  expect(received).toHaveLength(2)
  nowMs += 2
  await callbacks.send()
  expect(received).toHaveLength(3)
  expect(noted).toEqual([
    {
      kind: 'uncalled',
      exchange: exchangeIdOf(1),
      facts: { client: 'social-insurance', tries: 3, reason: 'status 404' },
    },
  ])
  nowMs += 1e9
  await callbacks.send()
  expect(received).toHaveLength(3)
  expect(callbacks.givenUp(10)).toMatchObject([{ exchange: exchangeIdOf(1), client: 'social-insurance' }])
  expect(callbacks.replay(exchangeIdOf(2))).toBe(false)
  expect(callbacks.replay(exchangeIdOf(1))).toBe(true)
  expect(callbacks.replay(exchangeIdOf(1))).toBe(false)
  nowMs += 1
  await callbacks.send()
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect([received.length, noted.at(-1)?.kind]).toEqual([4, 'called-back'])
})

test('a receiver that is gone for good is not asked again', async () => {
  settleOne()
  answers = [410]
  await sender().send()
  expect(noted).toMatchObject([{ kind: 'uncalled', facts: { reason: 'status 410' } }])
})

test.each([
  ['nobody listens', 'http://127.0.0.1:1/', loopback, 'ECONNREFUSED'],
  ['the address is closed', undefined, [], 'the callback address is in a closed network'],
  [
    'the name resolves to a closed address',
    'https://localhost/',
    [],
    'the callback name resolves into a closed network',
  ],
])('it is a failure when %s', async (_, to, allowed, reason) => {
  settleOne()
  await sender({
    addresses: createCallbackAddresses(allowed),
    targetOf: () => ({ url: to ?? url, secret }),
    pausesMs: [],
  }).send()
  expect(noted).toMatchObject([{ kind: 'uncalled', facts: { reason } }])
})

test('a client without an address or a secret is given up', async () => {
  settleOne()
  await sender({ targetOf: () => undefined }).send()
  expect(noted).toMatchObject([{ kind: 'uncalled', facts: { reason: 'no address' } }])
})

test('one that has no secret yet is tried again, and told when it has one', async () => {
  settleOne()
  let made: string | undefined
  const callbacks = sender({ targetOf: () => ({ url, secret: made }) })
  await callbacks.send()
  expect([received.length, noted]).toEqual([0, []])
  made = secret
  nowMs += 1001
  await callbacks.send()
  expect(noted).toMatchObject([{ kind: 'called-back', facts: { tries: 2 } }])
})

test('300 that a dead receiver does not take hold one call, and another client is told in the first round', async () => {
  const records = new Records()
  const requests = Array.from({ length: 301 }, (_, i) =>
    records.request(i, { callback: true, ...(i === 300 ? { client: 'bank' as ClientId } : {}) }),
  )
  const replies = requests.map((_, i) => records.reply(i))
  ingestInto(store, { now: () => someMs - 1 }).ingest([...requests, ...replies])
  let asked = 0
  const dead = createServer(() => void asked++)
  await new Promise<void>(resolve => dead.listen(0, '127.0.0.1', resolve))
  const deadUrl = `http://127.0.0.1:${(dead.address() as AddressInfo).port}/`
  const callbacks = createCallbackSender({
    store,
    addresses: createCallbackAddresses(loopback),
    targetOf: client => ({ url: client === 'bank' ? url : deadUrl, secret }),
    note: (kind, exchange, facts) => void noted.push({ kind, exchange, facts }),
    onReceiver: () => {},
    onFailed: () => {},
    now: () => nowMs,
  })
  callbacks.send()
  await until('the other client is told', () => noted.length > 0)
  await until('the dead one is called', () => asked > 0)
  for (let round = 0; round < 20; round++) callbacks.send()
  expect([asked, noted]).toMatchObject([1, [{ kind: 'called-back', facts: { client: 'bank' } }]])
  dead.closeAllConnections()
  await callbacks.stop()
  dead.close()
  expect(store.dueCallbacks('social-insurance', 8e15, 500)).toHaveLength(300)
})

test('a receiver that fails is called one at a time, that answers with a growing share, and those that fail have a share together', () => {
  const states: string[] = []
  const receivers = createReceivers((client, state) => states.push(`${client} ${state}`))
  const end = (client: string, how: 'answered' | 'failed' | 'fault') => {
    receivers.begin(client)
    receivers.end(client, how, 0)
  }
  for (let i = 0; i <= failingCallsMax; i++) for (let n = 0; n < failuresMax; n++) end(`dead-${i}`, 'failed')
  expect(receivers.failing).toBe(failingCallsMax + 1)
  for (let i = 0; i < failingCallsMax; i++) receivers.begin(`dead-${i}`)
  expect([receivers.roomFor('dead-0', 0), receivers.roomFor(`dead-${failingCallsMax}`, 0)]).toEqual(['full', 'wait'])
  expect(receivers.roomFor('new', 0)).toBe('free')
  receivers.end('dead-0', 'answered', 0)
  expect(states.at(-1)).toBe('dead-0 answers')
  end('broken', 'fault')
  expect([receivers.roomFor('broken', 0), receivers.roomFor('broken', 5_000)]).toEqual(['full', 'free'])
})

describe('addresses', () => {
  const { check } = createCallbackAddresses(['10.20.0.0/16', 'fd00:1::/32'])

  test.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0.0.0.0/',
    'https://10.1.2.3/',
    'https://100.64.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
    'https://192.168.1.1/',
    'https://198.18.0.1/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[fe80::1]/',
    'https://[fc00::1]/',
    'https://[fd00:2::1]/',
    'https://[ff02::1]/',
    'http://8.8.8.8/',
    'http://example.org/',
    'ftp://8.8.8.8/',
    'file:///etc/passwd',
    'https://user:word@8.8.8.8/',
  ])('%s is closed', address => {
    expect(() => check(new URL(address))).toThrow(AddressRefused)
  })

  test.each([
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
    'https://10.20.255.1/',
    'http://10.20.0.1/',
    'https://[fd00:1::1]/',
  ])('%s is open', address => {
    expect(() => check(new URL(address))).not.toThrow()
  })

  test.each(['10.0.0.0', '10.0.0.0/33', 'example.org/8', '10.0.0.0/a', '::/129'])('%s is no network', network => {
    expect(() => createCallbackAddresses([network])).toThrow('not a network')
  })
})

describe('the signature', () => {
  test('is that of the specification’s example', () => {
    // Standard Webhooks 1.0, "Signature scheme", example values.
    const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampSeconds: 1614265330, body: '{"test": 2432232314}' }
    const example = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    expect(signMessage(message, example)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
    expect(isSignedBy(message, 'v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=', example)).toBe(true)
    expect(isSignedBy({ ...message, body: '{}' }, signMessage(message, example), example)).toBe(false)
  })

  test.each(['abc', 'whsec_AAAA', `whsec_${Buffer.alloc(65).toString('base64')}`])(
    'needs a proper secret, not %s',
    bad => {
      expect(() => signMessage({ id: 'a', timestampSeconds: 1, body: '' }, bad)).toThrow('whsec_')
    },
  )
})
