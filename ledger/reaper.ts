// Settles what nobody answered: after deadline and grace it writes `failed`, code UNANSWERED, into the reply partition that the
// request named. Whatever is first in that partition is the outcome, so a race with a slow adapter is decided there and not here.
// It never says `expired`: that means surely not executed, and the reaper cannot know.
import { type Bus } from '#bus/bus.ts'
import { type ExchangeId, replyTypeOf, writeReply } from '#bus/message.ts'
import { replyTopic } from '#bus/topics.ts'
import { type ExchangeView } from './exchange-view.ts'
import { type LedgerStore } from './store.ts'

/** After the deadline, for replies on their way. */
export const graceMs = 2_000
const roundMax = 500

export interface ReaperParts {
  store: LedgerStore
  bus: Pick<Bus, 'publish' | 'now'>
  /** Everything written before this moment has been read. */
  caughtUpMs(): number
  /** `/ledger/<instance>` */
  source: string
  onReaped(view: ExchangeView): void
  onFailed(error: unknown): void
}

export interface Reaper {
  /** One round; resolves when its records are written or refused. Call it again and again. */
  reap(): Promise<void>
}

export function createReaper({ store, bus, caughtUpMs, source, onReaped, onFailed }: ReaperParts): Reaper {
  /** Written, but not read back yet. */
  const written = new Set<ExchangeId>()

  async function settle(view: ExchangeView): Promise<void> {
    const { exchange, request } = view
    if (request === undefined || written.has(exchange)) return
    written.add(exchange)
    const record = writeReply(
      {
        exchangeId: exchange,
        type: replyTypeOf(request.type),
        source,
        repliedMs: bus.now(),
        traceparent: request.traceparent,
        contractHash: request.contractHash,
        outcome: 'failed',
        code: 'UNANSWERED',
        waitedMs: 0,
        handledMs: 0,
      },
      request.replyPartition,
    )
    try {
      await bus.publish(replyTopic(request.provider), record)
      onReaped(view)
    } catch (error) {
      written.delete(exchange)
      onFailed(error)
    }
  }

  return {
    async reap() {
      const overdue = store.overdue(caughtUpMs() - graceMs, roundMax)
      const open = new Set(overdue.map(view => view.exchange))
      for (const exchange of written) if (!open.has(exchange)) written.delete(exchange)
      await Promise.all(overdue.map(settle))
    },
  }
}
