// What HTTP alone costs, to compare with: a Fastify route that verifies the same token with @fastify/jwt (its cache on), checks
// the same envelope, request and reply, and looks the person up in process. No Kafka, no Redis, no grants, no log, no metrics.
// `node bench/bare.ts <port> <data dir> <contracts dir>`
import fastifyJwt from '@fastify/jwt'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type Service } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createValidation } from '#contracts/validation.ts'
import { envelopeSchema } from '#gateway/routes/exchanges.ts'
import { ownIssuerKeys } from '#gateway/tokens/issuer-keys.ts'
import { createNation } from '#nation/nation.ts'
import { readSecrets } from '#runtime/secrets.ts'
import { type AdapterTools, type Question } from '#services/adapter.ts'
import { createHandler } from '#services/population/identity-verification.ts'
import { path, service as serviceId } from './questions.ts'
import { audience, issuer } from './world.ts'

const [port, dataDir, contractsDir] = process.argv.slice(2) as [string, string, string]
const service = loadRegistry({ directory: contractsDir, idScheme: 'simulated' }).find(serviceId) as Service
const app = fastify({ logger: false })
await registerToken(app)
registerRoute(app)
app.get('/health/live', async () => ({ status: 'live' }))
await app.listen({ host: '127.0.0.1', port: Number(port) })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit())

async function registerToken(instance: FastifyInstance): Promise<void> {
  const keys = ownIssuerKeys(readSecrets(dataDir))
  const publicKey = await keys.find({ alg: 'ES256', kid: keys.signingKeyId })
  await instance.register(fastifyJwt, {
    secret: { private: keys.signingKey ?? '', public: publicKey },
    verify: {
      algorithms: ['ES256'],
      allowedIss: issuer,
      allowedAud: audience,
      checkTyp: 'at+jwt',
      requiredClaims: ['iss', 'aud', 'sub', 'client_id', 'jti', 'scope', 'iat', 'exp'],
      cache: true,
    },
  } as never)
}

function registerRoute(instance: FastifyInstance): void {
  const handler = createHandler({ nation: createNation({ seed: 1 }) } as AdapterTools)
  const checkEnvelope = createValidation('simulated').compile(envelopeSchema)
  const question = { fields: new Set(['matched']) } as unknown as Question
  const onRequest = (request: FastifyRequest): Promise<unknown> => request.jwtVerify()
  instance.post(path, { onRequest }, async (request, reply: FastifyReply) => {
    const envelope = request.body as JsonObject
    const data = envelope['request'] as JsonObject
    if (checkEnvelope(envelope) !== undefined || service.checkRequest(data) !== undefined)
      return reply.status(422).send({})
    const answer = (await handler(data, question)) as JsonObject
    if (service.checkReply(answer) !== undefined) return reply.status(502).send({})
    return reply
      .type('application/json; charset=utf-8')
      .send(JSON.stringify({ service: serviceId, outcome: 'answered', reply: answer }))
  })
}
