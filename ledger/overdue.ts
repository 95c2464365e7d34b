// In which order the reaper looks at what is overdue. What has become overdue since the last round comes first, each exchange once,
// however many older ones are still open; then a stretch of the older ones, round and round. So nothing that cannot be
// settled stands before what can, and a round reads a bounded number of rows.
import { hasForm } from '#bus/forms.ts'
import { replyPartitions } from '#bus/topics.ts'
import { type AcceptedRequest, type ExchangeView } from './exchange-view.ts'
import { type LedgerStore, type OverduePlace } from './store.ts'

const pageMax = 500
const newPagesMax = 4
const oldPagesMax = 2

export interface OverdueWalk {
  /** Each exchange that has become overdue since the last call, as far as it comes. */
  newlyDue(beforeMs: number): Generator<ExchangeView>
  /** The next of those that were overdue before; `onCircuit` is called after the last of them, before it begins anew. */
  older(beforeMs: number, onCircuit: () => void): Generator<ExchangeView>
}

export function createOverdueWalk(store: Pick<LedgerStore, 'overdue'>): OverdueWalk {
  let newest: OverduePlace | undefined
  let older: OverduePlace | undefined
  return {
    *newlyDue(beforeMs) {
      for (let page = 0; page < newPagesMax; page++) {
        const views = store.overdue(beforeMs, pageMax, newest)
        newest = placeOf(views.at(-1)) ?? newest
        yield* views
        if (views.length < pageMax) return
      }
    },
    *older(beforeMs, onCircuit) {
      for (let page = 0; page < oldPagesMax; page++) {
        const views = store.overdue(beforeMs, pageMax, older)
        older = placeOf(views.at(-1))
        yield* views
        if (views.length === pageMax) continue
        older = undefined
        return onCircuit()
      }
    },
  }
}

const placeOf = (view: ExchangeView | undefined): OverduePlace | undefined =>
  view === undefined ? undefined : { dueMs: view.request?.deadlineMs ?? view.firstMs, exchange: view.exchange }

/** Why no reply to it can ever be read, in plain words; undefined: one can. */
export function whyUnsettleable({ provider, replyPartition }: AcceptedRequest): string | undefined {
  if (!hasForm('provider', provider)) return 'its provider cannot be one'
  const isPlanned = Number.isInteger(replyPartition) && replyPartition >= 0 && replyPartition < replyPartitions
  return isPlanned ? undefined : `there is no reply partition ${replyPartition}`
}
