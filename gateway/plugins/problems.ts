// Turns every error into a problem, once: ours, Fastify's own, and the unknown (500, generic text, full log). Concludes the
// trail, so that a refusal leaves its line wherever it happened. Raw HTTP faults get a problem too.
import { type Socket } from 'node:net'
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
} from 'fastify'
import fp from 'fastify-plugin'
import { type ErrorCode, ExchangeError, errorTable } from '#contracts/errors.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { type AuditLog } from '../audit-log.ts'
import { type AddressLimit } from '../limits/address-limit.ts'
import { toProblem } from '../problem.ts'

export interface ProblemsOptions {
  auditLog: AuditLog
  addressLimit: AddressLimit
  log: Log
}

export const problems = fp(
  async (app: FastifyInstance, options: ProblemsOptions) => {
    const { log } = options
    const answer = async (error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const known = toExchangeError(error)
      if (known.code === 'NDX_INTERNAL_FAILURE')
        log.error({ event: 'failure', exchangeId: request.trail?.exchangeId, error: describeError(error) })
      const problem = toProblem(known, request.trail?.exchangeId ?? '-')
      if (request.trail !== undefined) await concludeRefusal(request, problem.status, known, options)
      if (known.facts.retryAfterSeconds !== undefined)
        reply.header('retry-after', String(known.facts.retryAfterSeconds))
      if (problem.status === 401) reply.header('www-authenticate', challengeOf(known.code))
      return reply
        .status(problem.status)
        .header('cache-control', 'no-store')
        .type('application/problem+json')
        .send(JSON.stringify(problem))
    }
    app.setErrorHandler(answer)
    app.setNotFoundHandler((request, reply) => {
      const allowed = listAllowed(app, request)
      if (allowed.length === 0 || allowed.includes(request.method))
        return answer(new ExchangeError('NDX_ROUTE_UNKNOWN'), request, reply)
      return answer(new ExchangeError('NDX_METHOD_UNSUPPORTED'), request, reply.header('allow', allowed.join(', ')))
    })
  },
  { name: 'problems', dependencies: ['correlation'] },
)

/** Written down before it is told; of nobody in particular, it counts for its address. */
export async function concludeRefusal(
  { trail, socket }: FastifyRequest,
  status: number,
  error: ExchangeError,
  { auditLog, addressLimit }: Pick<ProblemsOptions, 'auditLog' | 'addressLimit'>,
): Promise<void> {
  const isCounted = trail.client === undefined && !trail.isShed && error.code !== 'NDX_ADDRESS_LIMITED'
  if (isCounted) addressLimit.count(socket.remoteAddress)
  await auditLog.conclude(trail, status, error)
}

/** Fastify's own faults that a client can cause. What is not here is ours. */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'NDX_MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_CTP_BODY_TOO_LARGE: 'NDX_BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'NDX_HTTP_MALFORMED',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'NDX_BODY_MALFORMED',
  FST_ERR_BAD_URL: 'NDX_HTTP_MALFORMED',
  FST_ERR_ASYNC_CONSTRAINT: 'NDX_HTTP_MALFORMED',
  FST_ERR_MAX_PARAM_LENGTH: 'NDX_ROUTE_UNKNOWN',
  /** The client left in the middle of its body. */
  ECONNRESET: 'NDX_HTTP_MALFORMED',
}

function toExchangeError(error: unknown): ExchangeError {
  if (error instanceof ExchangeError) return error
  const code = frameworkCodes[(error as FastifyError).code]
  return new ExchangeError(code ?? 'NDX_INTERNAL_FAILURE', {}, { cause: code === undefined ? error : undefined })
}

/** RFC 6750 section 3. */
const challengeOf = (code: ErrorCode): string =>
  code === 'NDX_TOKEN_MISSING' ? 'Bearer realm="ndx"' : 'Bearer realm="ndx", error="invalid_token"'

const methods = ['GET', 'POST']

/** RFC 9110 section 15.5.6: a 405 names the methods that are supported. */
function listAllowed(app: FastifyInstance, request: FastifyRequest): string[] {
  const url = request.url.split('?')[0] as string
  return methods.filter(method => app.findRoute({ method: method as HTTPMethods, url }) !== null)
}

/** What Node's parser could not read never becomes a request: it is answered on the socket, and counted like all of nobody in particular. */
export async function answerBrokenHttp(
  error: NodeJS.ErrnoException,
  socket: Socket,
  { auditLog, addressLimit }: Pick<ProblemsOptions, 'auditLog' | 'addressLimit'>,
): Promise<void> {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code: ErrorCode = error.code === 'HPE_HEADER_OVERFLOW' ? 'NDX_HEADERS_TOO_LARGE' : 'NDX_HTTP_MALFORMED'
  addressLimit.count(socket.remoteAddress)
  await auditLog.refuseUnread(code)
  const body = JSON.stringify(toProblem(new ExchangeError(code), '-'))
  const { status } = errorTable[code]
  const reason = status === 431 ? 'Request Header Fields Too Large' : 'Bad Request'
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
