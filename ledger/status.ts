// How an exchange stands, as the ledger tells gateways (contracts/exchange-status.ts), and who waits for it to be settled.

import { replyTopic } from '#bus/topics.ts'
import { type ClientId, type ProviderId, type ServiceId } from '#contracts/contract.ts'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { type ExchangeView, parentOf, stateOf } from './exchange-view.ts'

/** Undefined while it is not known whose it is. `reply` is there only if it can still be on this road. */
export function statusOf(view: ExchangeView, road: string): ExchangeStatus | undefined {
  const { exchange, request, outcome, refused, isDeferred = false, isLate = false } = view
  const state = stateOf(view)
  if (state === 'stray') return undefined
  const parent = parentOf(view)
  const base = { exchangeId: exchange, state, isDeferred, isLate, ...(parent === undefined ? {} : { parent }) }
  if (request === undefined) {
    if (refused?.client === undefined) return undefined
    return {
      ...base,
      client: refused.client as ClientId,
      ...(refused.provider === undefined ? {} : { provider: refused.provider as ProviderId }),
      ...(refused.service === undefined ? {} : { service: refused.service as ServiceId }),
      settledMs: refused.atMs,
      code: refused.code,
    }
  }
  const { client, provider, service, contractHash, agreement, subject, fields, traceparent, deadlineMs } = request
  return {
    ...base,
    client,
    provider,
    service,
    contractHash,
    agreement,
    subject,
    fields,
    traceparent,
    acceptedMs: request.acceptedMs,
    deadlineMs,
    ...(outcome === undefined ? {} : { settledMs: outcome.settledMs }),
    ...(outcome?.code === undefined ? {} : { code: outcome.code }),
    ...(outcome?.road === road
      ? { reply: { topic: replyTopic(provider), partition: outcome.partition, offset: outcome.offset } }
      : {}),
  }
}

/** Those who wait until something of an exchange changes. */
export interface Watchers {
  /** Resolves at the next change of that exchange, or after so long. */
  changed(exchange: string, withinMs: number): Promise<void>
  tell(exchanges: Iterable<string>): void
  readonly size: number
}

/** More waiters than this do not wait: they are told how it stands now. */
const watchersMax = 10_000

export function createWatchers(): Watchers {
  const waiting = new Map<string, Set<() => void>>()
  let size = 0
  return {
    changed(exchange, withinMs) {
      if (size >= watchersMax) return Promise.resolve()
      return new Promise(resolve => {
        const all = waiting.get(exchange) ?? new Set()
        const done = (): void => {
          clearTimeout(timer)
          if (!all.delete(done)) return
          size--
          if (all.size === 0) waiting.delete(exchange)
          resolve()
        }
        const timer = setTimeout(done, withinMs)
        waiting.set(exchange, all.add(done))
        size++
      })
    },
    tell(exchanges) {
      for (const exchange of exchanges) for (const done of waiting.get(exchange) ?? []) done()
    },
    get size() {
      return size
    },
  }
}
