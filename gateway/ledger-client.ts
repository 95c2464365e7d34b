// The ledger as gateways ask it: HTTP on the inner network, connections kept alive, every question with a deadline. Bounded: so
// many questions wait at once, one more is refused. While a gateway stops nobody waits: what is known is the answer.
import { setTimeout as pause } from 'node:timers/promises'
import { ExchangeError } from '#contracts/errors.ts'
import { type ExchangeStatus, exchangeStates, type StatusUnknown } from '#contracts/exchange-status.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { isKnown, type Ledger, ledgerUnavailable, type StatusQuestion } from './exchange/ledger.ts'

export interface LedgerClient extends Ledger {
  /** Ends all waits, those to come as well. */
  stopWaiting(): void
}

export interface LedgerClientOptions {
  /** undefined: there is no ledger, so none answers. */
  url: string | undefined
  /** Monotonic ms. */
  clock(): number
}

const answerTimeoutMs = 2_000
const waitsMax = 1_000
/** The longest that one question is left with the ledger. */
const waitMsMax = 30_000
/** Between two questions about what the ledger has not read yet. */
const againAfterMs = 50
const readUntilTimeoutMs = 2_000

export function createLedgerClient({ url, clock }: LedgerClientOptions): LedgerClient {
  const stopping = new AbortController()
  let waits = 0

  async function ask(
    path: string,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<{ status: number; body: JsonObject }> {
    if (url === undefined) throw ledgerUnavailable(new Error('NDX_LEDGER_URL is not set'))
    const timeout = AbortSignal.timeout(waitMs + answerTimeoutMs)
    try {
      const response = await fetch(new URL(path, url), {
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        redirect: 'error',
      })
      const body: unknown = await response.json()
      if (!isJsonObject(body)) throw new Error('the ledger’s answer is no object')
      return { status: response.status, body }
    } catch (cause) {
      throw ledgerUnavailable(cause)
    }
  }

  const askStatus = async (exchangeId: string, query: string, waitMs = 0, signal?: AbortSignal) =>
    readStatus(await ask(`/v1/exchanges/${encodeURIComponent(exchangeId)}${query}`, waitMs, signal))

  /** A wait that is cut short by `signal` or by the stop is asked once more, for what is known. */
  async function waitFor(
    exchangeId: string,
    { waitMs, isExpected = false, untilDeferred = false, signal }: StatusQuestion,
  ) {
    const isOver = signal === undefined ? stopping.signal : AbortSignal.any([stopping.signal, signal])
    const untilMs = clock() + waitMs
    for (;;) {
      const leftMs = Math.round(Math.min(waitMsMax, untilMs - clock()))
      if (isOver.aborted || leftMs <= 0) return askStatus(exchangeId, '')
      const query = `?waitMs=${leftMs}${untilDeferred ? '&until=deferred' : ''}`
      const status = await askStatus(exchangeId, query, leftMs, isOver).catch(error => {
        if (isOver.aborted) return undefined
        throw error
      })
      if (status === undefined) continue
      if (isKnown(status) && untilDeferred && status.isDeferred) return status
      if (isKnown(status) ? status.state !== 'accepted' : !isExpected) return status
      await pause(againAfterMs, undefined, { signal: isOver }).catch(() => {})
    }
  }

  return {
    async status(exchangeId, question) {
      if (question.waitMs <= 0) return askStatus(exchangeId, '')
      if (waits >= waitsMax) throw new ExchangeError('NDX_GATEWAY_OVERLOADED', { retryAfterSeconds: 1 })
      waits += 1
      try {
        return await waitFor(exchangeId, question)
      } finally {
        waits -= 1
      }
    },
    async byKey({ client, service, key }, readUntilMs) {
      const path = `/v1/keys/${client}/${service}/${encodeURIComponent(key)}`
      const untilMs = clock() + readUntilTimeoutMs
      for (;;) {
        const status = readStatus(await ask(path, 0))
        if (isKnown(status)) return status
        if (status.caughtUpMs >= readUntilMs) return undefined
        if (clock() >= untilMs) throw ledgerUnavailable(new Error(`the ledger has read until ${status.caughtUpMs}`))
        await pause(againAfterMs)
      }
    },
    stopWaiting: () => stopping.abort(),
  }
}

/** Another server than ours on that address must not pass for a ledger that knows nothing. */
function readStatus({ status, body }: { status: number; body: JsonObject }): ExchangeStatus | StatusUnknown {
  const isStatus =
    status === 200 &&
    typeof body['exchangeId'] === 'string' &&
    typeof body['client'] === 'string' &&
    exchangeStates.some(state => state === body['state'])
  if (isStatus) return body as unknown as ExchangeStatus
  if (status === 404 && typeof body['caughtUpMs'] === 'number') return { caughtUpMs: body['caughtUpMs'] }
  throw ledgerUnavailable(new Error(`the ledger answered ${status}`))
}
