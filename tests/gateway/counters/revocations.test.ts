// The revoked tokens a gateway knows: from the counters, from itself, and when the counters are away.
import { afterEach, expect, test } from 'vitest'
import { CountersUnavailable } from '#gateway/counters/counters.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { Revocations, type RevocationsOptions } from '#gateway/counters/revocations.ts'
import { until } from '#tests/bus/until.ts'

class FlakyCounters extends MemoryCounters {
  away = false

  override async revoke(tokenId: string, untilMs: number) {
    if (this.away) throw new CountersUnavailable('gone')
    return super.revoke(tokenId, untilMs)
  }
  override async revoked() {
    if (this.away) throw new CountersUnavailable('gone')
    return super.revoked()
  }
}

let opened: Revocations[] = []
afterEach(() => {
  for (const one of opened) one.stop()
  opened = []
})

function open(options: RevocationsOptions): Revocations {
  const revocations = new Revocations({ refreshEveryMs: 5, ...options })
  opened.push(revocations)
  return revocations
}

test('knows at the start what was revoked, and soon what another gateway revokes', async () => {
  const counters = new MemoryCounters()
  await counters.revoke('early', Date.now() + 60_000)
  const known = open({ counters })
  await known.start()
  expect([known.has('early'), known.has('late')]).toEqual([true, false])
  await counters.revoke('late', Date.now() + 60_000)
  await until('the other revocation arrives', () => known.has('late'))
})

test('forgets a token that would have expired', async () => {
  let nowMs = Date.now()
  const counters = new MemoryCounters({ now: () => nowMs })
  const known = open({ counters, now: () => nowMs })
  await known.start()
  await known.revoke('own', nowMs + 50)
  expect(known.has('own')).toBe(true)
  nowMs += 50
  await until('it expired', () => !known.has('own'))
})

test('keeps what it knows while the counters are away, and says how old it is', async () => {
  const counters = new FlakyCounters()
  let nowMs = 1_000_000
  const known = open({ counters, now: () => nowMs })
  expect(known.ageMs).toBe(Number.POSITIVE_INFINITY)
  await counters.revoke('known', Date.now() + 60_000)
  await known.start()
  expect(known.ageMs).toBe(0)
  counters.away = true
  nowMs += 5000
  expect([known.has('known'), known.ageMs]).toEqual([true, 5000])
  counters.away = false
  await until('it was read anew', () => known.ageMs === 0)
})

test('refuses its own revocation at once, even if nobody else could be told', async () => {
  const counters = new FlakyCounters()
  const known = open({ counters })
  counters.away = true
  await known.start()
  await expect(known.revoke('own', Date.now() + 60_000)).rejects.toThrow(CountersUnavailable)
  expect(known.has('own')).toBe(true)
})
