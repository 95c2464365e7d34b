// A question that comes late is not executed, and what is said of it is true: void when it was sent too late, expired only when
// surely nobody has executed it. At each limit, and one past it.
import { expect, test } from 'vitest'
import { publishWithinMs } from '#bus/message.ts'
import { createLog } from '#runtime/log.ts'
import { type Delivery, execute } from '#services/execution.ts'
import { provider, question, service } from './host-harness.ts'

const nowMs = 1_795_000_000_000
const log = createLog({ level: 'silent', instance: 'test', stream: { write: () => {} } })

/** What is said of it, and how often it was executed. */
async function deliver(deadlineMs: number, delivery: Partial<Delivery>) {
  let calls = 0
  const handler = () => {
    calls++
    return { matched: true }
  }
  const { verdict } = await execute(
    question({ deadlineMs }),
    { writtenMs: nowMs, mayBeRepeated: false, ...delivery },
    { provider, routes: [{ service, handler }], log, now: () => nowMs, stopping: new AbortController().signal },
  )
  return { verdict, calls }
}

const { deadlineMs } = service.contract

test('one that was written within its time is executed, one a millisecond later is void', async () => {
  // Its deadline is a millisecond away, so that it is not what decides here.
  const begunMs = nowMs + 1 - deadlineMs
  expect(await deliver(begunMs + deadlineMs, { writtenMs: begunMs + publishWithinMs })).toMatchObject({ calls: 1 })
  expect(await deliver(begunMs + deadlineMs, { writtenMs: begunMs + publishWithinMs + 1 })).toEqual({
    verdict: { outcome: 'expired' },
    calls: 0,
  })
})

test.each([
  ['that this host is the first to have in hand is expired', false, { outcome: 'expired' }],
  ['that another host may have executed is unanswered', true, { outcome: 'failed', code: 'UNANSWERED' }],
])('one past its deadline %s', async (_, mayBeRepeated, verdict) => {
  expect(await deliver(nowMs, { mayBeRepeated })).toEqual({ verdict, calls: 0 })
  expect(await deliver(nowMs + 1, { mayBeRepeated })).toMatchObject({ calls: 1 })
})
