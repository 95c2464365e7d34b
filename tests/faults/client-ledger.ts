// The client's own book: one entry an attempt, written before it is sent and again when it ended, in memory for the checks and as
// lines in a file for whoever looks afterwards. What the client did not hear it does not know: `unknown`.

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

/**
 * answered: 200 · accepted: 202 · refused: surely not sent on (4xx, 503) · unreachable: no connection · failed: 502 · expired:
 * 504, surely not executed · unknown: 504 otherwise, a cut connection, silence, a 500
 */
export type Ending = 'answered' | 'accepted' | 'refused' | 'unreachable' | 'failed' | 'expired' | 'unknown'

export interface Attempt {
  n: number
  attempt: number
  service: string
  gateway: string
  key?: string
  isAsync: boolean
  /** Monotonic ms of the client. */
  sentMs: number
  /** Which round of faults its question was first asked in; 0: none. */
  round: number
  endedMs?: number
  ending?: Ending
  status?: number
  /** Of the problem, or why nothing was heard. */
  code?: string
  isRetryable?: boolean
  /** What the answer was about, as it says. */
  exchangeId?: string
  isReplayed?: boolean
  /** Of the reply, by the ledger's own rule and key. */
  commitment?: string
  isRight?: boolean
}

export interface ClientLedger {
  readonly attempts: Attempt[]
  begin(attempt: Attempt): void
  end(attempt: Attempt, facts: Partial<Attempt>): void
  /** Forgets what was checked. */
  forget(): void
  close(): Promise<void>
}

export function createClientLedger(file: string): ClientLedger {
  const stream = createWriteStream(file, { flags: 'a' })
  const attempts: Attempt[] = []
  const write = (line: object): void => void stream.write(`${JSON.stringify(line)}\n`)
  return {
    attempts,
    begin(attempt) {
      attempts.push(attempt)
      write(attempt)
    },
    end(attempt, facts) {
      Object.assign(attempt, facts)
      write({ n: attempt.n, attempt: attempt.attempt, ...facts })
    },
    forget: () => void attempts.splice(0),
    async close() {
      stream.end()
      await once(stream, 'close')
    },
  }
}
