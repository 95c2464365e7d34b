// Where deferred questions are worked on: takes what is due from the register's store, has it decided, settles the exchange, and
// marks it settled only when the reply is on the road. What a desk that died left behind is taken up by the next one.
import { type JsonObject } from '#contracts/json.ts'
import { describeError } from '#runtime/log.ts'
import { type AdapterTools, type Settlement } from './adapter.ts'
import { type Work, type WorkStore } from './work-store.ts'

export interface Desk {
  /** What it came to, when it is settled. Undefined: it is in the store and will be settled. */
  accept(work: Work): Settlement | undefined
  /** Finishes what it has in hand. */
  stop(): Promise<void>
}

/** Not decided yet. */
export interface Postponement {
  againAfterMs: number
}

export interface DeskOptions {
  store: WorkStore
  /** From a question to its first look, ms. */
  workMs: number
  /** What a question that is not in the store yet comes to at once, if the register knows. */
  recall(request: JsonObject): Settlement | undefined
  /** May be called again for the same work, by another process too: what it does must bear that. A rejection: tried again. */
  decide(work: Work): Settlement | Postponement | Promise<Settlement | Postponement>
}

/** Worked on side by side; more waits. */
const inHandMax = 100
/** For so long nobody else takes what this desk has in hand. */
const claimMs = 10_000
const againMs = 1000
/** Two looks are never closer. */
const lookMinMs = 10
/** Records stay on their topic for a day; twice that, what they came to is remembered. */
const rememberMs = 48 * 3_600_000

export function startDesk(tools: AdapterTools, { store, workMs, recall, decide }: DeskOptions): Desk {
  const { now, log, provider } = tools
  const inHand = new Set<Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  /** The clock may jump while it waits, so it looks at least once a second while there is work. */
  function plan(): void {
    clearTimeout(timer)
    if (isStopped || inHand.size >= inHandMax) return
    try {
      const nextMs = store.nextDueMs()
      if (nextMs !== undefined) wait(Math.min(againMs, Math.max(lookMinMs, nextMs - now())))
    } catch (error) {
      unread(error)
    }
  }

  function wait(ms: number): void {
    timer = setTimeout(look, ms)
    timer.unref()
  }

  function look(): void {
    try {
      store.forget(now() - rememberMs)
      for (const one of store.claim(now(), now() + claimMs, inHandMax - inHand.size)) take(one)
      plan()
    } catch (error) {
      unread(error)
    }
  }

  function unread(error: unknown): void {
    log.error({ event: 'desk-failed', provider, error: describeError(error) }, 'the store could not be read')
    wait(againMs)
  }

  function take(one: Work): void {
    const settled = settle(one).finally(() => {
      inHand.delete(settled)
      plan()
    })
    inHand.add(settled)
  }

  /** Never rejects: what the store does not take is free again after its claim. */
  async function settle(one: Work): Promise<void> {
    const { exchangeId, ticket } = one
    try {
      const decided = await decide(one)
      if ('againAfterMs' in decided) return store.putBack(exchangeId, now() + decided.againAfterMs)
      await tools.settle(ticket, decided)
      store.finish(exchangeId, decided, now())
    } catch (error) {
      log.warn({ event: 'unsettled', provider, exchangeId, error: describeError(error) }, 'it is tried again')
      try {
        store.putBack(exchangeId, now() + againMs)
      } catch (again) {
        log.error({ event: 'desk-failed', provider, error: describeError(again) }, 'the store could not be written')
      }
    }
  }

  plan()
  return {
    accept(one) {
      const found = store.find(one.exchangeId)
      if (found !== undefined && found !== 'open') return found
      const known = found === 'open' ? undefined : recall(one.request)
      if (known !== undefined) return known
      if (found === undefined) store.accept(one, now() + workMs)
      plan()
      return undefined
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await Promise.all(inHand)
    },
  }
}
