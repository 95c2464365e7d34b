// The road between the processes, as the rest of NDX sees it: publish, read replies, work off a topic, follow all of them, and
// the clock that all agree on. Two backends stand behind it, MemoryBus and KafkaBus, and one suite (tests/suites/bus.ts) holds
// both to what is promised here.

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
  /**
   * Of `work` only: since when this member holds the partition, as performance.now() tells. A record written before may have
   * been handled by another member that died before it could commit.
   */
  heldSinceMs?: number
  /** Which topic of that name it was read from: one that is deleted and made anew has another id. */
  topicId?: string
  /** The leader's term in which it was written; it rises along a partition. */
  leaderEpoch?: number
}

/** How far a partition was read, as the caller stored it. Without id and epoch (older versions stored none) both are learnt. */
export interface ReadPosition {
  /** The offset to read next. */
  next: number
  /** Of the last record read. */
  topicId?: string
  /** Of the last record read. */
  leaderEpoch?: number
}

/**
 * Records that are not handed over, or a history that is not the one read before. Reading goes on at `to`, and `topicId` and
 * `leaderEpoch` belong to a position there. By `reason`:
 * - removed: retention took `from` up to `to`; on a partition that was never read, all before its oldest record;
 * - remade: the topic was deleted and made anew, so that `from` is an offset of another topic;
 * - truncated: the log lost its end and may have grown again (an unclean election): what was read from `to` up to `from` is not
 *   what stands there now;
 * - unreadable: the batch from `from` up to `to` cannot be decoded.
 */
export interface BusGap {
  topic: string
  partition: number
  /** What was to be read next. */
  from: number
  to: number
  reason: 'removed' | 'remade' | 'truncated' | 'unreadable'
  topicId?: string
  leaderEpoch?: number
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

export interface Following {
  topics: readonly string[]
  /** Where to begin with a partition; undefined: at the oldest record there is. Asked once, before its first record. */
  from(topic: string, partition: number): ReadPosition | undefined
  /** Most records handed over at once. */
  recordsMax: number
  /**
   * Records of one or more partitions, in the order of each. The next come when this has resolved; after a rejection the
   * same come again, after a pause.
   */
  onRecords(records: readonly IncomingRecord[]): Promise<void>
  /**
   * Called when all before it was taken, before what comes after it is handed over. After a rejection it comes again, after a
   * pause, as records do.
   */
  onGap?(gap: BusGap): void | Promise<void>
  onState?(state: 'reading' | 'interrupted', cause?: unknown): void
}

/** Something that reads until it is stopped. */
export interface Reader {
  /** Resolves when it reads: nothing published from then on is missed. */
  ready: Promise<void>
  /** Stops reading, waits for what is being handled, commits it. Idempotent. */
  stop(): Promise<void>
}

/** Works off a topic as a member of its group. */
export interface Worker extends Reader {
  /** Records in hand: being handled, waiting, or pausing after a rejection. */
  readonly held: number
  /** How long none of them has been finished, ms; 0 when there are none. */
  readonly stillMs: number
}

/** Reads every partition of some topics, without a group: it keeps its own offsets. */
export interface Follower extends Reader {
  /** Records written and not yet taken by onRecords, as far as the brokers have told; a gap not yet taken counts as one. */
  readonly lag: number
  /**
   * Every record acknowledged before this moment (epoch ms on the road's clock, as precise as `now`) was taken; 0 until each
   * partition was read. A topic that does not exist is as good as read.
   */
  readonly caughtUpMs: number
  /** The same of one partition, so that one without a leader says nothing of the others; 0 of one that is not followed. */
  caughtUpMsOf(topic: string, partition: number): number
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
  work(working: Working): Worker
  /** Every partition of several topics, each from where the caller says. Topics that do not exist yet are waited for. */
  follow(following: Following): Follower
  /**
   * One record; undefined when it is gone (retention), not written yet, or nowhere. Rejects with RoadError within seconds when
   * the road is away.
   */
  readAt(topic: string, partition: number, offset: string): Promise<IncomingRecord | undefined>
  /** The offset that the next record of a partition gets; 0 where there is no such topic. Rejects as `readAt` does. */
  endOf(topic: string, partition: number): Promise<number>
  /**
   * Epoch ms on the road's clock: the brokers', as their acknowledgements tell it, so that processes whose own clocks
   * differ agree on deadlines. This process's own clock until something was published (`announce` in probe.ts). Whole; runs
   * backwards only when the brokers' clock or ours was set.
   */
  now(): number
  /**
   * Names this road and its offsets: another one has another id. A topic made anew on the same road is told by `onGap`.
   * Rejects with RoadError within seconds when the road is away.
   */
  id(): Promise<string>
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

/** The road is away: what was asked is not known. Asking again later may do. */
export class RoadError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'RoadError'
  }
}

/** Most records a topic's queue holds before publish refuses (surely not written). */
export const publishQueueMax = 20_000

/** Longest value, in bytes; a longer one is refused (surely not written). Leaves room for headers below the brokers' 1 MiB. */
export const valueBytesMax = 900_000
