// Records that cannot be read at all: each becomes a dead letter or a failed reply, and the next record of its partition is answered
// soon. Run last of those that ask: an adapter that chokes on one may never answer again on that partition.
import { readDeadLetter } from '#bus/dead-letter.ts'
import { headerNames, MessageError } from '#bus/message.ts'
import { replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { type Question } from '../questions.ts'
import { fault, ok, type Verdict } from '../report.ts'
import { type SeenRecord } from '../road-client.ts'
import { probeOf, type Trial } from '../trial.ts'

/** The record behind it is answered within this; a good adapter needs less than one second. */
const delayMaxMs = 5_000
/** All on one partition: the next is behind them. */
const partition = 0
const nobody = 'nobody-at-all' as ProviderId

interface Poison {
  what: string
  /** It says where a reply is wanted, so that somebody may learn that it failed. */
  isAnswerable: boolean
  spoil(question: Question): Partial<Question['record']>
}

export async function checkPoison(trial: Trial): Promise<Verdict> {
  const { client, provider, marks } = trial
  const service = probeOf(trial)
  const mark = marks.make('text of a record that cannot be read')
  let worstMs = 0
  for (const { what, isAnswerable, spoil } of poisons(mark)) {
    const question = client.write({ service, partition })
    await client.send({ ...question, record: { ...question.record, ...spoil(question) } })
    const askedMs = performance.now()
    const next = await client.ending(await client.ask({ service, partition }))
    if (next.reply === undefined && !next.isDeferred)
      return fault(
        `the question behind ${what} got no reply`,
        'Catch what reading a record throws, give the record up (dead letter, failed reply) and commit it.',
      )
    const delayMs = (next.reply?.record.seenMs ?? performance.now()) - askedMs
    worstMs = Math.max(worstMs, delayMs)
    if (delayMs > delayMaxMs)
      return fault(
        `the question behind ${what} waited ${Math.round(delayMs)} ms`,
        'Do not try again what can never be read: one look is enough.',
      )
    if (!isAnswerable) continue
    const isTold = (): boolean =>
      client.lettersOf(question.exchangeId).length > 0 || client.endingSoFar(question).reply !== undefined
    await client.until(isTold, delayMaxMs)
    const wrong = judge(client.endingSoFar(question).reply?.outcome, client.lettersOf(question.exchangeId), provider)
    if (wrong !== undefined) return fault(`${what}: ${wrong}`, advice)
  }
  return ok(`${poisons(mark).length} records given up; the next was answered within ${Math.ceil(worstMs)} ms`)
}

const advice = 'Write a dead letter (ndx.dead-letter) or reply failed with REQUEST_UNREADABLE, then commit.'

const poisons = (mark: string): Poison[] => [
  { what: 'a value that is not JSON', isAnswerable: true, spoil: () => ({ value: `{"data":{"note":"${mark}"` }) },
  {
    what: 'JSON that is no CloudEvent',
    isAnswerable: true,
    spoil: () => ({ value: JSON.stringify([{ note: mark }]) }),
  },
  { what: 'a record without headers', isAnswerable: false, spoil: () => ({ headers: {}, value: `\u0000${mark}` }) },
  {
    what: 'a reply wanted on a topic of nobody',
    isAnswerable: false,
    spoil: ({ record }) => ({ headers: { ...record.headers, [headerNames.replyTopic]: replyTopic(nobody) } }),
  },
]

function judge(outcome: string | undefined, letters: readonly SeenRecord[], provider: Trial['provider']) {
  if (outcome !== undefined && outcome !== 'failed') return `it ended ${outcome}`
  if (outcome === undefined && letters.length === 0) return 'no dead letter and no failed reply was written'
  const unreadable = letters.find(letter => !isLetter(letter, provider))
  return unreadable === undefined ? undefined : 'its dead letter is not of the form that operators’ tools read'
}

function isLetter({ text, ...record }: SeenRecord, provider: Trial['provider']): boolean {
  try {
    const letter = readDeadLetter({ ...record, offset: '0', value: Buffer.from(text) })
    return letter.topic === requestTopic(provider) && letter.provider === provider
  } catch (error) {
    if (error instanceof MessageError) return false
    throw error
  }
}
