// One partition in memory: a ring of its last records, dense offsets, times that never run backwards. What a broker can do to a
// log can be done to it too: it is made anew, cut, or loses its oldest records.
import { randomBytes } from 'node:crypto'
import { type IncomingRecord, type OutgoingRecord, type ReadPosition } from '#bus/bus.ts'
import { findJump, type Jump, type LogState } from '#bus/gap.ts'

export class MemoryLog {
  readonly topic: string
  readonly partition: number
  readonly #ring: IncomingRecord[] = []
  readonly #retentionMax: number
  #topicId: string
  /** Where each epoch begins. */
  #epochs = [0]
  #oldest = 0
  #end = 0
  #lastMs = 0
  #changes = 0

  constructor(topic: string, partition: number, retentionMax: number, topicId: string = newTopicId()) {
    this.topic = topic
    this.partition = partition
    this.#retentionMax = retentionMax
    this.#topicId = topicId
  }

  /** The offset the next record gets. */
  get end(): number {
    return this.#end
  }

  /** Counts what was done to it beside appending: while it stays, reading goes on where it stopped. */
  get changes(): number {
    return this.#changes
  }

  /** The oldest offset still kept. */
  get start(): number {
    return Math.max(this.#oldest, this.#end - this.#retentionMax)
  }

  /** The oldest offset kept once one more is written. */
  oldestAfterNext(): number {
    return Math.max(this.#oldest, this.#end + 1 - this.#retentionMax)
  }

  append(record: OutgoingRecord, timestampMs: number): void {
    this.#lastMs = Math.max(this.#lastMs, timestampMs)
    this.#ring[this.#end % this.#retentionMax] = {
      topic: this.topic,
      partition: this.partition,
      offset: String(this.#end++),
      timestampMs: this.#lastMs,
      key: record.key,
      headers: { ...record.headers },
      value: Buffer.from(record.value),
      topicId: this.#topicId,
      leaderEpoch: this.#epochs.length - 1,
    }
  }

  at(offset: number): IncomingRecord | undefined {
    return offset < this.start || offset >= this.#end ? undefined : this.#ring[offset % this.#retentionMax]
  }

  /** The offset of the first record written at that time or later; the end if there is none. */
  offsetSince(sinceMs: number): number {
    let offset = this.#end
    while ((this.at(offset - 1)?.timestampMs ?? -1) >= sinceMs) offset--
    return offset
  }

  /** From there, or from the oldest kept, to what is the end when the caller gets that far. */
  *readFrom(offset: number): Generator<IncomingRecord> {
    for (let at = Math.max(offset, this.start); at < this.#end; at++) {
      const record = this.at(at)
      if (record) yield record
    }
  }

  /** Where reading begins; undefined: at the oldest record. */
  begin(position: ReadPosition | undefined): { position: Required<ReadPosition>; jump: Jump | null } {
    const jump = findJump(position, this.#state(position?.leaderEpoch))
    const next = jump?.to ?? position?.next ?? this.start
    const leaderEpoch = (jump === null ? position?.leaderEpoch : jump.leaderEpoch) ?? this.#epochBefore(next)
    return { position: { next, topicId: this.#topicId, leaderEpoch }, jump }
  }

  /** As if the topic was deleted and made anew. */
  remake(topicId: string): void {
    this.#changes++
    this.#topicId = topicId
    this.#epochs = [0]
    this.#oldest = 0
    this.#end = 0
  }

  /** As an unclean election does: what follows from `end` on is lost, and what is written there next is of a new epoch. */
  truncate(end: number): void {
    this.#changes++
    this.#oldest = Math.min(this.start, end)
    this.#end = end
    this.#epochs = [...this.#epochs.map(begin => Math.min(begin, end)), end]
  }

  /** As retention does. */
  removeBefore(offset: number): void {
    this.#changes++
    this.#oldest = Math.max(this.#oldest, Math.min(offset, this.#end))
  }

  #state(leaderEpoch: number | undefined): LogState {
    const { topicId, oldest, end } = { topicId: this.#topicId, oldest: this.start, end: this.#end }
    if (leaderEpoch === undefined) return { topicId, oldest, end }
    const isUnknown = leaderEpoch >= this.#epochs.length
    const offset = isUnknown ? oldest : (this.#epochs[leaderEpoch + 1] ?? end)
    return { topicId, oldest, end, epochEnd: { leaderEpoch, offset } }
  }

  #epochBefore(offset: number): number {
    return Math.max(
      0,
      this.#epochs.findLastIndex(begin => begin < offset),
    )
  }
}

/** As a broker writes them. */
export function newTopicId(): string {
  return randomBytes(16).toString('base64url')
}
