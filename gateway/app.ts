// The gateway's HTTP side, assembled. The order of registration is the security argument: who this is about (correlation),
// what an error looks like (problems), shed before work (pressure), addresses that had too much refused (address-limit), bodies (strict-body), who asks (authentication), and only
// then the routes.
import fastify, { type FastifyInstance } from 'fastify'
import { createDoor } from './door.ts'
import { buildOpenApi } from './openapi.ts'
import { type AddressLimitOptions, addressLimiting } from './plugins/address-limit.ts'
import { type AuthenticationOptions, authentication } from './plugins/authentication.ts'
import { beginTrail, type CorrelationOptions, correlation } from './plugins/correlation.ts'
import { type PressureOptions, pressure } from './plugins/pressure.ts'
import { answerBrokenHttp, type ProblemsOptions, problems } from './plugins/problems.ts'
import { bodyBytesMax, strictBody } from './plugins/strict-body.ts'
import { catalogueRoutes } from './routes/catalogue.ts'
import { documentationRoutes } from './routes/documentation.ts'
import { exchangeStatusRoutes, type StatusRouteParts } from './routes/exchange-status.ts'
import { type ExchangeRouteParts, exchangeRoutes } from './routes/exchanges.ts'
import { type HealthParts, healthRoutes } from './routes/health.ts'
import { keyRoutes, type TokenRouteParts, tokenRoutes } from './routes/tokens.ts'

export interface AppParts
  extends CorrelationOptions,
    ProblemsOptions,
    PressureOptions,
    AddressLimitOptions,
    AuthenticationOptions,
    HealthParts,
    ExchangeRouteParts,
    Omit<StatusRouteParts, 'exchangeParts'>,
    Omit<TokenRouteParts, 'now' | 'keys' | 'agreements'> {
  version: string
}

export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    genReqId: () => '',
    bodyLimit: bodyBytesMax,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    serverFactory: handler => createDoor(handler, parts),
    clientErrorHandler: (error, socket) => void answerBrokenHttp(error, socket, parts),
    frameworkErrors: (error, request, reply) => {
      beginTrail(request, reply, parts)
      app.errorHandler(error, request, reply)
    },
  })
  await app.register(correlation, parts)
  await app.register(problems, parts)
  await app.register(pressure, parts)
  await app.register(addressLimiting, parts)
  await app.register(strictBody)
  await app.register(authentication, parts)
  healthRoutes(app, parts)
  keyRoutes(app, parts)
  if (parts.keys.signingKey !== undefined) tokenRoutes(app, parts)
  catalogueRoutes(app, parts)
  exchangeRoutes(app, parts)
  exchangeStatusRoutes(app, parts)
  await documentationRoutes(app, { document: buildOpenApi(parts.registry, parts) })
  return app
}
