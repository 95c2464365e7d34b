// How far the ledger has read, asked once a second: a gateway must not go on for ever without one. A ledger that does not answer, or
// has only just begun to read, is where it was; one that never said is where it was when this gateway started.
import { type Bus } from '#bus/bus.ts'

export interface LedgerPosition {
  /** Of the ledger, as far as is known; undefined: there is none to ask. */
  readonly behindMs: number | undefined
  stop(): void
}

export interface LedgerPositionParts {
  /** undefined: there is no ledger. */
  url: string | undefined
  bus: Pick<Bus, 'now'>
  everyMs?: number
}

const everyDefaultMs = 1_000
const answerTimeoutMs = 2_000

export function watchLedgerPosition({ url, bus, everyMs = everyDefaultMs }: LedgerPositionParts): LedgerPosition {
  if (url === undefined) return { behindMs: undefined, stop: () => {} }
  const address = new URL('/v1/position', url)
  const stopping = new AbortController()
  let caughtUpMs = bus.now()
  let timer: NodeJS.Timeout | undefined
  const ask = async (): Promise<void> => {
    caughtUpMs = (await askPosition(address, stopping.signal)) ?? caughtUpMs
    if (!stopping.signal.aborted) timer = setTimeout(ask, everyMs).unref()
  }
  void ask()
  return {
    get behindMs() {
      return Math.max(0, bus.now() - caughtUpMs)
    },
    stop() {
      stopping.abort()
      clearTimeout(timer)
    },
  }
}

/** undefined: it does not say. Never rejects. */
async function askPosition(address: URL, stopping: AbortSignal): Promise<number | undefined> {
  try {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(answerTimeoutMs)])
    const response = await fetch(address, { signal, redirect: 'error' })
    const { caughtUpMs } = (await response.json()) as { caughtUpMs?: unknown }
    // 0: it has not read each partition yet.
    return typeof caughtUpMs === 'number' && caughtUpMs > 0 ? caughtUpMs : undefined
  } catch {
    return undefined
  }
}
