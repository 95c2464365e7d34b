// Exchanges that wait: each ends once, by its reply, its failure or its deadline; no more wait than may; the clock is ours.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { type ExchangeId } from '#bus/message.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { createPending, type Pending } from '#gateway/exchange/pending.ts'

const provider = 'p' as ProviderId
const id = (n: number): ExchangeId => `e${n}` as ExchangeId
const record = { topic: 't' } as IncomingRecord

let nowMs: number
let pending: Pending
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  nowMs = 1_000_000
  pending = createPending({ max: 3, clock: () => nowMs })
})
afterEach(() => {
  pending.stop()
  vi.useRealTimers()
})

/** The clock and the wheel go on together. */
const pass = (ms: number): void => {
  for (let gone = 0; gone < ms; gone += 50) {
    nowMs += 50
    vi.advanceTimersByTime(50)
  }
}
const codeOf = (waiting: Promise<unknown>): Promise<string> =>
  waiting.then(
    () => 'settled',
    (error: ExchangeError) => error.code,
  )

test('a reply ends the wait, once', async () => {
  const waiting = pending.open(id(1), provider, nowMs + 100)
  expect(pending.providerOf(id(1))).toBe(provider)
  pending.settle(id(1), record)
  pending.settle(id(1), { topic: 'other' } as IncomingRecord)
  pending.fail(id(1), new ExchangeError('NDX_BUS_UNAVAILABLE'))
  pass(500)
  expect(await waiting).toBe(record)
  expect([pending.size, pending.providerOf(id(1))]).toEqual([0, undefined])
})

test('a failure ends the wait', async () => {
  const waiting = codeOf(pending.open(id(1), provider, nowMs + 100))
  pending.fail(id(1), new ExchangeError('NDX_BUS_UNAVAILABLE'))
  expect(await waiting).toBe('NDX_BUS_UNAVAILABLE')
})

test.each([1, 49, 50, 51, 99, 100, 4_999, 60_000])(
  'a deadline in %i ms ends the wait, not before it and within 100 ms after',
  async ms => {
    let ended = 0
    const waiting = codeOf(pending.open(id(1), provider, nowMs + ms)).finally(() => {
      ended = nowMs
    })
    const openedMs = nowMs
    while (ended === 0 && nowMs < openedMs + ms + 1_000) {
      nowMs += 1
      if (nowMs % 50 === 0) vi.advanceTimersByTime(50)
      await Promise.resolve()
      await Promise.resolve()
      await Promise.resolve()
    }
    expect(await waiting).toBe('NDX_REPLY_TIMEOUT')
    expect(ended - openedMs).toBeGreaterThanOrEqual(ms)
    expect(ended - openedMs).toBeLessThanOrEqual(ms + 101)
  },
)

test('a deadline that has passed ends the wait at the next turn', async () => {
  const waiting = codeOf(pending.open(id(1), provider, nowMs - 10_000))
  pass(50)
  expect(await waiting).toBe('NDX_REPLY_TIMEOUT')
})

test('as many wait as may, and one more is refused', () => {
  for (const n of [1, 2, 3]) void codeOf(pending.open(id(n), provider, nowMs + 100))
  expect(() => pending.open(id(4), provider, nowMs + 100)).toThrow(
    expect.objectContaining({ code: 'NDX_GATEWAY_OVERLOADED', facts: { retryAfterSeconds: 1 } }),
  )
  pending.settle(id(2), record)
  void codeOf(pending.open(id(4), provider, nowMs + 100))
  expect(pending.size).toBe(3)
})

test('drained when nobody waits', async () => {
  await pending.drained()
  void pending.open(id(1), provider, nowMs + 100)
  let isDrained = false
  const drained = pending.drained().then(() => {
    isDrained = true
  })
  await Promise.resolve()
  expect(isDrained).toBe(false)
  pending.settle(id(1), record)
  await drained
})

test('a process that was asleep for a century ends what is due without counting every slot', async () => {
  const waiting = codeOf(pending.open(id(1), provider, nowMs + 5_000))
  nowMs += 3_155_760_000_000
  // Counted one by one, sixty thousand million slots outlast the time of any test.
  vi.advanceTimersByTime(50)
  expect(await waiting).toBe('NDX_REPLY_TIMEOUT')
})
