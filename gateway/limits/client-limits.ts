// What one client may ask of this gateway beside exchanges, which the shared counters bound: how its exchanges stand and what it may
// ask together, and tokens. Far above what a client needs that keeps its token and waits with `Prefer`.
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type ClientId } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type BucketLimits } from '../counters/token-bucket.ts'
import { createTokenBuckets, type TokenBuckets } from './token-buckets.ts'

export const clientLimits: Readonly<Record<'reading' | 'tokens', BucketLimits>> = Object.freeze({
  reading: { ratePerSecond: 50, burst: 100 },
  tokens: { ratePerSecond: 5, burst: 20 },
})

export type ClientLimits = Record<keyof typeof clientLimits, TokenBuckets>

export interface ClientLimitsOptions {
  limits: typeof clientLimits
  /** Epoch ms. */
  now(): number
  /** How many there are. */
  clients: number
}

export function createClientLimits({ limits, now, clients }: ClientLimitsOptions): ClientLimits {
  const bucketsOf = (limits: BucketLimits): TokenBuckets => createTokenBuckets({ limits, now, namesMax: clients })
  return { reading: bucketsOf(limits.reading), tokens: bucketsOf(limits.tokens) }
}

/** One more of this client's. Says what is left in the RateLimit fields; throws NDX_RATE_EXCEEDED. */
export function takeOrRefuse(buckets: TokenBuckets, client: ClientId, reply: FastifyReply): void {
  const { ratePerSecond, burst } = buckets.limits
  const { admitted, remaining, resetSeconds } = buckets.take(client)
  reply.header('ratelimit-policy', `"burst";q=${burst};w=${Math.ceil(burst / ratePerSecond)}`)
  reply.header('ratelimit', `"burst";r=${remaining};t=${resetSeconds}`)
  if (!admitted)
    throw new ExchangeError('NDX_RATE_EXCEEDED', {
      retryAfterSeconds: Math.max(1, resetSeconds),
      detail: `A client may ask this ${ratePerSecond} times a second, ${burst} at once.`,
    })
}

/** A hook after authenticate(). */
export const limitClient =
  (buckets: TokenBuckets) =>
  async ({ agreement }: FastifyRequest, reply: FastifyReply): Promise<void> =>
    takeOrRefuse(buckets, agreement.client, reply)
