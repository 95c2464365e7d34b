// Personal data is in `data` and nowhere else. Marked requests are asked; at the end of the run everything that was seen of the
// adapter is searched for the marks, and for the values of the examples: keys, headers, attributes, notes, dead letters, its output.
import { replyTopic } from '#bus/topics.ts'
import { markRequest } from '../questions.ts'
import { fault, ok, type Verdict } from '../report.ts'
import { type SeenRecord } from '../road-client.ts'
import { count, isReading, type Trial } from '../trial.ts'

/** Asks what can be marked without breaking a contract; what breaks one, or cannot be read, the other checks have marked. */
export async function askMarked({ client, services, marks }: Trial): Promise<void> {
  for (const service of services.filter(isReading)) {
    const request = markRequest(service, marks.make(`text of a request (${service.contract.id})`))
    if (request !== undefined) await client.ending(await client.ask({ service, request }))
  }
}

/** When all was asked, and the adapter was stopped if it is ours. */
export function judgePersonalData({ client, candidate, provider, marks }: Trial): Verdict {
  const found = client.seen.flatMap(record =>
    placesOf(record, provider).flatMap(([place, text]) => marks.findIn(text).map(what => `${what} is in ${place}`)),
  )
  const printed = candidate?.output() ?? ''
  found.push(...marks.findIn(printed).map(what => `${what} is in what it printed`))
  if (found.length > 0)
    return fault(
      [...new Set(found)].slice(0, 3).join('; '),
      'Keep values of requests and replies in data alone: log codes, names of fields and exchange ids.',
    )
  const searched = `${count(client.seen.length, 'record')} searched`
  return ok(candidate === undefined ? `${searched}; not what it prints` : `${searched}, and what it printed`)
}

function placesOf({ topic, key, headers, text, event }: SeenRecord, provider: Trial['provider']): [string, string][] {
  const isReply = topic === replyTopic(provider)
  const kind = isReply ? 'a reply' : `a record on ${topic}`
  const { data: _, ...attributes } = event ?? {}
  return [
    [`the key of ${kind}`, key ?? ''],
    ...Object.entries(headers).flatMap(([name, value]): [string, string][] => [
      [`header ${name} of ${kind}`.slice(0, 100), value],
      [`a header’s name of ${kind}`, name],
    ]),
    isReply && event !== undefined
      ? [`the attributes of ${kind}`, JSON.stringify(attributes)]
      : [`the value of ${kind}`, text],
  ]
}
