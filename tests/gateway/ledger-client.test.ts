// The ledger as a gateway asks it: waits while an exchange is open, gives up in time, and takes nothing for the ledger's answer
// that is not.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { createLedgerClient, type LedgerClient } from '#gateway/ledger-client.ts'
import { until } from '#tests/bus/until.ts'
import { type ScriptedLedger, startScriptedLedger } from './scripted-ledger.ts'

const exchangeId = '0198c7a0-0000-7000-8000-000000000001'
const open: ExchangeStatus = {
  exchangeId,
  state: 'accepted',
  client: 'bank' as ClientId,
  isDeferred: false,
  isLate: false,
}
const key = { client: 'bank' as ClientId, service: 'population/identity-verification' as ServiceId, key: 'k' }
const clock = (): number => performance.now()

let ledger: ScriptedLedger
let client: LedgerClient
beforeEach(async () => {
  ledger = await startScriptedLedger()
  client = createLedgerClient({ url: ledger.url, clock })
})
afterEach(() => ledger.stop())

const unavailable = expect.objectContaining({ code: 'NDX_LEDGER_UNAVAILABLE', facts: { retryAfterSeconds: 2 } })

test('tells what is known, and how far the ledger has read where nothing is', async () => {
  ledger.caughtUpMs = 7
  expect(await client.status(exchangeId, { waitMs: 0 })).toEqual({ caughtUpMs: 7 })
  ledger.know(open)
  expect(await client.status(exchangeId, { waitMs: 0 })).toEqual(open)
})

test('waits until the exchange is settled, or the time is over', async () => {
  ledger.know(open)
  expect(await client.status(exchangeId, { waitMs: 100 })).toEqual(open)
  const waiting = client.status(exchangeId, { waitMs: 10_000 })
  await until('it is asked', () => ledger.asked.length >= 2)
  ledger.know({ ...open, state: 'failed' })
  expect(await waiting).toEqual({ ...open, state: 'failed' })
})

test('waits for what is not known yet only where it is expected', async () => {
  expect(await client.status(exchangeId, { waitMs: 10_000 })).toEqual({ caughtUpMs: 0 })
  const waiting = client.status(exchangeId, { waitMs: 10_000, isExpected: true })
  await until('it is asked', () => ledger.asked.length >= 3)
  ledger.know({ ...open, state: 'expired' })
  expect(await waiting).toEqual({ ...open, state: 'expired' })
})

test('a wait ends when its client leaves, and all do when the gateway stops', async () => {
  ledger.know(open)
  const leaving = new AbortController()
  const left = client.status(exchangeId, { waitMs: 30_000, signal: leaving.signal })
  const stayed = client.status(exchangeId, { waitMs: 30_000 })
  await until('both are asked', () => ledger.asked.length >= 2)
  leaving.abort()
  expect(await left).toEqual(open)
  client.stopWaiting()
  expect(await stayed).toEqual(open)
  expect(await client.status(exchangeId, { waitMs: 30_000 })).toEqual(open)
})

test('a key is looked up; one that is not known, once the ledger has read far enough', async () => {
  ledger.caughtUpMs = 100
  expect(await client.byKey(key, 100)).toBeUndefined()
  const waiting = client.byKey(key, 200)
  await until('it is asked', () => ledger.asked.length >= 2)
  ledger.caughtUpMs = 200
  expect(await waiting).toBeUndefined()
  ledger.knowKey('bank/population/identity-verification/k', open)
  expect(await client.byKey(key, 9e15)).toEqual(open)
})

test('a ledger that does not read on is no answer to a key', async () => {
  await expect(client.byKey(key, 9e15)).rejects.toEqual(unavailable)
})

test('a ledger that is broken, hung, elsewhere or not there is unavailable', async () => {
  ledger.isBroken = true
  await expect(client.status(exchangeId, { waitMs: 0 })).rejects.toEqual(unavailable)
  ledger.isBroken = false
  ledger.isHung = true
  await expect(client.status(exchangeId, { waitMs: 0 })).rejects.toEqual(unavailable)
  await expect(
    createLedgerClient({ url: 'http://127.0.0.1:1', clock }).status(exchangeId, { waitMs: 1_000 }),
  ).rejects.toEqual(unavailable)
  await expect(createLedgerClient({ url: undefined, clock }).byKey(key, 0)).rejects.toEqual(unavailable)
})

test('what is no status is not taken for one', async () => {
  ledger.know({ exchangeId, state: 'unheard-of', client: 'bank' } as unknown as ExchangeStatus)
  await expect(client.status(exchangeId, { waitMs: 0 })).rejects.toEqual(unavailable)
})
