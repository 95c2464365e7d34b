// Settles what nobody answered: after deadline and grace it writes `failed`, code UNANSWERED, into the reply partition that the
// request named. Whatever is first in that partition is the outcome, so a race with a slow adapter is decided there and not here.
// It never says `expired`: that means surely not executed, and the reaper cannot know. What it cannot settle never stands before
// what it can: each is tried again after growing pauses, each reply partition has a share of its own, and nobody waits for another.
import { type Bus } from '#bus/bus.ts'
import { type ExchangeId, replyTypeOf, writeReply } from '#bus/message.ts'
import { replyTopic } from '#bus/topics.ts'
import { type AcceptedRequest, type ExchangeView } from './exchange-view.ts'
import { createOverdueWalk, whyUnsettleable } from './overdue.ts'
import { createParking, type ParkedReason } from './parking.ts'
import { type LedgerStore } from './store.ts'

/** After the deadline, for replies on their way. */
export const graceMs = 2_000
/** Records on their way into one reply partition. */
const partitionShareMax = 500
/** Overdue, and their partition was not read up to then: they are looked at again in the next round. */
const earlyMax = 2_000

export interface ReaperParts {
  store: LedgerStore
  bus: Pick<Bus, 'publish' | 'now'>
  /** Everything written into that partition before this moment has been read. */
  caughtUpMs(topic: string, partition: number): number
  /** No reply partition has been read beyond this moment. */
  readUpToMs(): number
  /** `/ledger/<instance>` */
  source: string
  onReaped(view: ExchangeView): void
  onFailed(error: unknown, view: ExchangeView): void
  /** Default 100,000 exchanges. */
  parkedMax?: number
}

export interface Reaper {
  /** One round: begins to write what can be written and waits for none of it. Call it again and again. */
  reap(): void
  /** Exchanges that are not settled although they were tried. */
  parked(reason: ParkedReason): number
  /** Resolves when what was begun is written or refused. */
  idle(): Promise<void>
}

export function createReaper(parts: ReaperParts): Reaper {
  const { store, bus } = parts
  const walk = createOverdueWalk(store)
  const parking = createParking(parts.parkedMax ?? 100_000)
  const inFlight = new Map<ExchangeId, Promise<void>>()
  const shares = new Map<string, number>()
  let early: ExchangeId[] = []

  /** False: its partition was not read up to its end yet. */
  function settle(view: ExchangeView): boolean {
    const { exchange, request, outcome } = view
    if (request === undefined || outcome !== undefined || inFlight.has(exchange)) return true
    if (parking.isParked(exchange, bus.now())) return true
    if (whyUnsettleable(request) !== undefined) {
      parking.park(exchange, 'unsettleable', bus.now())
      return true
    }
    const topic = replyTopic(request.provider)
    if (parts.caughtUpMs(topic, request.replyPartition) <= request.deadlineMs + graceMs) return false
    const place = `${topic}/${request.replyPartition}`
    const share = shares.get(place) ?? 0
    if (share >= partitionShareMax) return true
    shares.set(place, share + 1)
    const written = write(view, request).finally(() => {
      inFlight.delete(exchange)
      const rest = (shares.get(place) ?? 1) - 1
      if (rest > 0) shares.set(place, rest)
      else shares.delete(place)
    })
    inFlight.set(exchange, written)
    return true
  }

  async function write(view: ExchangeView, request: AcceptedRequest): Promise<void> {
    try {
      const record = unansweredReply(view.exchange, request, parts)
      await bus.publish(replyTopic(request.provider), record)
      parking.park(view.exchange, 'unread', bus.now())
      parts.onReaped(view)
    } catch (error) {
      parking.park(view.exchange, 'failed', bus.now())
      parts.onFailed(error, view)
    }
  }

  return {
    reap() {
      // After a pause everything unread is overdue: what cannot be settled before more is read is not looked at.
      const beforeMs = Math.min(bus.now(), parts.readUpToMs()) - graceMs
      const waiting = early
      early = []
      for (const exchange of waiting) {
        const view = store.view(exchange)
        if (view !== undefined) settle(view)
      }
      for (const view of walk.newlyDue(beforeMs))
        if (!settle(view) && early.length < earlyMax) early.push(view.exchange)
      for (const view of walk.older(beforeMs, () => parking.endCircuit())) settle(view)
    },
    parked: reason => parking.count(reason),
    async idle() {
      while (inFlight.size > 0) await Promise.all(inFlight.values())
    },
  }
}

const unansweredReply = (
  exchangeId: ExchangeId,
  { type, traceparent, contractHash, replyPartition }: AcceptedRequest,
  { source, bus }: Pick<ReaperParts, 'source' | 'bus'>,
) =>
  writeReply(
    {
      exchangeId,
      type: replyTypeOf(type),
      source,
      repliedMs: bus.now(),
      traceparent,
      contractHash,
      outcome: 'failed',
      code: 'UNANSWERED',
      waitedMs: 0,
      handledMs: 0,
    },
    replyPartition,
  )
