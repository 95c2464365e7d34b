// What is remembered of an exchange before the ledger has read of it: an acknowledged one is accepted, any other only perhaps.
import { describe, expect, test } from 'vitest'
import { type ExchangeId } from '#bus/message.ts'
import { type ClientId } from '#contracts/contract.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { recallExchange, rememberExchange } from '#gateway/exchange/remembered.ts'
import { type Trail } from '#gateway/exchange/trail.ts'

const exchangeId = '0198c7a0-0000-7000-8000-000000000001' as ExchangeId
const client = 'bank' as ClientId
const nowMs = 1_000_000

async function remember(trail: Partial<Trail>): Promise<MemoryCounters> {
  const counters = new MemoryCounters()
  await rememberExchange({ exchangeId, ...trail } as Trail, client, { counters, roadNow: () => nowMs })
  return counters
}

describe('an exchange', () => {
  test('that was acknowledged is accepted, and nobody else’s', async () => {
    const counters = await remember({ publishedAfterMs: 3 })
    expect(await recallExchange(exchangeId, client, counters)).toEqual({ is: 'accepted' })
    expect(await recallExchange(exchangeId, 'ban' as ClientId, counters)).toBeUndefined()
    expect(await recallExchange(exchangeId.replace('1', '2'), client, counters)).toBeUndefined()
  })

  test('that was not acknowledged is perhaps on its topic, until its publish must be over', async () => {
    const counters = await remember({})
    expect(await recallExchange(exchangeId, client, counters)).toEqual({ is: 'perhaps', untilMs: nowMs + 15_000 })
    expect(await recallExchange(exchangeId, 'ban' as ClientId, counters)).toBeUndefined()
  })
})
