// Is there room for it: rate, quota and guesses, one atomic decision of the counters, told as a refusal that says when to come
// back.
import { type Grant } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { quotaDay, secondsLeft } from '../counters/quota-day.ts'
import { type GuessParts, guessesExceeded, isGuessing } from './guesses.ts'
import { type Inquiry } from './inquiry.ts'
import { type Trail } from './trail.ts'

export async function admit(
  { agreement, service }: Inquiry,
  grant: Grant,
  trail: Trail,
  { counters, now }: GuessParts,
): Promise<void> {
  const { mismatchesPerSubjectPerDay } = service.contract.limits
  const { ratePerSecond, burst, quotaPerDay } = grant
  const verdict = await counters.admit({
    client: agreement.client,
    service: service.contract.id,
    day: quotaDay(now()),
    ratePerSecond,
    burst,
    ...(quotaPerDay === undefined ? {} : { quotaPerDay }),
    ...(mismatchesPerSubjectPerDay === undefined || !isGuessing(service)
      ? {}
      : {
          guesses: {
            subject: trail.subject as string,
            max: mismatchesPerSubjectPerDay,
            holdMs: service.contract.deadlineMs + 1000,
          },
        }),
  })
  trail.verdict = verdict
  if (verdict.admitted) return
  trail.decision = 'refused'
  if (verdict.violated === 'rate') {
    throw new ExchangeError('NDX_RATE_EXCEEDED', {
      retryAfterSeconds: Math.max(1, verdict.rate.resetSeconds),
      detail: `The grant allows ${ratePerSecond} a second, ${burst} at once.`,
    })
  }
  if (verdict.violated === 'quota') {
    throw new ExchangeError('NDX_QUOTA_EXCEEDED', {
      retryAfterSeconds: secondsLeft(quotaDay(now()), now()),
      detail: `The grant allows ${quotaPerDay} a day.`,
    })
  }
  throw guessesExceeded(service, { now })
}
