// What the parts of the bus suite share: a world, topics of their own, readers that are stopped after each test.
import { afterAll, afterEach, beforeAll } from 'vitest'
import {
  type Bus,
  type Follower,
  type Following,
  type IncomingRecord,
  type OutgoingRecord,
  type Reader,
  type ReplyReading,
  type Worker,
  type Working,
} from '#bus/bus.ts'
import { partitionsOf, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'

/** A road of its own for one run of the suite, and several processes' views of it. */
export interface BusWorld {
  /** A bus as a process would open it; the world closes it at the end. */
  openBus(): Bus
  /** Makes the request and reply topics of these providers, and the probe topic. */
  makeTopics(providers: readonly ProviderId[]): Promise<void>
  /** Deletes the topic and makes it anew. */
  remake(topic: string): Promise<void>
  /** As retention does. */
  removeBefore(topic: string, partition: number, offset: number): Promise<void>
  /** A member of the group that takes records and finishes none, until it is killed as by SIGKILL. */
  startStuckMember(topic: string, group: string, onTaken: () => void): Promise<{ kill(): Promise<void> }>
  close(): Promise<void>
}

export interface BusHarness {
  readonly world: BusWorld
  readonly bus: Bus
  newRequestTopic(): string
  newReplyTopic(): string
  /** Works in group `workers`, 8 at once, unless told otherwise; stopped after the test. */
  work(working: Partial<Working> & Pick<Working, 'topic' | 'handle'>, on?: Bus): Worker
  /** Reads partition 3 from now on unless told otherwise; stopped after the test. */
  read(reading: Partial<ReplyReading> & Pick<ReplyReading, 'topics' | 'onRecord'>, on?: Bus): Reader
  /** Follows from the oldest, 1,000 records at once, unless told otherwise; stopped after the test. */
  follow(following: Partial<Following> & Pick<Following, 'topics'>, on?: Bus): Followed
  /** Called after the test, the last one first. */
  later(cleanUp: () => unknown): void
}

/** A follower and what it took so far. */
export interface Followed {
  follower: Follower
  taken: IncomingRecord[]
}

let runs = 0

/** To be called inside `describe`: it registers the hooks. */
export function openHarness(makeWorld: () => Promise<BusWorld>): BusHarness {
  const run = `${process.pid}-${Date.now().toString(36)}-${++runs}`
  const made = Array.from({ length: 36 }, (_, i) => `t${i}-${run}` as ProviderId)
  const spare = { request: made.map(requestTopic), reply: made.map(replyTopic) }
  let cleanUps: (() => unknown)[] = []
  let opened: { world: BusWorld; bus: Bus } | undefined

  const current = (): { world: BusWorld; bus: Bus } => {
    if (!opened) throw new Error('the harness is open only while tests run')
    return opened
  }
  const takeTopic = (kind: 'request' | 'reply'): string => {
    const topic = spare[kind].shift()
    if (!topic) throw new Error(`more ${kind} topics are used than were made`)
    return topic
  }

  beforeAll(async () => {
    const world = await makeWorld()
    await world.makeTopics(made)
    opened = { world, bus: world.openBus() }
  }, 120_000)
  afterEach(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp()
    cleanUps = []
  })
  afterAll(async () => {
    await opened?.bus.close()
    await opened?.world.close()
  }, 60_000)

  return {
    get world() {
      return current().world
    },
    get bus() {
      return current().bus
    },
    newRequestTopic: () => takeTopic('request'),
    newReplyTopic: () => takeTopic('reply'),
    work: (working, on = current().bus) => {
      const reader = on.work({ group: 'workers', poolSize: 8, heldMax: 100, ...working })
      cleanUps.push(() => reader.stop())
      return reader
    },
    read: (reading, on = current().bus) => {
      const reader = on.readReplies({ partition: 3, sinceMs: Date.now(), ...reading })
      cleanUps.push(() => reader.stop())
      return reader
    },
    follow: (following, on = current().bus) => {
      const taken: IncomingRecord[] = []
      const onRecords = async (records: readonly IncomingRecord[]): Promise<void> => {
        await following.onRecords?.(records)
        taken.push(...records)
      }
      const follower = on.follow({ from: () => undefined, recordsMax: 1_000, ...following, onRecords })
      cleanUps.push(() => follower.stop())
      return { follower, taken }
    },
    later: cleanUp => void cleanUps.push(cleanUp),
  }
}

export const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

export const outgoing = (i: number, record: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  key: null,
  headers: {},
  value: String(i),
  ...record,
})

export async function publishAll(
  bus: Bus,
  topic: string,
  count: number,
  part: (i: number) => Partial<OutgoingRecord>,
): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => bus.publish(topic, outgoing(i, part(i)))))
}

/** Keeps every partition supplied until something is true, for what only shows once a group has settled. */
export async function publishUntil(bus: Bus, topic: string, what: string, isMet: () => boolean): Promise<void> {
  const deadline = Date.now() + 50_000
  while (!isMet()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await publishAll(bus, topic, partitionsOf(topic), partition => ({ partition }))
  }
}
