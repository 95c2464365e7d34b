// First on every request: an exchange id of ours (UUIDv7), the caller's trace or a new one (W3C Trace Context), and the trail
// that the rest fills. A caller's own ids are never trusted as ours.
import { randomFillSync, randomUUIDv7 } from 'node:crypto'
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type ExchangeId } from '#bus/message.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { isPersonalId } from '#contracts/personal-id.ts'
import { type Trail } from '../exchange/trail.ts'

declare module 'fastify' {
  interface FastifyRequest {
    trail: Trail
  }
}

export interface CorrelationOptions {
  now(): number
  clock(): number
}

export const correlation = fp(
  async (app: FastifyInstance, { now, clock }: CorrelationOptions) => {
    app.decorateRequest('trail')
    app.addHook('onRequest', (request, reply, done) => {
      beginTrail(request, reply, { now, clock })
      done(
        countFields(request.raw.rawHeaders, 'host') > 1
          ? new ExchangeError('NDX_HTTP_MALFORMED', { detail: 'The Host field stands twice.' })
          : undefined,
      )
    })
  },
  { name: 'correlation' },
)

/** Also for what Fastify refuses before any hook runs: an address it cannot read. */
export function beginTrail(request: FastifyRequest, reply: FastifyReply, { now, clock }: CorrelationOptions): void {
  const route = request.routeOptions.url
  request.trail = {
    exchangeId: makeExchangeId(),
    traceparent: traceparentOf(request.headers['traceparent']),
    receivedMs: now(),
    startedMs: clock(),
    route: route === undefined ? '-' : `${request.method} ${route}`,
  }
  reply.header('exchange-id', request.trail.exchangeId)
}

/** One id in 5,600 ends as a personal number does: another is made. */
export function makeExchangeId(): ExchangeId {
  const id = randomUUIDv7() as string as ExchangeId
  return endsAsPersonalId(id) ? makeExchangeId() : id
}

/** The last of the five groups is the only one of twelve characters. */
export const endsAsPersonalId = (exchangeId: ExchangeId): boolean => {
  const end = exchangeId.slice(-12)
  return isPersonalId(end, 'simulated') || isPersonalId(end, 'real')
}

const traceparentForm = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** The caller's, when it has the exact form and spells no personal number with its digits; else a new, sampled one. */
function traceparentOf(given: string | string[] | undefined): string {
  if (typeof given === 'string' && traceparentForm.test(given) && !holdsPersonalId(given)) return given
  const random = takeRandomHex()
  return `00-${random.slice(0, 32)}-${random.slice(32)}-01`
}

/** About one trace id in 500 does by chance; its trace begins anew here. */
function holdsPersonalId(traceparent: string): boolean {
  if (!/[0-9]{12}/.test(traceparent)) return false
  for (let i = 0; i + 12 <= traceparent.length; i++) {
    const digits = traceparent.slice(i, i + 12)
    if (isPersonalId(digits, 'simulated') || isPersonalId(digits, 'real')) return true
  }
  return false
}

/** Node keeps the first of two Host or Authorization fields; a proxy before us may have kept the other. */
export function countFields(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const field = rawHeaders[i] as string
    if (field.length === name.length && field.toLowerCase() === name) count++
  }
  return count
}

const traceBytes = 24
const pool = Buffer.alloc(traceBytes * 256)
let taken = pool.length

/** 48 random hex digits. Random bytes are drawn 256 at a time: a system call each would cost more than all else here. */
function takeRandomHex(): string {
  if (taken === pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  taken += traceBytes
  return pool.toString('hex', taken - traceBytes, taken)
}
