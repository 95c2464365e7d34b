// POST /v1/services/{provider}/{service}: one exchange. Here HTTP ends: the envelope is checked, the exchange is run, its
// answer and limits are written down.
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type ExchangeId, isExchangeId } from '#bus/message.ts'
import { type Check, type Service } from '#contracts/contract.ts'
import { ExchangeError, errorTable } from '#contracts/errors.ts'
import { isJsonObject } from '#contracts/json.ts'
import { type Registry } from '#contracts/registry.ts'
import { createValidation, faultsMax } from '#contracts/validation.ts'
import { type AuditLog } from '../audit-log.ts'
import { quotaDay } from '../counters/quota-day.ts'
import { agreementOf } from '../exchange/authorize.ts'
import { type ExchangeParts, exchange } from '../exchange/exchange.ts'
import { type Acceptance, type Answer, type Inquiry } from '../exchange/inquiry.ts'
import { rememberExchange } from '../exchange/remembered.ts'
import { type ReplyDesk } from '../exchange/reply-desk.ts'
import { type Trail } from '../exchange/trail.ts'
import { type DigestKey } from '../idempotency-key.ts'
import { endsAsPersonalId } from '../plugins/correlation.ts'
import { describeApplied, fieldOf, parsePrefer } from '../prefer.ts'
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
  digestKey: DigestKey
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

/** Of one exchange, whose status it shows. */
export const statusPath = (exchangeId: string): string => `/v1/exchanges/${exchangeId}`

export function exchangeRoutes(app: FastifyInstance, parts: ExchangeRouteParts): void {
  const { registry, exchangeParts } = parts
  const checkEnvelope = createValidation('simulated').compile(envelopeSchema)
  app.decorateRequest('service')
  app.post(
    '/v1/services/:provider/:service',
    { onRequest: [app.authenticate('exchange'), findService(registry, exchangeParts.now)] },
    async (request, reply) => {
      const { trail } = request
      const parent = parentOf(request)
      if (parent !== undefined) trail.parent = parent
      const inquiry = readInquiry(request, reply, checkEnvelope, parts.digestKey)
      const { answer, status } = await askAndConclude(inquiry, trail, parts)
        .catch(error => {
          if (error instanceof ExchangeError) tellWhereItStands(error, inquiry, trail, reply, parts)
          throw error
        })
        .finally(() => {
          writeLimits(reply, inquiry, trail)
        })
      writeKind(reply, answer, inquiry, trail)
      return reply
        .status(status)
        .header('cache-control', 'no-store')
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(answer))
    },
  )
}

/** What was told is written down before it is told. */
async function askAndConclude(inquiry: Inquiry, trail: Trail, { exchangeParts, auditLog }: ExchangeRouteParts) {
  const answer = await exchange(inquiry, trail, exchangeParts)
  if (answer.outcome === 'answered' && inquiry.isGone()) throw new ExchangeError('NDX_CLIENT_GONE')
  const status = answer.outcome === 'accepted' ? 202 : 200
  await auditLog.conclude(trail, status)
  return { answer, status }
}

/** Of a failure that leaves the outcome open: where the client will learn it. */
function tellWhereItStands(
  error: ExchangeError,
  { agreement }: Inquiry,
  trail: Trail,
  reply: FastifyReply,
  { replyDesk, exchangeParts }: ExchangeRouteParts,
): void {
  if (errorTable[error.code].status !== 504) return
  const { exchangeId, first = exchangeId } = trail
  reply.header('location', statusPath(first))
  if (error.code !== 'NDX_REPLY_TIMEOUT' || first !== exchangeId) return
  replyDesk.timedOut(exchangeId)
  void rememberExchange(trail, agreement.client, exchangeParts)
}

/** Whether it was accepted or answered, now or before, and what of the client's preferences made it so. */
function writeKind(
  reply: FastifyReply,
  { exchangeId, outcome }: Answer | Acceptance,
  { preference, service }: Inquiry,
  { first }: Trail,
): void {
  const isAccepted = outcome === 'accepted'
  const waitSecondsMax = Math.ceil(service.contract.maxWaitMs / 1000)
  const applied = describeApplied(preference, { isAccepted, waitSecondsMax })
  if (applied !== undefined) reply.header('preference-applied', applied)
  if (isAccepted) reply.header('location', statusPath(exchangeId))
  if (first !== undefined) reply.header('exchange-id', first)
  if (first !== undefined && !isAccepted) reply.header('idempotency-replayed', 'true')
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

/** `ndx-parent`: of no exchange of ours is the end a personal number, so nobody can name a person there. */
function parentOf({ headers }: FastifyRequest): ExchangeId | undefined {
  const given = headers['ndx-parent']
  if (given === undefined) return undefined
  if (isExchangeId(given) && !endsAsPersonalId(given)) return given
  throw new ExchangeError('NDX_PARENT_INVALID', { detail: 'The id of one exchange, as in its exchange-id.' })
}

/** Step 5: envelope and request valid, all faults of both together; then what its header fields ask for. */
function readInquiry(
  { body, bodyBytes, headers, agreement, service: asked }: FastifyRequest,
  { raw }: FastifyReply,
  checkEnvelope: Check,
  digestKey: DigestKey,
): Inquiry {
  const service = asked as Service
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
  const key = fieldOf(headers['idempotency-key'])
  return {
    ...(body as unknown as Pick<Inquiry, 'purpose' | 'request'>),
    agreement,
    service,
    preference: parsePrefer(fieldOf(headers['prefer'])),
    isGone: () => raw.destroyed,
    ...(key === undefined || bodyBytes === undefined ? {} : { idempotency: digestKey(key, bodyBytes, service) }),
  }
}

function writeLimits(reply: FastifyReply, { agreement }: Inquiry, trail: Trail): void {
  const grant = agreement.grants.find(grant => agreementOf(grant) === trail.agreement)
  if (trail.verdict !== undefined) writeRateLimitFields(reply, trail.verdict, grant)
}
