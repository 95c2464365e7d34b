// Nobody waits past a deadline. What is read after it is answered `expired` and never executed; so is what came onto the topic
// too long after it was begun; and work that outlasts its deadline ends as a failure, not as an answer.
import { publishWithinMs } from '#bus/message.ts'
import { type Service } from '#contracts/contract.ts'
import { type Asking } from '../questions.ts'
import { fault, ok, type Verdict } from '../report.ts'
import { describeEnding, silence, type Trial } from '../trial.ts'

const agoMs = 1_000
const tightMs = 100
/** An answer may be that late on its way to the topic. */
const graceMs = 250
const triesMax = 3

export async function checkDeadline(trial: Trial, service: Service): Promise<Verdict> {
  const { deadlineMs } = service.contract
  const past: Asking = { service, deadlineInMs: -agoMs, acceptedAgoMs: deadlineMs + agoMs }
  const wrong = await findExecuted(trial, past, 'a question past its deadline')
  if (wrong !== undefined) return wrong
  if (deadlineMs > publishWithinMs * 2) {
    const late: Asking = { service, acceptedAgoMs: publishWithinMs + agoMs }
    const executed = await findExecuted(
      trial,
      late,
      `a question written ${publishWithinMs / 1000} s after it was begun`,
    )
    if (executed !== undefined) return executed
  }
  // A nearer deadline than the contract's also says that the question was begun long ago.
  const overtime = deadlineMs > publishWithinMs ? undefined : await findOvertime(trial, service)
  return overtime ?? ok('expired work was not executed; no answer came after its deadline')
}

async function findExecuted({ client }: Trial, asking: Asking, what: string): Promise<Verdict | undefined> {
  const question = await client.ask(asking)
  const first = await client.ending(question)
  if (first.reply === undefined && !first.isDeferred) return silence(what)
  // Whatever is done in spite of it would be told before the answer to one that is asked after it.
  await client.ending(await client.ask({ service: asking.service }))
  const ending = client.endingSoFar(question)
  const isExpired = ending.replies.every(({ outcome, data }) => outcome === 'expired' && data === undefined)
  if (isExpired && !ending.isDeferred) return undefined
  return fault(
    `${what} ended ${describeEnding(ending)}`,
    'Look at the deadline before anything else, and reply expired, without data, without executing it.',
  )
}

/** A machine may be slow for a moment: late every time is a fault. */
async function findOvertime({ client }: Trial, service: Service): Promise<Verdict | undefined> {
  let lateMs = 0
  for (let tries = 0; tries < triesMax; tries++) {
    const question = await client.ask({ service, deadlineInMs: tightMs })
    const { reply, isDeferred } = await client.ending(question)
    if (reply === undefined && isDeferred) return undefined
    if (reply === undefined) return silence(`a question with a deadline in ${tightMs} ms`)
    lateMs = reply.record.timestampMs - question.deadlineMs
    if (reply.outcome !== 'answered' || isDeferred || lateMs <= graceMs) return undefined
  }
  return fault(
    `answered ${Math.round(lateMs)} ms after the deadline`,
    'When the deadline passes while you work, reply failed with HANDLER_TIMEOUT at once.',
  )
}
