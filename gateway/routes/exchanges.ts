// POST /v1/services/{provider}/{service}: one exchange. Here HTTP ends: the envelope is checked, the exchange is run, its
// answer and limits are written down.
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type Check, type Service } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { isJsonObject } from '#contracts/json.ts'
import { type Registry } from '#contracts/registry.ts'
import { createValidation, faultsMax } from '#contracts/validation.ts'
import { type AuditLog } from '../audit-log.ts'
import { quotaDay } from '../counters/quota-day.ts'
import { agreementOf } from '../exchange/authorize.ts'
import { type ExchangeParts, exchange, type Inquiry } from '../exchange/exchange.ts'
import { type ReplyDesk } from '../exchange/reply-desk.ts'
import { type Trail } from '../exchange/trail.ts'
import { writeRateLimitFields } from '../rate-limit-fields.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by findService(). */
    service: Service | undefined
  }
}

export interface ExchangeRouteParts {
  registry: Registry
  exchangeParts: ExchangeParts
  auditLog: AuditLog
  replyDesk: Pick<ReplyDesk, 'timedOut'>
}

/** The envelope, whatever the service: why, for which procedure, by which officer, which fields; the contract checks `request`. */
export const envelopeSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['purpose', 'request'],
  properties: {
    purpose: { type: 'string', minLength: 1, maxLength: 60, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' },
    procedure: { type: 'string', minLength: 1, maxLength: 20, format: 'procedure-code' },
    officer: { type: 'string', minLength: 1, maxLength: 20, format: 'officer-code' },
    fields: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', minLength: 1, maxLength: 60 } },
    request: { type: 'object' },
  },
}

export function exchangeRoutes(
  app: FastifyInstance,
  { registry, exchangeParts, auditLog, replyDesk }: ExchangeRouteParts,
): void {
  const checkEnvelope = createValidation('simulated').compile(envelopeSchema)
  app.decorateRequest('service')
  app.post(
    '/v1/services/:provider/:service',
    { onRequest: [app.authenticate('exchange'), findService(registry, exchangeParts.now)] },
    async (request, reply) => {
      const { trail } = request
      const service = request.service as Service
      const inquiry = readInquiry(request, service, checkEnvelope)
      const answer = await exchange(inquiry, trail, exchangeParts)
        .catch(error => {
          if (error instanceof ExchangeError && error.code === 'NDX_REPLY_TIMEOUT') replyDesk.timedOut(trail.exchangeId)
          throw error
        })
        .finally(() => {
          writeLimits(reply, inquiry, trail)
        })
      auditLog.conclude(trail, 200)
      return reply
        .header('cache-control', 'no-store')
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(answer))
    },
  )
}

/** Step 4: the contract, in the major asked for or the newest. */
function findService(registry: Registry, now: () => number) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { provider, service: name } = request.params as { provider: string; service: string }
    const service = registry.find(`${provider}/${name}`, majorAskedFor(request))
    if (service === undefined)
      throw new ExchangeError('NDX_SERVICE_UNKNOWN', { detail: 'GET /v1/services lists what you may ask.' })
    const { id, version, sunset } = service.contract
    Object.assign(request.trail, { service: id, provider: service.providerId, version })
    request.service = service
    if (sunset === undefined) return
    if (quotaDay(now()) > sunset)
      throw new ExchangeError('NDX_SERVICE_RETIRED', { detail: `${id} ${version} ended on ${sunset}.` })
    reply.header('sunset', new Date(`${sunset}T24:00:00+07:00`).toUTCString())
  }
}

/** `ndx-service-version: 2` asks for a major; without it the newest answers. */
function majorAskedFor({ headers }: FastifyRequest): number | undefined {
  const asked = headers['ndx-service-version']
  if (asked === undefined) return undefined
  if (typeof asked !== 'string' || !/^[0-9]{1,4}$/.test(asked))
    throw new ExchangeError('NDX_SERVICE_UNKNOWN', { detail: 'ndx-service-version must be a major version.' })
  return Number(asked)
}

/** Step 5: envelope and request valid, all faults of both together. */
function readInquiry({ body, agreement }: FastifyRequest, service: Service, checkEnvelope: Check): Inquiry {
  if (body === undefined) throw new ExchangeError('NDX_BODY_MALFORMED', { detail: 'A JSON body is required.' })
  const request = isJsonObject(body) ? body['request'] : undefined
  const faults = [
    ...(checkEnvelope(body) ?? []),
    ...(isJsonObject(request) ? (service.checkRequest(request, '/request') ?? []) : []),
  ]
  if (faults.length > 0)
    throw new ExchangeError('NDX_REQUEST_INVALID', {
      detail: `See the contract: GET /v1/services/${service.contract.id}`,
      errors: faults.slice(0, faultsMax),
    })
  return { ...(body as unknown as Omit<Inquiry, 'agreement' | 'service'>), agreement, service }
}

function writeLimits(reply: FastifyReply, { agreement }: Inquiry, trail: Trail): void {
  const grant = agreement.grants.find(grant => agreementOf(grant) === trail.agreement)
  if (trail.verdict !== undefined) writeRateLimitFields(reply, trail.verdict, grant)
}
