// When a host takes questions, and when it says that it would answer one.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { stuckMs } from '#services/host.ts'
import { renderHostMetrics } from '#services/host-metrics.ts'
import { until } from '#tests/bus/until.ts'
import { HostHarness, question } from './host-harness.ts'

let harness: HostHarness

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] }))
afterEach(async () => {
  await harness.stop()
  vi.useRealTimers()
})

test('no question is taken before the bus is open and its time is known', async () => {
  let nowMs = Date.now() + 3_600_000
  const { promise: busOpen, resolve: open } = Promise.withResolvers<void>()
  harness = HostHarness.begin(() => ({ matched: true }), { now: () => nowMs, busOpen })
  await harness.ask(question())
  await harness.ask(question())
  expect([harness.replies.length, harness.host.held, harness.host.isReady]).toEqual([0, 0, false])
  nowMs = Date.now()
  open()
  await harness.host.ready
  await harness.repliesTo(2)
  expect(harness.replies.map(({ event }) => event['ndxoutcome'])).toEqual(['answered', 'answered'])
  expect(harness.host.isReady).toBe(true)
})

test('one that is stopped before takes none', async () => {
  const { promise: busOpen, resolve: open } = Promise.withResolvers<void>()
  harness = HostHarness.begin(() => ({ matched: true }), { busOpen })
  await harness.ask(question())
  await harness.host.stop()
  open()
  await harness.host.ready
  expect([harness.replies.length, harness.host.isWorking]).toEqual([0, false])
})

test('it is not ready while nothing that it has in hand moves, says so once, and is ready when it does again', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  harness = await HostHarness.start(() => released.then(() => ({ matched: true })))
  const { host, logged } = harness
  const told = () => logged.filter(line => /host-stuck|host-moves/.test(line)).map(line => JSON.parse(line).event)
  await harness.ask(question())
  await until('one in hand', () => host.held === 1)
  vi.advanceTimersByTime(stuckMs - 1_000)
  expect([host.isReady, told()]).toEqual([true, []])
  vi.advanceTimersByTime(20_000)
  expect([host.isReady, told()]).toEqual([false, ['host-stuck']])
  const { body } = renderHostMetrics([host])
  expect(body).toContain('ndx_adapter_held{provider="population"} 1\n')
  expect(body).toMatch(/ndx_adapter_still_seconds\{provider="population"\} 94\.\d{3}\n/)
  release()
  await harness.repliesTo(1)
  await until('nothing in hand', () => host.held === 0)
  vi.advanceTimersByTime(10_000)
  expect([host.isReady, told()]).toEqual([true, ['host-stuck', 'host-moves']])
})
