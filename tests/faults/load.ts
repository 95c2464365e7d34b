// The load: so many questions a second whatever happens (open loop), at the two gateways in turn. What has a key and ended without
// an outcome is asked again with the same key at the other gateway, until it has one or its time is up.
import { setTimeout as pass } from 'node:timers/promises'
import { type Client } from './client.ts'
import { type Attempt, type ClientLedger } from './client-ledger.ts'
import { type Member } from './member.ts'
import { type Question, questionOf } from './questions.ts'

export interface LoadOptions {
  gateways: readonly [Member, Member]
  client: Client
  ledger: ClientLedger
  perSecond: number
  /** Marks the keys of this run. */
  run: string
}

export interface Load {
  /** Written on every attempt. */
  round: number
  /** Questions begun. */
  readonly asked: number
  /** Attempts that were answered or accepted. */
  readonly answered: number
  start(): void
  /** Asks nothing new; resolves when all that was asked is over. */
  rest(): Promise<void>
}

const tickMs = 10
/** For so long a question with a key is asked again, ever more slowly, so that a long outage does not end in a storm. */
const retryForMs = 60_000
const retryPauseMs = 500
const retryPauseMaxMs = 8_000

export function createLoad({ gateways, client, ledger, perSecond, run }: LoadOptions): Load {
  const out = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let n = 0
  const load = { round: 0, start, rest, asked: 0, answered: 0 }

  async function send(question: Question, attempt: number, gateway: Member, round: number): Promise<Attempt> {
    const { service, key, isAsync } = question
    const sent: Attempt = {
      n: question.n,
      attempt,
      service,
      gateway: gateway.name,
      ...(key === undefined ? {} : { key }),
      isAsync,
      sentMs: performance.now(),
      round,
    }
    ledger.begin(sent)
    ledger.end(sent, await client.ask(question, sent, gateway))
    if (sent.ending === 'answered' || sent.ending === 'accepted') load.answered++
    return sent
  }

  async function ask(question: Question): Promise<void> {
    const untilMs = performance.now() + retryForMs
    const { round } = load
    let turn = question.n
    const next = (): Member => gateways[turn++ % gateways.length] as Member
    // A twin's attempts are odd, its brother's even.
    const once = async (attempt: number): Promise<void> => {
      const step = question.isTwofold ? 2 : 1
      for (let pauseMs = retryPauseMs; ; attempt += step, pauseMs = Math.min(pauseMs * 2, retryPauseMaxMs)) {
        const sent = await send(question, attempt, next(), round)
        if (question.key === undefined || isOver(sent) || performance.now() > untilMs) return
        await pass(pauseMs * (0.5 + Math.random()))
        if (await hasFailed(sent)) return
      }
    }
    await Promise.all(question.isTwofold ? [once(1), once(2)] : [once(1)])
  }

  /** Nobody answered it, and nobody will: a retry would be told so for ever. */
  async function hasFailed({ ending, exchangeId, attempt }: Attempt): Promise<boolean> {
    if (ending !== 'unknown' || exchangeId === undefined || attempt < 2) return false
    const { outcome } = await client.readStatus(exchangeId, gateways[attempt % gateways.length] as Member)
    return outcome === 'failed' || outcome === 'expired'
  }

  function start(): void {
    const startedMs = performance.now()
    const before = n
    timer = setInterval(() => {
      const due = before + Math.floor(((performance.now() - startedMs) * perSecond) / 1000)
      while (n < due) {
        const question = questionOf(n++, run)
        load.asked++
        const one = ask(question).finally(() => out.delete(one))
        out.add(one)
      }
    }, tickMs)
  }

  async function rest(): Promise<void> {
    clearInterval(timer)
    await Promise.all(out)
  }
  return load
}

const isOver = ({ ending, isRetryable }: Attempt): boolean => {
  if (ending === 'unknown' || ending === 'unreachable') return false
  return ending !== 'refused' || isRetryable === false
}
