// The records that a conformance run sends: an example of a contract as a gateway would ask it, in every variation that a check
// needs, and requests that break their contract on purpose, made from its schema.
import { randomBytes } from 'node:crypto'
import { type OutgoingRecord } from '#bus/bus.ts'
import { type ExchangeId, type RequestMessage, writeRequest } from '#bus/message.ts'
import { replyTopic } from '#bus/topics.ts'
import { type ClientId, type Example, type Service, type ServiceId } from '#contracts/contract.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'

export interface Asking {
  service: Service
  /** Default: the contract's first. */
  example?: Example
  /** Instead of the example's request. */
  request?: JsonObject
  /** From now on; default: what the contract says. */
  deadlineInMs?: number
  /** How long ago a gateway accepted it; default 0. */
  acceptedAgoMs?: number
  /** Names of the fields that are granted; default: all. */
  fields?: readonly string[]
  replyPartition?: number
  /** Of the request topic; default: any. */
  partition?: number
  contractHash?: string
  type?: string
}

/**
 * An example with a deadline at least so far away, for an adapter that may have to be started first. Never nearer than the
 * contract says: a deadline also tells when a question was begun.
 */
export const askPatiently = (service: Service, leastMs: number): Asking => ({
  service,
  deadlineInMs: Math.max(leastMs, service.contract.deadlineMs),
})

export interface Question {
  exchangeId: ExchangeId
  service: ServiceId
  record: OutgoingRecord
  replyPartition: number
  /** Epoch ms on the road's clock. */
  deadlineMs: number
}

export function writeQuestion(asking: Asking, nowMs: number): Question {
  const { service, replyPartition = 0, acceptedAgoMs = 0, partition } = asking
  const { contract, providerId } = service
  const example = asking.example ?? firstExampleOf(service)
  const acceptedMs = nowMs - acceptedAgoMs
  const deadlineMs = asking.deadlineInMs === undefined ? acceptedMs + contract.deadlineMs : nowMs + asking.deadlineInMs
  const message: RequestMessage = {
    exchangeId: newExchangeId(nowMs),
    type: asking.type ?? service.requestType,
    source: '/gateway/conformance',
    acceptedMs,
    deadlineMs,
    replyTopic: replyTopic(providerId),
    replyPartition,
    traceparent: `00-${randomHex(16)}-${randomHex(8)}-01`,
    client: 'conformance' as ClientId,
    purpose: example.purpose,
    ...(example.procedure === undefined ? {} : { procedure: example.procedure }),
    subject: `conformance.${randomHex(11)}`,
    agreement: 'conformance@1',
    contractHash: asking.contractHash ?? service.hash,
    fields: asking.fields ?? contract.fields.map(field => field.name),
    data: asking.request ?? example.request,
  }
  const record = writeRequest(message, { isOrdered: contract.mode === 'effect' })
  return {
    exchangeId: message.exchangeId,
    service: contract.id,
    record: partition === undefined ? record : { ...record, partition },
    replyPartition,
    deadlineMs,
  }
}

export function firstExampleOf({ contract }: Service): Example {
  const [first] = contract.examples
  if (first === undefined) throw new Error(`the contract of ${contract.id} has no example`)
  return first
}

/** Requests that the contract does not allow, each with what is wrong with it. `mark` stands in those that take any text. */
export function breakRequest(service: Service, mark: string): { what: string; request: JsonObject }[] {
  const { contract, checkRequest } = service
  const { request } = firstExampleOf(service)
  const { [contract.subject]: subject, ...others } = request
  const broken = [
    { what: 'one without its subject', request: others },
    { what: 'one with a member that the contract does not know', request: { ...request, unknownToTheContract: mark } },
    { what: 'a subject of another type', request: { ...request, [contract.subject]: [mark] } },
    ...stringsOf(contract.request).map(({ name, lengthMax }) => ({
      what: `${name} longer than ${lengthMax} characters`,
      request: { ...request, [name]: `${subject}${mark}`.padEnd(lengthMax + 1, 'x') },
    })),
  ]
  return broken.filter(one => checkRequest(one.request) !== undefined)
}

/** A request that the contract allows, with `mark` wherever it takes any text; undefined when it takes none. */
export function markRequest(service: Service, mark: string): JsonObject | undefined {
  const { request } = firstExampleOf(service)
  const isFree = ({ name, lengthMax, isFormed }: StringMember): boolean =>
    !isFormed && lengthMax >= mark.length && name in request
  const free = stringsOf(service.contract.request).filter(isFree)
  if (free.length === 0) return undefined
  const marked = { ...request, ...Object.fromEntries(free.map(({ name }) => [name, mark])) }
  return service.checkRequest(marked) === undefined ? marked : undefined
}

interface StringMember {
  name: string
  lengthMax: number
  /** Not every text of that length will do. */
  isFormed: boolean
}

function stringsOf({ properties }: JsonObject): StringMember[] {
  if (!isJsonObject(properties)) return []
  return Object.entries(properties).flatMap(([name, schema]) =>
    isJsonObject(schema) && schema['type'] === 'string' && typeof schema['maxLength'] === 'number'
      ? [
          {
            name,
            lengthMax: schema['maxLength'],
            isFormed: ['format', 'pattern', 'enum', 'const'].some(word => word in schema),
          },
        ]
      : [],
  )
}

const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex')

/** UUIDv7 (RFC 9562). */
function newExchangeId(nowMs: number): ExchangeId {
  const time = nowMs.toString(16).padStart(12, '0')
  const [a, b] = [randomHex(2).slice(1), randomHex(8).slice(1)]
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-8${b.slice(0, 3)}-${b.slice(3)}` as ExchangeId
}
