// One question as a real client asks it: with its token, again when it was too fast or the platform was away, and when it was
// only accepted, at its status until it is settled. Every attempt that got an exchange id is told to the books.
import { isErrorCode } from '#contracts/errors.ts'
import { CommandError } from '../command.ts'
import { type Answer, askService, fetchToken, memberOf, send } from '../simulated-client.ts'
import { type Outcome } from './kinds.ts'
import { wait } from './pace.ts'
import { type Asked } from './questions.ts'

export interface Attempt {
  client: string
  service: string
  exchangeId: string
  /** accepted: it is the platform's to settle · repeated: told of an earlier exchange · else the code it ended with. */
  end: 'accepted' | 'repeated' | Outcome
}

export interface Result {
  asked: Asked
  outcome: Outcome
  /** The exchange that decided; '' when nothing ever answered. */
  exchangeId: string
  reply: unknown
  tookMs: number
  /** Sent again, because of rate or of a platform that was away. */
  again: number
}

export interface Asking {
  url: string
  dataDir: string
  onAttempt(attempt: Attempt): void
  clock(): number
}

/** Below the life of a token. */
const tokenMs = 8 * 60_000
const attemptsMax = 12
const againMs = 1000
const settledWithinMs = 240_000

/** Resolves when it was answered at all; `settled` when it is known what became of it, which of an effect may be later. */
export type Ask = (asked: Asked, options: { isHasty: boolean }) => Promise<{ settled: Promise<Result> }>

export function createAsk(asking: Asking): Ask {
  const tokenOf = createTokens(asking)

  async function attempt(asked: Asked): Promise<Answer | undefined> {
    const { client, service, envelope, headers } = asked
    const options = { url: asking.url, token: await tokenOf(client), headers }
    const answer = await askService(options, service, envelope).catch(error => {
      if (error instanceof CommandError) return undefined
      throw error
    })
    if (answer !== undefined) tell(asked, answer)
    return answer
  }

  function tell({ client, counted }: Asked, answer: Answer): void {
    const exchangeId = answer.headers.get('exchange-id')
    if (exchangeId !== null) asking.onAttempt({ client, service: counted, exchangeId, end: endOf(answer) })
  }

  async function settle(asked: Asked, answer: Answer): Promise<{ outcome: Outcome; reply: unknown }> {
    const location = answer.headers.get('location')
    const untilMs = asking.clock() + settledWithinMs
    while (location !== null && asking.clock() < untilMs) {
      const { status, body } = await look(asked.client, location)
      const outcome = memberOf(body, 'outcome')
      if (status === 200 && (outcome === 'answered' || outcome === 'failed' || outcome === 'expired'))
        return { outcome, reply: memberOf(body, 'reply') }
      if (status !== 200) await wait(againMs)
    }
    return { outcome: 'accepted', reply: undefined }
  }

  async function look(client: string, location: string): Promise<{ status: number; body: unknown }> {
    const headers = { authorization: `Bearer ${await tokenOf(client)}`, prefer: 'wait=20' }
    return send(`${asking.url}${location}`, { headers }).catch(() => ({ status: 0, body: undefined }))
  }

  return async (asked, { isHasty }) => {
    const startedMs = asking.clock()
    const resultOf = (outcome: Outcome, again: number, answer?: Answer, reply?: unknown): Result => ({
      asked,
      outcome,
      exchangeId: answer?.headers.get('exchange-id') ?? '',
      reply: reply ?? memberOf(answer?.body, 'reply'),
      tookMs: asking.clock() - startedMs,
      again,
    })
    for (let again = 0; ; again++) {
      const answer = await attempt(asked)
      const isGivenUp = again >= attemptsMax
      if (answer === undefined) {
        if (isGivenUp) throw new CommandError(`nothing answers at ${asking.url} any more.`)
      } else if (answer.status === 202 || answer.status === 504) {
        const settled = settle(asked, answer)
        return { settled: settled.then(({ outcome, reply }) => resultOf(outcome, again, answer, reply)) }
      } else {
        const outcome = outcomeOf(answer)
        if (isGivenUp || !isAskedAgain(outcome, answer.status, isHasty))
          return { settled: Promise.resolve(resultOf(outcome, again, answer)) }
      }
      await wait(pauseMsOf(answer))
    }
  }
}

/** Away, too fast, or its token ran out. A burst is not asked again by itself: who sent it sees to that. */
const isAskedAgain = (outcome: Outcome, status: number, isHasty: boolean): boolean =>
  status === 503 || outcome === 'NDX_TOKEN_EXPIRED' || (outcome === 'NDX_RATE_EXCEEDED' && !isHasty)

function pauseMsOf(answer: Answer | undefined): number {
  const seconds = Number(answer?.headers.get('retry-after'))
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : againMs
}

function outcomeOf(answer: Answer): Outcome {
  if (answer.status === 200) return isRepeated(answer) ? 'repeated' : 'answered'
  const code = memberOf(answer.body, 'code')
  return isErrorCode(code) ? code : 'NDX_INTERNAL_FAILURE'
}

/** A 504 is accepted: its outcome is on its way. */
function endOf(answer: Answer): Attempt['end'] {
  if (isRepeated(answer)) return 'repeated'
  if (answer.status === 200 || answer.status === 202 || answer.status === 504) return 'accepted'
  return outcomeOf(answer)
}

const isRepeated = ({ headers }: Answer): boolean => headers.get('idempotency-replayed') === 'true'

function createTokens({ url, dataDir, clock }: Asking): (client: string) => Promise<string> {
  const tokens = new Map<string, { token: Promise<string>; untilMs: number }>()
  return client => {
    const known = tokens.get(client)
    if (known !== undefined && clock() < known.untilMs) return known.token
    const token = fetchToken({ url, dataDir, client })
    tokens.set(client, { token, untilMs: clock() + tokenMs })
    return token
  }
}
