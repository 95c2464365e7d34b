// One record delivered twice, as after a rebalance, wanting its reply elsewhere the second time, as after a gateway's death: the
// same reply comes again, to where it is wanted, and an effect was done once.

import { headerNames } from '#bus/message.ts'
import { replyPartitions } from '#bus/topics.ts'
import { type Service } from '#contracts/contract.ts'
import { type Question } from '../questions.ts'
import { fault, ok, skipped, type Verdict } from '../report.ts'
import { describeEnding, describeReply, isReading, isSame, silence, type Trial } from '../trial.ts'

/** Not the one that an adapter would use which always uses the same. */
const firstPartition = 1

export async function checkRedelivery({ client }: Trial, service: Service): Promise<Verdict> {
  const question = await client.ask({ service, replyPartition: firstPartition })
  const before = await client.ending(question)
  if (before.reply === undefined)
    return before.isDeferred ? skipped('deferred, and not settled yet') : silence('a question')
  const again = wantedElsewhere(question)
  await client.send(again)
  const after = await client.ending(question, before.replies.length + 1)
  const [first, second] = [before.reply, after.reply]
  if (after.replies.length === before.replies.length || second === undefined)
    return silence('the same record, delivered again,')
  if (first.outcome !== second.outcome || !isSame(first.data ?? null, second.data ?? null))
    return fault(
      first.outcome === second.outcome
        ? `${isReading(service) ? 'answered' : 'done'} again, with another result`
        : `first ${describeEnding(before)}, then ${describeReply(second)}`,
      'Keep what an exchange id came to, in the register’s own store if it is an effect, and send the same again.',
    )
  const wentRight = first.record.partition === question.replyPartition
  if (wentRight && second.record.partition !== again.replyPartition)
    return fault(
      `the second reply is on partition ${second.record.partition}, wanted on ${again.replyPartition}`,
      'Send the reply to where the record that was delivered wants it, not to where the first went.',
    )
  return ok(isReading(service) ? 'the same reply came again' : 'the same reply came again; it was done once')
}

function wantedElsewhere(question: Question): Question {
  const replyPartition = (question.replyPartition + 1) % replyPartitions
  const headers = { ...question.record.headers, [headerNames.replyPartition]: String(replyPartition) }
  return { ...question, replyPartition, record: { ...question.record, headers } }
}
