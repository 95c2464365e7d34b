// Which partition a record goes to: the one it names, else its key's, else any. Both backends ask here, before anything is
// queued, so that what no broker would take is refused and surely not written.
import { type OutgoingRecord, PublishError, valueBytesMax } from '#bus/bus.ts'
import { partitionOf, partitionsOf } from '#bus/topics.ts'

/**
 * Undefined: any will do. Throws PublishError (surely not written) for a topic or partition that no plan has, and for a value
 * too long.
 */
export function placeRecord(topic: string, record: OutgoingRecord): number | undefined {
  const partitions = countPartitions(topic)
  if (isTooLong(record.value))
    throw new PublishError(`a value for ${topic} is longer than ${valueBytesMax} bytes`, true)
  if (record.partition !== undefined) {
    if (Number.isInteger(record.partition) && record.partition >= 0 && record.partition < partitions)
      return record.partition
    throw new PublishError(`${topic} has no partition ${record.partition}`, true)
  }
  return record.key === null ? undefined : partitionOf(topic, record.key)
}

/** Every partition of a topic in turn, for what may go to any. */
export class Turns {
  readonly #next = new Map<string, number>()

  take(topic: string): number {
    const turn = this.#next.get(topic) ?? 0
    this.#next.set(topic, (turn + 1) % partitionsOf(topic))
    return turn
  }
}

/** Counts bytes only where characters of three could exceed it. */
function isTooLong(value: string): boolean {
  return value.length * 3 > valueBytesMax && Buffer.byteLength(value) > valueBytesMax
}

function countPartitions(topic: string): number {
  try {
    return partitionsOf(topic)
  } catch (cause) {
    throw new PublishError(`no such topic: ${topic}`, true, { cause })
  }
}
