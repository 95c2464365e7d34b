// The step of the tour that asks twice with one Idempotency-Key: one exchange, one answer.
import { randomUUID } from 'node:crypto'
import { codeIs, exchangeIdOf, identityOf, isSame, replyOf, statusIs, timingOf } from './demo-claims.ts'
import { enrolment, type Told, type Tour, verification } from './demo-tour.ts'
import { safeJson } from './safe-text.ts'
import { type Answer } from './simulated-client.ts'

export async function retry({ ask, nextPerson }: Tour): Promise<Told> {
  const headers = { 'idempotency-key': `tour-${randomUUID()}` }
  const askOnce = (request: object): Promise<Answer> =>
    ask('social-insurance', verification, { purpose: enrolment, request }, headers)
  const request = identityOf(nextPerson())
  const first = await askOnce(request)
  const again = await askOnce(request)
  const other = await askOnce(identityOf(nextPerson()))
  return {
    story: [
      `Idempotency-Key: ${headers['idempotency-key']}`,
      `answered: ${safeJson(replyOf(first))} ${timingOf(first)}`,
      `again:    ${safeJson(replyOf(again))} ${timingOf(again)}`,
      `another question with that key: ${other.status}`,
    ],
    checks: [
      statusIs(again, 200),
      {
        claim: 'it is the first exchange’s answer, said to be a replay',
        isSo:
          isSame(again.body, first.body) &&
          exchangeIdOf(again) === exchangeIdOf(first) &&
          again.headers.get('idempotency-replayed') === 'true',
      },
      statusIs(other, 422),
      codeIs(other, 'NDX_IDEMPOTENCY_KEY_REUSED'),
    ],
  }
}
