// Every example of the contract is asked, and answered as it says. Of an effect, which may give another number each time it is
// done for another, and of what is issued later, on its day, only that the reply has the example's members and meets the contract.
import { type Example, type Service } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { fault, ok, skipped, type Verdict } from '../report.ts'
import { count, describeEnding, isReading, isSame, silence, type Trial } from '../trial.ts'

export async function checkExamples({ client }: Trial, service: Service): Promise<Verdict> {
  const { examples } = service.contract
  let deferred = 0
  for (const example of examples) {
    const name = `the example “${example.title}”`
    const ending = await client.ending(await client.ask({ service, example }))
    const { reply, isDeferred } = ending
    if (reply === undefined && isDeferred) {
      deferred++
      continue
    }
    if (reply === undefined) return silence(name)
    if (reply.record.event === undefined) return skipped('the reply is no JSON object: see envelope')
    if (reply.outcome !== 'answered' || reply.data === undefined)
      return fault(`${name} ended ${describeEnding(ending)}`, 'Answer the contract’s examples from the same register.')
    const wrong = findWrong(reply.data, example, service)
    if (wrong !== undefined) return fault(`${name}: ${wrong}`, 'Reply with what the contract and its example say.')
  }
  if (deferred > 0) return skipped(`${deferred} of ${count(examples.length, 'example')} deferred, and not settled yet`)
  return ok(`${count(examples.length, 'example')} answered as the contract says`)
}

/** A register that answers with a deadline beyond this issues something on the day. */
const atOnceMs = 60_000

function findWrong(data: JsonObject, { reply }: Example, service: Service): string | undefined {
  const faults = service.checkReply(data)
  if (faults !== undefined)
    return `the reply breaks the contract: ${faults.map(one => `${one.pointer || '/'} ${one.detail}`).join('; ')}`
  const names = [...new Set([...Object.keys(reply), ...Object.keys(data)])]
  const isExact = isReading(service) && service.contract.deadlineMs <= atOnceMs
  const differs = isExact
    ? (name: string) => !isSame(data[name] ?? null, reply[name] ?? null)
    : (name: string) => name in data !== name in reply
  const different = names.filter(differs)
  return different.length === 0 ? undefined : `the reply differs in ${different.join(', ')}`
}
