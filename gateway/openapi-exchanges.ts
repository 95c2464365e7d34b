// The part of the OpenAPI document that is the same for every service: how to ask without waiting, ask again safely, and learn how
// an exchange stands.
import { errorTable } from '#contracts/errors.ts'
import { exchangeStates } from '#contracts/exchange-status.ts'
import { type JsonObject } from '#contracts/json.ts'

const text = (description: string): JsonObject => ({ type: 'string', description })

const preferHeader = (description: string): JsonObject => ({
  name: 'Prefer',
  in: 'header',
  description,
  schema: { type: 'string', maxLength: 1000 },
})

/** Header fields of a question. */
export const askParameters: JsonObject[] = [
  preferHeader(
    'RFC 7240. respond-async: 202 once the question is accepted. wait=n: 202 when there is no reply within n seconds. Both may be combined.',
  ),
  {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Makes asking again safe: the same key and body tell how the first exchange stands, or its answer. One key of 1 to 128 visible ASCII characters, bare or as a quoted string.',
    schema: { type: 'string', pattern: '^[!-~]{1,128}$' },
  },
  {
    name: 'ndx-parent',
    in: 'header',
    description:
      'Of a register that asks while it answers: the id of the exchange it answers. The ledger joins the two (`npx ndx audit story`).',
    schema: { type: 'string', format: 'uuid' },
  },
]

const locationHeader: JsonObject = {
  location: { description: 'Where to learn how it stands: /v1/exchanges/{exchangeId}', schema: { type: 'string' } },
}

export const acceptedAnswer = (service: string): JsonObject => ({
  description: 'Accepted, and not waited for any longer',
  headers: {
    ...locationHeader,
    'preference-applied': { description: 'Which preferences made it so', schema: { type: 'string' } },
  },
  content: {
    'application/json': {
      schema: {
        type: 'object',
        required: ['exchangeId', 'service', 'outcome'],
        properties: {
          exchangeId: { type: 'string', format: 'uuid' },
          service: { const: service },
          outcome: { const: 'accepted' },
        },
      },
    },
  },
})

const standingSchema: JsonObject = {
  type: 'object',
  required: ['exchangeId', 'outcome'],
  properties: {
    exchangeId: { type: 'string', format: 'uuid' },
    service: text('Absent until the ledger has read of it'),
    outcome: { enum: [...exchangeStates] },
    parent: { type: 'string', format: 'uuid', description: 'The exchange in whose course it was asked (ndx-parent)' },
    acceptedAt: { type: 'string', format: 'date-time' },
    deadline: { type: 'string', format: 'date-time' },
    settledAt: { type: 'string', format: 'date-time' },
    deferred: { const: true, description: 'The provider has taken it into its own care and answers later' },
    late: { const: true, description: 'A reply came after the outcome; it is no answer' },
    reply: { type: 'object', description: 'The granted fields, as at once' },
    replyGone: { const: true, description: 'It was answered, and the reply is no longer kept' },
    code: { enum: Object.keys(errorTable), description: 'Why it failed, expired or was refused' },
    providerCode: text('One of the contract’s errors'),
  },
}

type Operation = (operationId: string, summary: string, scope: string, answers: JsonObject) => JsonObject

export function statusPaths(operation: Operation): JsonObject {
  const exchangeId: JsonObject = {
    name: 'exchangeId',
    in: 'path',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  }
  return {
    '/v1/exchanges/{exchangeId}': {
      get: {
        ...operation('readExchange', 'How an exchange of the caller stands, with its reply', 'exchange', {
          200: { description: 'OK', content: { 'application/json': { schema: standingSchema } } },
        }),
        parameters: [exchangeId, preferHeader('wait=n: holds the connection while it is open, at most 30 seconds.')],
      },
    },
    '/v1/exchanges/{exchangeId}/events': {
      get: {
        ...operation('followExchange', 'The same as server-sent events, until it is settled', 'exchange', {
          200: {
            description:
              'Events accepted and deferred, then one of answered, failed, expired, refused, each with the body of the status as data. A stream that ends without an outcome is to be opened anew.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
        }),
        parameters: [exchangeId],
      },
    },
  }
}
