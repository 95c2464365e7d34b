// The road between the processes, as the rest of NDX sees it: publish, read replies, work off a topic. Two backends stand
// behind it, MemoryBus and KafkaBus, and one suite (tests/suites/bus.ts) holds both to what is promised here.

/** A record on its way out. */
export interface OutgoingRecord {
  /**
   * Decides the partition when none is given; null: any, records sent together to one, over time evenly. Never an
   * identifier of a person.
   */
  key: string | null
  partition?: number
  headers: Readonly<Record<string, string>>
  value: string
}

/** A record as it was read. */
export interface IncomingRecord {
  topic: string
  partition: number
  /** A dense counter of its partition, as a decimal string. */
  offset: string
  /** When it was written, epoch ms. */
  timestampMs: number
  key: string | null
  headers: Readonly<Record<string, string>>
  value: Buffer
}

export interface ReplyReading {
  topics: readonly string[]
  partition: number
  /** Records written since then are read too: replies to a predecessor that died. Epoch ms. */
  sinceMs: number
  /** Called once a record, in the order of each topic's partition. Must not throw. */
  onRecord(record: IncomingRecord): void
  /** The road was lost or came back; the reader goes on by itself where it stopped. */
  onState?(state: 'reading' | 'interrupted', cause?: unknown): void
}

export interface Working {
  topic: string
  /** Members of one group share the topic's partitions. */
  group: string
  /** Records handled at once by this member. */
  poolSize: number
  /** Records held by this member, handled or waiting; reading pauses above. */
  heldMax: number
  /**
   * Resolves when the record is finished and may be committed. Records of one key are handled one after the other.
   * A rejection is a fault of the handler: the record stays, uncommitted, and is handled again after a pause.
   */
  handle(record: IncomingRecord): Promise<void>
  /** A handler rejected; the record is handled again after `pauseMs`. For logs and counters. Must not throw. */
  onRejection?(error: unknown, record: IncomingRecord, pauseMs: number): void
  onState?(state: 'working' | 'interrupted', cause?: unknown): void
}

/** Something that reads until it is stopped. */
export interface Reader {
  /** Resolves when it reads: nothing published from then on is missed. */
  ready: Promise<void>
  /** Stops reading, waits for what is being handled, commits it. Idempotent. */
  stop(): Promise<void>
}

export interface Bus {
  /**
   * Resolves when the record is written for good (all in-sync replicas). A rejection is a PublishError and says whether
   * the record surely was not written; if not sure, it may still turn up, even twice. Settles within seconds, whatever
   * the road does.
   */
  publish(topic: string, record: OutgoingRecord): Promise<void>
  /** One partition of several topics, without a group: every reader sees every record. */
  readReplies(reading: ReplyReading): Reader
  /** Shares a topic with the other members of the group; at least once, in order of the key. */
  work(working: Working): Reader
  /** Sends what waits, then closes. Readers must be stopped before. Idempotent. */
  close(): Promise<void>
}

/** Why a record was not acknowledged. */
export class PublishError extends Error {
  /** True only when no byte of it can have reached the log. */
  readonly surelyNotWritten: boolean

  constructor(message: string, surelyNotWritten: boolean, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'PublishError'
    this.surelyNotWritten = surelyNotWritten
  }
}

/** Most records a topic's queue holds before publish refuses (surely not written). */
export const publishQueueMax = 20_000

/** Longest value, in bytes; a longer one is refused (surely not written). Leaves room for headers below the brokers' 1 MiB. */
export const valueBytesMax = 900_000
