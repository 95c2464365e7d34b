// RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10), from the same decision that admitted the request:
// "burst" is the token bucket, "day" the quota. `ndx-limits: local` says that the shared counters are away.
import { type FastifyReply } from 'fastify'
import { type Grant } from '#contracts/contract.ts'
import { type Verdict } from './counters/counters.ts'

const dayPolicySeconds = 86_400

export function writeRateLimitFields(
  reply: FastifyReply,
  { rate, quota, source }: Verdict,
  grant: Grant | undefined,
): void {
  if (grant === undefined) return
  const window = Math.max(1, Math.ceil(grant.burst / grant.ratePerSecond))
  const hasQuota = grant.quotaPerDay !== undefined && quota !== undefined
  const policy = `"burst";q=${grant.burst};w=${window}`
  const left = `"burst";r=${rate.remaining};t=${rate.resetSeconds}`
  reply.header('ratelimit-policy', hasQuota ? `${policy}, "day";q=${grant.quotaPerDay};w=${dayPolicySeconds}` : policy)
  reply.header('ratelimit', hasQuota ? `${left}, "day";r=${quota.remaining};t=${quota.resetSeconds}` : left)
  if (source === 'local') reply.header('ndx-limits', 'local')
}
