// A steady load for outage tests: questions at a constant rate, each on record with when it was asked and how it ended. Open
// loop: a stalled answer does not hold up the next question.
import { type Asked, ask } from '#tests/client.ts'

export interface Asking {
  askedMs: number
  endedMs: number
  /** Absent when the connection broke or nothing came in time; `failure` says which. */
  answer?: Asked
  failure?: string
}

export interface Load {
  readonly asked: Asking[]
  /** Stops asking and waits for what is out. */
  stop(): Promise<Asking[]>
}

export interface LoadOptions {
  perSecond: number
  patienceMs: number
  urls: readonly string[]
  token: string
  service: string
  question(n: number): object
}

export function startLoad({ perSecond, patienceMs, urls, token, service, question }: LoadOptions): Load {
  const asked: Asking[] = []
  const out = new Set<Promise<void>>()
  const askOne = async (n: number): Promise<void> => {
    const asking: Asking = { askedMs: performance.now(), endedMs: Number.NaN }
    asked.push(asking)
    try {
      asking.answer = await ask(urls[n % urls.length] as string, token, service, question(n), patienceMs)
    } catch (error) {
      asking.failure = error instanceof Error ? `${error.name}: ${String(error.cause ?? error.message)}` : 'unknown'
    }
    asking.endedMs = performance.now()
  }
  let n = 0
  const timer = setInterval(() => {
    const one = askOne(n++).finally(() => out.delete(one))
    out.add(one)
  }, 1000 / perSecond)
  return {
    asked,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(out)
      return asked
    },
  }
}

/** How often each way to end occurred: a status with its code, or a broken connection. */
export function tally(asked: readonly Asking[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { answer, failure } of asked) {
    const ending =
      answer === undefined ? `broken: ${failure}` : `${answer.status} ${String(answer.body['code'] ?? '')}`.trim()
    counts[ending] = (counts[ending] ?? 0) + 1
  }
  return counts
}
