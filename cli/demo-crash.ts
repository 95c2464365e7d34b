// The step of the tour in which a gateway dies while a register works on its question: the client asks the other gateway with the
// same key and gets the first answer. On a small exchange of the tour's own; the one it visits is left alone.
import { exchangeIdOf, identityOf, lookFor, replyOf, statusIs, timingOf } from './demo-claims.ts'
import { enrolment, type Told, type Tour, verification } from './demo-tour.ts'
import { startTwoGateways, type TwoGateways } from './demo-two-gateways.ts'
import { safeJson } from './safe-text.ts'
import { type Answer, askService, fetchToken } from './simulated-client.ts'

const client = 'social-insurance'
const workMs = 300
const takenWithinMs = 5_000
const key = 'tour-crash'

export async function surviveCrash({ nextPerson }: Tour): Promise<Told> {
  const gateways = await startTwoGateways({ service: verification, workMs, reply: { matched: true } })
  try {
    return await crash(gateways, { purpose: enrolment, request: identityOf(nextPerson()) })
  } finally {
    await gateways.stop()
  }
}

async function crash(gateways: TwoGateways, envelope: object): Promise<Told> {
  const { a, b, executed, dataDir, killA } = gateways
  const token = await fetchToken({ url: a.url, dataDir, client })
  const connection = new AbortController()
  const ask = (url: string, signal?: AbortSignal): Promise<Answer> =>
    askService(
      { url, token, headers: { 'idempotency-key': key }, ...(signal === undefined ? {} : { signal }) },
      verification,
      envelope,
    )
  const first = ask(a.url, connection.signal).catch(() => undefined)
  const exchangeId = await lookFor(async () => executed[0], takenWithinMs)
  killA()
  connection.abort()
  const unanswered = (await first) === undefined
  const again = await ask(b.url)
  return {
    story: [
      `Two gateways and a register that takes ${workMs} ms, started for this step alone.`,
      `gateway A: exchange ${exchangeId ?? '-'} is at the register; kill -9; the connection breaks`,
      `gateway B: the same question, the same Idempotency-Key: ${safeJson(replyOf(again))} ${timingOf(again)}`,
    ],
    checks: [
      { claim: 'gateway A never answered', isSo: unanswered },
      statusIs(again, 200),
      {
        claim: 'gateway B told the answer to the question that A had sent',
        isSo: exchangeIdOf(again) === exchangeId && again.headers.get('idempotency-replayed') === 'true',
      },
      { claim: 'the register executed it once', isSo: executed.length === 1 },
    ],
  }
}
