// The record around a reply: where it lies, its headers, its CloudEvent, the contract it names, its size. Asked twice, for two
// partitions, so that one that is always used is found.
import { headerNames, replyOutcomes } from '#bus/message.ts'
import { type Service } from '#contracts/contract.ts'
import { type Question } from '../questions.ts'
import { fault, ok, skipped, type Verdict } from '../report.ts'
import { type SeenRecord } from '../road-client.ts'
import { silence, type Trial } from '../trial.ts'

const askedPartitions = [2, 5]
/** What a CloudEvent may add to its data. */
const envelopeBytesMax = 2048
const contentType = 'application/cloudevents+json'

export async function checkEnvelope({ client }: Trial, service: Service): Promise<Verdict> {
  for (const replyPartition of askedPartitions) {
    const question = await client.ask({ service, replyPartition })
    const { reply, isDeferred } = await client.ending(question)
    if (reply === undefined && isDeferred) return skipped('deferred, and not settled yet')
    if (reply === undefined) return silence('a question')
    const wrong = findWrong(reply.record, question, service)
    if (wrong.length > 0)
      return fault(wrong.join('; '), 'Form the record as services/README.md says under “The reply”.')
  }
  return ok('partition, headers, CloudEvent and contract hash are right')
}

function findWrong(record: SeenRecord, { exchangeId, replyPartition, record: asked }: Question, service: Service) {
  const { event, headers, partition, text } = record
  const wrong: string[] = []
  const expect = (holds: boolean, what: string): void => {
    if (!holds) wrong.push(what)
  }
  expect(partition === replyPartition, `the reply is on partition ${partition}, wanted on ${replyPartition}`)
  expect(headers[headerNames.exchangeId] === exchangeId, `header ${headerNames.exchangeId} is not the request’s`)
  expect(headers[headerNames.contentType] === contentType, `header ${headerNames.contentType} is not ${contentType}`)
  expect(
    traceOf(headers) !== undefined && traceOf(headers) === traceOf(asked.headers),
    `header ${headerNames.traceparent} is not of the request’s trace`,
  )
  expect(
    Buffer.byteLength(text) <= service.contract.limits.replyBytesMax + envelopeBytesMax,
    'the reply is larger than the contract’s replyBytesMax allows',
  )
  if (event === undefined) return [...wrong, 'the value is no JSON object']
  const members: [string, unknown][] = [
    ['specversion', '1.0'],
    ['id', exchangeId],
    ['type', service.replyType],
    ['datacontenttype', 'application/json'],
    ['ndxcontract', service.hash],
  ]
  for (const [name, value] of members) expect(event[name] === value, `${name} is not ${value}`)
  const { source, time, ndxoutcome } = event
  expect(
    typeof source === 'string' && source.startsWith(`/adapter/${service.providerId}/`),
    `source is not /adapter/${service.providerId}/<instance>`,
  )
  expect(typeof time === 'string' && !Number.isNaN(Date.parse(time)), 'time is not a time')
  expect(
    replyOutcomes.some(outcome => outcome === ndxoutcome),
    `ndxoutcome is none of ${replyOutcomes.join(', ')}`,
  )
  return wrong
}

/** `00-<trace id>-<span id>-<flags>`: an adapter may have a span of its own. */
const traceOf = (headers: Readonly<Record<string, string>>): string | undefined =>
  /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(headers[headerNames.traceparent] ?? '')?.[1]
