// How the ledger reads the bus: every topic from its own positions, in batches that cost one flush each. A batch that is refused comes
// again; a record that the log cannot take is set aside; what is missing is an entry before anything that comes after it.
import { type Follower, type IncomingRecord } from '#bus/bus.ts'
import { describeError } from '#runtime/log.ts'
import { type Ingestion } from './ingestion.ts'
import { type LedgerParts } from './ledger.ts'
import { type LedgerMetrics, type LedgerPart } from './metrics.ts'
import { createQuarantine } from './quarantine.ts'

export interface FollowingParts {
  topics: readonly string[]
  metrics: Pick<LedgerMetrics, 'faulted'>
  /** Kept up to date: whether the bus can be read. */
  reading: { is: boolean }
  failed(part: LedgerPart, error: unknown): void
}

const recordsMax = 4_000
/** Commits cost a flush each: what comes in so long goes into one. Under load a commit is larger, not sooner. */
const commitEveryMs = 30
const busyCommitEveryMs = 100
/** So many records in one go are load. */
const busyRecords = 100

export function followTopics(
  { bus, log }: Pick<LedgerParts, 'bus' | 'log'>,
  ingestion: Ingestion,
  { topics, metrics, reading, failed }: FollowingParts,
): Follower {
  let lastMs = 0
  const quarantine = createQuarantine(ingestion, ({ topic, partition, offset }, cause) => {
    metrics.faulted('unrecorded')
    log.error({ event: 'record-set-aside', topic, partition, offset, error: describeError(cause) })
  })
  const take = async (records: readonly IncomingRecord[]): Promise<void> => {
    const everyMs = records.length < busyRecords ? commitEveryMs : busyCommitEveryMs
    if (records.length < recordsMax) await pauseUntil(lastMs + everyMs)
    lastMs = performance.now()
    try {
      quarantine.ingest(records)
    } catch (error) {
      failed('ingestion', error)
      throw error
    }
  }
  return bus.follow({
    topics,
    from: ingestion.position,
    recordsMax,
    onRecords: take,
    onGap: gap => {
      // The gap is evidence: it is in the log before anything that comes after it, or it is told again.
      ingestion.jump(gap)
      metrics.faulted('gap')
      log.error({ event: 'ledger-gap', ...gap }, 'records are missing; the log says which')
    },
    onState: (state, cause) => {
      reading.is = state === 'reading'
      log.info({ event: 'ledger-road', state, ...(cause === undefined ? {} : { error: describeError(cause) }) })
    },
  })
}

const pauseUntil = async (momentMs: number): Promise<void> => {
  const restMs = momentMs - performance.now()
  if (restMs > 0) await new Promise(resolve => setTimeout(resolve, restMs))
}
