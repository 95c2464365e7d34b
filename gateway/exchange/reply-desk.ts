// Where every record of this gateway's reply partition arrives: a probe's, a reply someone waits for, a reply that came late,
// or another gateway's. A reply resolves only the exchange whose id it carries, and only from the provider that was asked.
import { type IncomingRecord } from '#bus/bus.ts'
import { type ExchangeId, exchangeIdOf, readReply } from '#bus/message.ts'
import { probeTopic, replyTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { type Pending } from './pending.ts'
import { unansweredCode } from './release.ts'

export interface ReplyDesk {
  onRecord(record: IncomingRecord): void
  /** Nobody waits any more, but the outcome is not known: its reply will be late. */
  timedOut(exchangeId: ExchangeId): void
}

export interface ReplyDeskParts {
  pending: Pending
  probe: { onRecord(record: IncomingRecord): void }
  /** A provider replied after the time-out. The ledger sees that itself; this is for a metric. */
  onLate(): void
  /** A reply that came from another provider than the one asked. */
  onMisdirected(exchangeId: ExchangeId, provider: ProviderId, topic: string): void
}

/** Exchanges remembered after their time-out. */
const timedOutMax = 20_000

export function createReplyDesk({ pending, probe, onLate, onMisdirected }: ReplyDeskParts): ReplyDesk {
  const timedOut = new Set<string>()
  return {
    onRecord(record) {
      if (record.topic === probeTopic) return probe.onRecord(record)
      const exchangeId = exchangeIdOf(record) as ExchangeId | undefined
      if (exchangeId === undefined) return
      const provider = pending.providerOf(exchangeId)
      if (provider === undefined) {
        if (timedOut.delete(exchangeId) && !isClosing(record)) onLate()
        return
      }
      if (record.topic === replyTopic(provider)) return pending.settle(exchangeId, record)
      onMisdirected(exchangeId, provider, record.topic)
    },
    timedOut(exchangeId) {
      timedOut.add(exchangeId)
      if (timedOut.size <= timedOutMax) return
      const oldest = timedOut.values().next().value
      if (oldest !== undefined) timedOut.delete(oldest)
    },
  }
}

/** The ledger's own record, that nobody replied. */
function isClosing(record: IncomingRecord): boolean {
  try {
    return readReply(record).code === unansweredCode
  } catch {
    return false
  }
}
