// A host whose road's clock is not known yet: records wait, and none is judged by a clock that may be an hour off.
import { afterEach, expect, test } from 'vitest'
import { HostHarness, question } from './host-harness.ts'

let harness: HostHarness

afterEach(() => harness.stop())

test('no record is handled before the road’s clock is known', async () => {
  let nowMs = Date.now() + 3_600_000
  let known = (): void => {}
  const clockKnown = new Promise<void>(resolve => {
    known = () => resolve()
  })
  harness = await HostHarness.start(() => ({ matched: true }), { now: () => nowMs, clockKnown })
  await harness.ask(question())
  await harness.ask(question())
  expect(harness.replies).toEqual([])
  nowMs = Date.now()
  known()
  await harness.repliesTo(2)
  expect(harness.replies.map(({ event }) => event['ndxoutcome'])).toEqual(['answered', 'answered'])
})
