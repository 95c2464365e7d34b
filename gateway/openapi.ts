// The OpenAPI 3.1 document, generated from the contracts: one path a service, with its schemas and examples as they are. The
// golden copy in tests/golden/ makes every change of a contract a visible diff.
import { type Contract, type Service } from '#contracts/contract.ts'
import { errorTable } from '#contracts/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '#contracts/json.ts'
import { type Registry } from '#contracts/registry.ts'
import { acceptedAnswer, askParameters, statusPaths } from './openapi-exchanges.ts'
import { envelopeSchema } from './routes/exchanges.ts'
import { scopes } from './tokens/scopes.ts'

export function buildOpenApi(registry: Registry, { issuer, version }: { issuer: string; version: string }): JsonObject {
  const newest = registry.services.filter(service => registry.find(service.contract.id) === service)
  return {
    openapi: '3.1.0',
    info: {
      title: 'NDX: the data-exchange gateway',
      version,
      description:
        'Ask another agency’s register. One POST per question; the answer holds the granted fields and nothing else. Errors are RFC 9457 problems with a stable code.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ clientCredentials: [...scopes] }],
    paths: {
      '/v1/services': {
        get: operation('listServices', 'The services granted to the caller', 'catalogue', {
          200: jsonAnswer({ type: 'object' }),
        }),
      },
      ...Object.fromEntries(newest.map(service => [`/v1/services/${service.contract.id}`, pathOf(service)])),
      ...statusPaths(operation),
    },
    components: {
      schemas: { Problem: problemSchema },
      responses: {
        Problem: {
          description: 'What went wrong, and what to do',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      securitySchemes: {
        clientCredentials: {
          type: 'oauth2',
          description:
            'client_credentials with private_key_jwt (RFC 7523). `npx ndx token <client>` gets one for a simulated client.',
          flows: {
            clientCredentials: {
              tokenUrl: `${issuer}/oauth/token`,
              scopes: { exchange: 'ask providers', catalogue: 'read what may be asked' },
            },
          },
        },
      },
    },
  }
}

function pathOf({ contract, name, providerId }: Service): JsonObject {
  return {
    get: operation(`read-${providerId}-${name}`, `The contract of ${contract.title.en}`, 'catalogue', {
      200: jsonAnswer({ type: 'object' }),
    }),
    post: {
      ...operation(`ask-${providerId}-${name}`, `${contract.title.en} · ${contract.title.vi}`, 'exchange', {
        200: answerOf(contract),
        202: acceptedAnswer(contract.id),
      }),
      parameters: askParameters,
      description: `${contract.description.en}\n\n${contract.description.vi}\n\nMode: ${contract.mode}. Legal basis: ${contract.legalBasis}.`,
      requestBody: {
        required: true,
        content: { 'application/json': { schema: envelopeOf(contract), examples: examplesOf(contract, 'request') } },
      },
    },
  }
}

const operation = (operationId: string, summary: string, scope: string, answers: JsonObject): JsonObject => ({
  operationId,
  summary,
  security: [{ clientCredentials: [scope] }],
  responses: { ...answers, default: { $ref: '#/components/responses/Problem' } },
})

const jsonAnswer = (schema: JsonObject): JsonObject => ({
  description: 'OK',
  content: { 'application/json': { schema } },
})

function envelopeOf(contract: Contract): JsonObject {
  const { properties } = envelopeSchema as unknown as { properties: JsonObject }
  return {
    ...(envelopeSchema as unknown as JsonObject),
    properties: {
      ...properties,
      purpose: { enum: contract.purposes.map(purpose => purpose.code) },
      fields: { type: 'array', minItems: 1, items: { enum: contract.fields.map(field => field.name) } },
      request: withoutOwnKeywords(contract.request),
    },
  }
}

function answerOf(contract: Contract): JsonObject {
  const schema: JsonObject = {
    type: 'object',
    required: ['exchangeId', 'service', 'outcome'],
    properties: {
      exchangeId: { type: 'string', format: 'uuid' },
      service: { const: contract.id },
      outcome: { const: 'answered' },
      reply: withoutOwnKeywords(contract.reply),
      replyGone: { const: true, description: 'An earlier answer whose reply is no longer kept' },
    },
  }
  const headers = {
    'exchange-id': { description: 'Names this exchange for ever', schema: { type: 'string' } },
    'preference-applied': { description: 'Which preferences made it so', schema: { type: 'string' } },
    'idempotency-replayed': {
      description: 'true: the answer of the exchange that was first asked with this Idempotency-Key',
      schema: { const: 'true' },
    },
    ratelimit: { description: 'What is left (draft-ietf-httpapi-ratelimit-headers)', schema: { type: 'string' } },
  }
  return {
    description: 'The granted fields of the reply',
    headers,
    content: { 'application/json': { schema, examples: examplesOf(contract, 'reply') } },
  }
}

function examplesOf(contract: Contract, side: 'request' | 'reply'): JsonObject {
  const value = (i: number): Json => {
    const { purpose, procedure, request, reply } = contract.examples[i] as Contract['examples'][number]
    if (side === 'request') return { purpose, ...(procedure === undefined ? {} : { procedure }), request } as JsonObject
    return {
      exchangeId: '0198c7a0-0000-7000-8000-000000000000',
      service: contract.id,
      outcome: 'answered',
      reply,
    } as JsonObject
  }
  return Object.fromEntries(
    contract.examples.map(({ title }, i) => [`example-${i + 1}`, { summary: title, value: value(i) }]),
  )
}

/** Keywords of our own mean nothing to other tools. */
function withoutOwnKeywords(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(withoutOwnKeywords)
  if (!isJsonObject(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name]) => name !== 'personalIdAgrees')
      .map(([name, part]) => [name, withoutOwnKeywords(part)]),
  )
}

const problemSchema: JsonObject = {
  type: 'object',
  required: ['type', 'title', 'titles', 'status', 'code', 'exchangeId', 'fault', 'retryable'],
  properties: {
    type: { type: 'string', description: 'Where the code is explained' },
    title: { type: 'string' },
    titles: { type: 'object', properties: { vi: { type: 'string' }, en: { type: 'string' } } },
    status: { type: 'integer' },
    code: { enum: Object.keys(errorTable) },
    exchangeId: { type: 'string' },
    fault: { enum: ['client', 'gateway', 'provider'] },
    retryable: { type: 'boolean' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { pointer: { type: 'string' }, detail: { type: 'string' } } },
    },
    agreement: { type: 'string' },
    legalBasis: { type: 'string' },
    remedy: { type: 'object', properties: { vi: { type: 'string' }, en: { type: 'string' } } },
    outcome: { enum: ['unknown', 'expired', 'failed'] },
    providerCode: { type: 'string' },
  },
}
