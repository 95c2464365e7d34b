// Where deferred questions are worked on: takes what is due from the store, issues the number, settles the exchange, and marks it
// settled only when the reply is on the road. What a desk that died left behind is taken up by the next one.
import { join } from 'node:path'
import { describeError } from '#runtime/log.ts'
import { type AdapterTools, type Settlement } from '../adapter.ts'
import { localDateOf, openIssuances, type Work } from './issuances.ts'
import { choosePersonalId } from './personal-number.ts'

export interface Desk {
  /** Undefined: it is in the store and will be settled. Else the question has its answer already. */
  accept(work: Work): Settlement | undefined
  /** Finishes what it has in hand. */
  stop(): Promise<void>
}

/** Settled side by side; more waits for the next round. */
const batchMax = 100
/** For so long nobody else takes what this desk has in hand. */
const claimMs = 10_000
const againMs = 1000
/** Two rounds are never closer. */
const roundMinMs = 10

/** `workMs`: from a question to its answer. */
export function startDesk(tools: AdapterTools, { workMs }: { workMs: number }): Desk {
  const { nation, now, log, provider } = tools
  const store = openIssuances(join(tools.dataDir, 'population.sqlite'))
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()
  let isStopped = false

  /** The clock may jump while it waits, so it looks at least once a second while there is work. */
  function plan(): void {
    const nextMs = isStopped ? undefined : store.nextDueMs()
    clearTimeout(timer)
    if (nextMs === undefined) return
    const waitMs = Math.min(againMs, Math.max(roundMinMs, nextMs - now()))
    timer = setTimeout(() => {
      round = work()
    }, waitMs)
    timer.unref()
  }

  async function work(): Promise<void> {
    try {
      await Promise.all(store.claim(now(), now() + claimMs, batchMax).map(settle))
    } catch (error) {
      log.error({ event: 'desk-failed', provider, error: describeError(error) }, 'the store could not be read')
      if (!isStopped) timer = setTimeout(plan, againMs).unref()
      return
    }
    plan()
  }

  async function settle(one: Work): Promise<void> {
    const { exchangeId, ticket, registration } = one
    try {
      const settlement = store.decide(one, localDateOf(now()), isTaken =>
        choosePersonalId(registration, id => isTaken(id) || nation.findPerson(id) !== undefined),
      )
      await tools.settle(ticket, settlement)
      store.finish(exchangeId, settlement, now())
    } catch (error) {
      log.warn({ event: 'unsettled', provider, exchangeId, error: describeError(error) }, 'it is tried again')
      store.putBack(exchangeId, now() + againMs)
    }
  }

  plan()
  return {
    accept(one) {
      const found = store.find(one.exchangeId)
      if (found !== undefined && found !== 'open') return found
      const known = found === 'open' ? undefined : store.recall(one.registration)
      if (known !== undefined) return known
      store.accept(one, now() + workMs)
      plan()
      return undefined
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await round
      store.close()
    },
  }
}
