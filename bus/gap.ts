// Whether reading can go on where it stopped: compares a position with the log as it is now. Pure, and asked by both buses.
import { type BusGap, type ReadPosition } from '#bus/bus.ts'

/** One partition as it is now. */
export interface LogState {
  topicId: string
  /** The offset of its oldest record, and that of the next one to be written. */
  oldest: number
  end: number
  /**
   * Where the records of the position's epoch end, or of the one before if the log has none of it, and which of them it is.
   * Undefined: the position has no epoch, or the broker did not contradict it.
   */
  epochEnd?: { leaderEpoch: number; offset: number } | undefined
}

/** Reading goes from one offset to another that does not follow from it. */
export type Jump = Pick<BusGap, 'from' | 'to' | 'reason' | 'leaderEpoch'>

/**
 * Null: reading goes on where it stopped. What is past the end with no epoch to say where the histories part is read again from
 * the oldest record: twice rather than never.
 * @param position undefined: never read
 */
export function findJump(position: ReadPosition | undefined, log: LogState): Jump | null {
  if (position === undefined) return log.oldest > 0 ? { reason: 'removed', from: 0, to: log.oldest } : null
  const { next, topicId } = position
  if (topicId !== undefined && topicId !== log.topicId) return { reason: 'remade', from: next, to: log.oldest }
  if (next < log.oldest) return { reason: 'removed', from: next, to: log.oldest }
  const isContradicted =
    log.epochEnd !== undefined &&
    (log.epochEnd.offset < next || log.epochEnd.leaderEpoch < (position.leaderEpoch ?? -1))
  if (log.epochEnd !== undefined && isContradicted) {
    const { offset, leaderEpoch } = log.epochEnd
    return offset < log.oldest
      ? { reason: 'truncated', from: next, to: log.oldest }
      : { reason: 'truncated', from: next, to: Math.min(offset, next), leaderEpoch }
  }
  return next > log.end ? { reason: 'truncated', from: next, to: log.oldest } : null
}
