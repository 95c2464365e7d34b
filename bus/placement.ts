// Which partition a record goes to: the one it names, else its key's, else the next in turn. Both backends ask here, before
// anything is queued, so that a record for a topic or partition that does not exist is refused and surely not written.
import { type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { partitionOf, partitionsOf } from '#bus/topics.ts'

export class Placement {
  readonly #turns = new Map<string, number>()

  /** Throws PublishError (surely not written) for a topic or partition that no plan has. */
  place(topic: string, record: OutgoingRecord): number {
    const partitions = countPartitions(topic)
    if (record.partition !== undefined) {
      if (Number.isInteger(record.partition) && record.partition >= 0 && record.partition < partitions) return record.partition
      throw new PublishError(`${topic} has no partition ${record.partition}`, true)
    }
    if (record.key !== null) return partitionOf(topic, record.key)
    const turn = this.#turns.get(topic) ?? 0
    this.#turns.set(topic, (turn + 1) % partitions)
    return turn
  }
}

function countPartitions(topic: string): number {
  try {
    return partitionsOf(topic)
  } catch (cause) {
    throw new PublishError(`no such topic: ${topic}`, true, { cause })
  }
}
