// Encodes a request to fetch (version 13), which kafkajs does not speak (it ends at 11). It names topics by their ids, so that the
// broker itself refuses to read on in one that was deleted and made anew, and tells the epoch of the record read last, so that the
// broker itself says where the history read parts from the one it has (KIP-516, KIP-595). Brokers since 3.1 know it.
import { WireWriter } from './wire-writer.ts'

export interface FetchRequest {
  /** How long the broker may wait for `minBytes`. */
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  /** Answered in this order, as far as `maxBytes` goes. */
  parts: readonly FetchPart[]
}

export interface FetchPart {
  topic: string
  topicId: string
  partition: number
  offset: number
  /** Of the record before that offset; -1: not known. */
  leaderEpoch: number
  maxBytes: number
}

export const fetchVersion = 13
const fixedBytes = 48
const partBytes = 64
const none = -1

/** With the end of its header. */
export function encodeFetch({ maxWaitMs, minBytes, maxBytes, parts }: FetchRequest): Buffer {
  const out = new WireWriter(fixedBytes + partBytes * parts.length)
  out.uvarint(0) // the header's tagged fields
  out.int32(none) // no replica
  out.int32(maxWaitMs)
  out.int32(minBytes)
  out.int32(maxBytes)
  out.int8(0) // uncommitted too
  out.int32(0) // no session
  out.int32(none)
  out.uvarint(parts.length + 1)
  for (const part of parts) writePart(out, part)
  out.uvarint(1) // nothing to forget
  out.compactText('') // no rack
  out.uvarint(0)
  return out.bytes()
}

function writePart(out: WireWriter, { topicId, partition, offset, leaderEpoch, maxBytes }: FetchPart): void {
  out.uuid(topicId)
  out.uvarint(2) // one partition
  out.int32(partition)
  out.int32(none) // whoever leads it now
  out.int64(offset)
  out.int32(leaderEpoch)
  out.int64(none) // no log of our own
  out.int32(maxBytes)
  out.uvarint(0)
  out.uvarint(0)
}
