// The OpenAPI document against its golden copy (UPDATE_GOLDEN=1 writes it anew), and its schemas against ajv: they compile, and
// they accept the contracts' own examples. That the document is valid OpenAPI 3.1 beyond that is not checked here.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { errorTable } from '#contracts/errors.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { buildOpenApi } from '#gateway/openapi.ts'
import { startWorld } from '#tests/world.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const document = buildOpenApi(registry, { issuer: 'http://localhost:8080', version: '0.0.0' })
const golden = join(import.meta.dirname, '../golden/openapi.json')

const ajv = new Ajv2020.default({ strict: true, strictRequired: false, validateFormats: false, addUsedSchema: false })
ajv.addKeyword('components')
ajv.addSchema({ $id: '/document', components: document['components'] } as never)

test('is its golden copy', () => {
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${JSON.stringify(document, null, 2)}\n`)
  expect(document).toEqual(JSON.parse(readFileSync(golden, 'utf8')))
})

test('is what the gateway serves, beside a page to read it', async () => {
  const world = await startWorld({ silent: ['population', 'business-registration'] })
  const served = await world.send('/openapi.json')
  expect({ ...served.body, info: { ...served.body.info, version: '0.0.0' } }).toEqual(document)
  expect(served.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect((await world.send('/docs/json')).body.openapi).toBe('3.1.0')
  await world.stop()
})

test('has a path for every service and lists every code', () => {
  expect(Object.keys(document['paths'] as object).sort()).toEqual(
    [
      '/v1/exchanges/{exchangeId}',
      '/v1/exchanges/{exchangeId}/events',
      '/v1/services',
      ...registry.services.map(({ contract }) => `/v1/services/${contract.id}`),
    ].sort(),
  )
  const { Problem } = (document['components'] as { schemas: { Problem: { properties: { code: unknown } } } }).schemas
  expect(Problem.properties.code).toEqual({ enum: Object.keys(errorTable) })
})

describe('its schemas', () => {
  const schemas = findSchemas(document, '')

  test('are there', () => expect(schemas.length).toBeGreaterThan(8))

  test.each(schemas)('%s compiles', (_, schema) => {
    expect(() => ajv.compile(resolved(schema))).not.toThrow()
  })

  test('accept the examples beside them', () => {
    for (const [at, media] of findMedia(document, '')) {
      const isValid = ajv.compile(resolved(media.schema))
      for (const [name, { value }] of Object.entries(media.examples ?? {}))
        expect([at, name, isValid(value), isValid.errors]).toEqual([at, name, true, null])
    }
  })

  test('have no keyword of our own', () => expect(JSON.stringify(document)).not.toContain('personalIdAgrees'))
})

test('every operation has an id of its own and a default answer', () => {
  const operations = Object.values(document['paths'] as Record<string, Record<string, JsonObject>>).flatMap(path =>
    Object.values(path),
  )
  const ids = operations.map(({ operationId }) => operationId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { responses } of operations) expect(responses).toHaveProperty('default')
})

interface Media {
  schema: JsonObject
  examples?: Record<string, { value: unknown }>
}

function findMedia(value: unknown, at: string): [string, Media][] {
  if (!isJsonObject(value)) return []
  const own: [string, Media][] =
    isJsonObject(value['schema']) && 'examples' in value ? [[at, value as unknown as Media]] : []
  return [...own, ...Object.entries(value).flatMap(([name, part]) => findMedia(part, `${at}/${name}`))]
}

function findSchemas(value: unknown, at: string): [string, JsonObject][] {
  if (!isJsonObject(value)) return []
  const own: [string, JsonObject][] = isJsonObject(value['schema']) ? [[at, value['schema']]] : []
  return [...own, ...Object.entries(value).flatMap(([name, part]) => findSchemas(part, `${at}/${name}`))]
}

/** References inside the document, as references to the document that ajv knows. */
const resolved = (schema: JsonObject): JsonObject =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"/document#/components')) as JsonObject
