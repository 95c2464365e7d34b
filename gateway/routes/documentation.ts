// For people: the OpenAPI document, a page to read it with, and one address per error code. Public; holds no secrets and no data.
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { type FastifyInstance } from 'fastify'
import { ExchangeError, errorTable, isErrorCode } from '#contracts/errors.ts'
import { type JsonObject } from '#contracts/json.ts'

export async function documentationRoutes(app: FastifyInstance, { document }: { document: JsonObject }): Promise<void> {
  const text = JSON.stringify(document, null, 2)
  const config = { isVital: true }
  app.get('/openapi.json', { config }, async (_, reply) => reply.type('application/json; charset=utf-8').send(text))
  app.get('/problems', { config }, async () => ({
    problems: Object.entries(errorTable).map(([code, row]) => ({ code, ...row })),
  }))
  app.get('/problems/:code', { config }, async request => {
    const { code } = request.params as { code: string }
    if (!isErrorCode(code)) throw new ExchangeError('NDX_ROUTE_UNKNOWN')
    return { code, ...errorTable[code] }
  })
  await app.register(async scope => {
    await scope.register(swagger, { mode: 'static', specification: { document: document as never } })
    await scope.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  })
}
