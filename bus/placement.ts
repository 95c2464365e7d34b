// Which partition a record goes to: the one it names, else its key's, else the next in turn. Both backends ask here, before
// anything is queued, so that what no broker would take is refused and surely not written.
import { type OutgoingRecord, PublishError, valueBytesMax } from '#bus/bus.ts'
import { partitionOf, partitionsOf } from '#bus/topics.ts'

export class Placement {
  readonly #turns = new Map<string, number>()

  /** Throws PublishError (surely not written) for a topic or partition that no plan has, and for a value too long. */
  place(topic: string, record: OutgoingRecord): number {
    const partitions = countPartitions(topic)
    if (isTooLong(record.value))
      throw new PublishError(`a value for ${topic} is longer than ${valueBytesMax} bytes`, true)
    if (record.partition !== undefined) {
      if (Number.isInteger(record.partition) && record.partition >= 0 && record.partition < partitions)
        return record.partition
      throw new PublishError(`${topic} has no partition ${record.partition}`, true)
    }
    if (record.key !== null) return partitionOf(topic, record.key)
    const turn = this.#turns.get(topic) ?? 0
    this.#turns.set(topic, (turn + 1) % partitions)
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
