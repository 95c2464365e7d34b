// Nothing that was accepted is lost when the adapter dies: questions are asked, it is killed in the middle, started again, and all
// of them are answered. An effect that was done before is not done again after.
import { type Service } from '#contracts/contract.ts'
import { askPatiently, type Question } from '../questions.ts'
import { fault, ok, skipped, type Verdict } from '../report.ts'
import { type Ending, type SeenReply } from '../road-client.ts'
import { count, describeEnding, isReading, isSame, probeOf, type Trial } from '../trial.ts'

const readingsAtOnce = 24
const effectsAtOnce = 4
const leastMs = 300_000
const moments = ['when they were accepted', 'at the first reply'] as const

export async function checkCrash(trial: Trial): Promise<Verdict> {
  if (trial.candidate === undefined)
    return skipped('it was not started here', 'Give --command "<start the adapter>", so that it can be killed.')
  const done = await doEffects(trial)
  let asked = 0
  for (const moment of moments) {
    const endings = await killUnder(trial, moment)
    asked += endings.length
    const lost = endings.filter(({ reply, isDeferred }) => reply === undefined && !isDeferred)
    if (lost.length > 0)
      return fault(
        `killed ${moment}: ${lost.length} of ${count(endings.length, 'question')} never answered`,
        'Commit a record only when its reply is acknowledged (acks=all), or its work is in the register’s own store.',
      )
    const wrong = endings.find(({ reply }) => reply !== undefined && reply.outcome !== 'answered')
    if (wrong !== undefined)
      return fault(
        `killed ${moment}: a question in hand ended ${describeEnding(wrong)}`,
        'Handle again what was delivered again: only who was first may know that it failed.',
      )
  }
  const again = await findDoneAgain(trial, done)
  return again ?? ok(`killed ${count(moments.length, 'time')}, and all of ${count(asked, 'question')} answered`)
}

async function killUnder(trial: Trial, moment: (typeof moments)[number]): Promise<Ending[]> {
  const { client, candidate, takeOverMs } = trial
  const service = probeOf(trial)
  const many = isReading(service) ? readingsAtOnce : effectsAtOnce
  const questions = await Promise.all(Array.from({ length: many }, () => client.ask(askPatiently(service, leastMs))))
  if (moment === 'at the first reply')
    await client.until(() => questions.some(question => client.endingSoFar(question).reply !== undefined), takeOverMs)
  await candidate?.kill()
  await candidate?.start()
  return Promise.all(questions.map(question => client.ending(question, 1, takeOverMs)))
}

interface Done {
  service: Service
  question: Question
  reply: SeenReply
}

/** One effect of each service that does one, and does not do it twice anyway. */
async function doEffects({ client, services, isFaulty }: Trial): Promise<Done[]> {
  const done: Done[] = []
  for (const service of services) {
    if (isReading(service) || isFaulty('redelivery', service)) continue
    const question = await client.ask(askPatiently(service, leastMs))
    const { reply } = await client.ending(question)
    if (reply?.outcome === 'answered') done.push({ service, question, reply })
  }
  return done
}

async function findDoneAgain({ client, takeOverMs }: Trial, done: readonly Done[]): Promise<Verdict | undefined> {
  for (const { service, question, reply } of done) {
    const { replies } = client.endingSoFar(question)
    await client.sendAnew(question, service)
    const after = await client.ending(question, replies.length + 1, takeOverMs)
    const isSaidAgain = after.replies.length > replies.length
    if (isSaidAgain && isSame(after.reply?.data ?? null, reply.data ?? null)) continue
    return fault(
      `an effect of ${service.contract.id}, delivered again after the restart, ${isSaidAgain ? 'had another result' : 'got no reply'}`,
      'Keep what an exchange id came to in the register’s own store, in one transaction with the effect.',
    )
  }
  return undefined
}
