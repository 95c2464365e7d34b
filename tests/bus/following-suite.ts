// The part of the bus suite about following topics: everything, in order, from where the caller says, as fast as it is taken.
import { expect, test } from 'vitest'
import { type BusGap, type Following, type IncomingRecord, type ReadPosition } from '#bus/bus.ts'
import { partitionsOf } from '#bus/topics.ts'
import { type BusHarness, numbers, publishAll } from '#tests/bus/bus-harness.ts'
import { until, within } from '#tests/bus/until.ts'

const placeOf = ({ topic, partition }: IncomingRecord): string => `${topic}/${partition}`

/** The offsets of each partition, in the order in which they came. */
function offsetsByPlace(records: readonly IncomingRecord[]): Record<string, string[]> {
  const offsets: Record<string, string[]> = {}
  for (const record of records) offsets[placeOf(record)] = [...(offsets[placeOf(record)] ?? []), record.offset]
  return offsets
}

/** Lets nothing be taken until it is opened. */
function gate(): { onRecords: Following['onRecords']; open(): void; calls: IncomingRecord[][] } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const calls: IncomingRecord[][] = []
  const onRecords = async (records: readonly IncomingRecord[]): Promise<void> => {
    calls.push([...records])
    await promise
  }
  return { onRecords, open: resolve, calls }
}

/** A follower with the gaps it was told of. */
function gapsOf(h: BusHarness, following: Parameters<BusHarness['follow']>[0]) {
  const gaps: BusGap[] = []
  return { gaps, ...h.follow({ ...following, onGap: gap => void gaps.push(gap) }) }
}

export function describeFollowing(h: BusHarness): void {
  test('follows every partition of several topics from the oldest record, each in order', async () => {
    const topics = [h.newRequestTopic(), h.newReplyTopic()]
    const publish = async (): Promise<void> => {
      for (const topic of topics)
        await publishAll(h.bus, topic, 10 * partitionsOf(topic), i => ({ partition: i % partitionsOf(topic) }))
    }
    await publish()
    const { follower, taken } = h.follow({ topics })
    await within(30_000, 'ready', follower.ready)
    await publish()
    await until('280 records', () => taken.length >= 280)
    const places = topics.flatMap(topic => Array.from({ length: partitionsOf(topic) }, (_, i) => `${topic}/${i}`))
    expect(offsetsByPlace(taken)).toEqual(Object.fromEntries(places.map(place => [place, numbers(20)])))
  })

  test('begins at the offset that the caller says, asked once a partition', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 6 * 5, i => ({ partition: i % 6 }))
    const asked: string[] = []
    const from = (of: string, partition: number): ReadPosition | undefined => {
      asked.push(`${of}/${partition}`)
      return partition === 0 ? undefined : { next: partition }
    }
    const { taken } = h.follow({ topics: [topic], from })
    await until('the records from there on', () => taken.length >= 15)
    expect(offsetsByPlace(taken)).toEqual(
      Object.fromEntries([0, 1, 2, 3, 4].map(i => [`${topic}/${i}`, numbers(5).slice(i)])),
    )
    expect(asked.toSorted()).toEqual(numbers(6).map(i => `${topic}/${i}`))
  })

  test('hands over at most as many as it may, the next when those were taken', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 100, i => ({ partition: i % 3 }))
    const sizes: number[] = []
    let running = 0
    const onRecords = async (records: readonly IncomingRecord[]): Promise<void> => {
      expect(++running).toBe(1)
      sizes.push(records.length)
      await new Promise(resolve => setImmediate(resolve))
      running--
    }
    const { taken } = h.follow({ topics: [topic], recordsMax: 7, onRecords })
    await until('100 records', () => taken.length >= 100)
    expect(Math.max(...sizes)).toBe(7)
    expect(offsetsByPlace(taken)).toEqual({
      [`${topic}/0`]: numbers(34),
      [`${topic}/1`]: numbers(33),
      [`${topic}/2`]: numbers(33),
    })
  })

  test('hands over the same records again when they were refused', async () => {
    const topic = h.newRequestTopic()
    const calls: string[][] = []
    const onRecords = async (records: readonly IncomingRecord[]): Promise<void> => {
      calls.push(records.map(({ offset }) => offset))
      if (calls.length < 3) throw new Error('not now')
    }
    const { follower, taken } = h.follow({ topics: [topic], recordsMax: 4, onRecords })
    await follower.ready
    await publishAll(h.bus, topic, 4, () => ({ partition: 2 }))
    await until('taken', () => taken.length >= 4)
    expect(calls.slice(0, 3).map(offsets => offsets[0])).toEqual(['0', '0', '0'])
    expect(calls[1]).toEqual(calls[0])
    expect(calls[2]).toEqual(calls[0])
    expect(taken.map(({ offset }) => offset)).toEqual(numbers(4))
  })

  test('gathers what comes while a batch is being taken, and says how far behind it is', async () => {
    const topics = [h.newRequestTopic(), h.newReplyTopic()]
    const { onRecords, open, calls } = gate()
    const { follower, taken } = h.follow({ topics, onRecords })
    await follower.ready
    await h.bus.publish(topics[0] as string, { key: null, headers: {}, value: 'first' })
    await until('one is being taken', () => calls.length === 1)
    for (let i = 0; i < 20; i++)
      await h.bus.publish(topics[i % 2] as string, { key: null, partition: i % 5, headers: {}, value: '' })
    await until('a lag of 21', () => follower.lag === 21)
    expect(follower.caughtUpMs).toBeLessThanOrEqual(calls[0]?.[0]?.timestampMs as number)
    open()
    await until('all are taken', () => taken.length === 21)
    expect(calls.length).toBeLessThanOrEqual(3)
    await until('no lag', () => follower.lag === 0)
  })

  test('says up to when it has taken everything', async () => {
    const topic = h.newRequestTopic()
    await h.bus.publish(topic, { key: null, headers: {}, value: '' })
    const { onRecords, open, calls } = gate()
    const { follower } = h.follow({ topics: [topic], onRecords })
    expect(follower.caughtUpMs).toBe(0)
    await until('one is being taken', () => calls.length === 1)
    expect(follower.caughtUpMs).toBe(0)
    open()
    const nowMs = h.bus.now()
    await until('caught up', () => follower.caughtUpMs >= nowMs)
    await h.bus.publish(topic, { key: null, headers: {}, value: '' })
    const laterMs = h.bus.now()
    await until('caught up again', () => follower.caughtUpMs >= laterMs)
    expect(follower.caughtUpMsOf(topic, 0)).toBeGreaterThanOrEqual(laterMs)
    expect(follower.caughtUpMsOf(topic, 99)).toBe(0)
    expect(calls.flat()).toHaveLength(2)
    expect(follower.caughtUpMs).toBeLessThanOrEqual(h.bus.now())
  })

  test('begins again with a log that ends before an offset of which nothing else is known, and says so', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 3, () => ({ partition: 1 }))
    const gaps: unknown[] = []
    const from = (_: string, partition: number): ReadPosition => ({ next: partition === 1 ? 500 : 0 })
    const { taken } = h.follow({ topics: [topic], from, onGap: gap => void gaps.push(gap) })
    await until('three records', () => taken.length >= 3)
    expect(gaps).toMatchObject([{ topic, partition: 1, from: 500, to: 0, reason: 'truncated' }])
    expect(taken.map(({ offset }) => offset)).toEqual(numbers(3))
  })

  test('says which topic and epoch each record is of, and goes on from there without a word', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 5, () => ({ partition: 1 }))
    const first = h.follow({ topics: [topic] })
    await until('five records', () => first.taken.length === 5)
    const { topicId = '', leaderEpoch = -1 } = first.taken[2] as IncomingRecord
    expect([topicId.length, leaderEpoch >= 0]).toEqual([22, true])
    const gaps: BusGap[] = []
    const at = (_: string, partition: number) => (partition === 1 ? { next: 3, topicId, leaderEpoch } : undefined)
    const second = h.follow({ topics: [topic], from: at, onGap: gap => void gaps.push(gap) })
    await until('the other two', () => second.taken.length === 2)
    expect([gaps, second.taken]).toEqual([[], first.taken.slice(3)])
  })

  test('tells what retention took before the first read, and what it took since', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 10, () => ({ partition: 1 }))
    await publishAll(h.bus, topic, 10, () => ({ partition: 2 }))
    const before = h.follow({ topics: [topic] })
    await until('20 records', () => before.taken.length === 20)
    const { topicId = '', leaderEpoch = 0 } = before.taken[0] as IncomingRecord
    for (const partition of [1, 2]) await h.world.removeBefore(topic, partition, 6)
    const gaps: BusGap[] = []
    const from = (_: string, partition: number) => (partition === 2 ? { next: 4, topicId, leaderEpoch } : undefined)
    const { taken } = h.follow({ topics: [topic], from, onGap: gap => void gaps.push(gap) })
    await until('the rest', () => taken.length === 8)
    expect(gaps.toSorted((a, b) => a.partition - b.partition)).toMatchObject([
      { topic, partition: 1, from: 0, to: 6, reason: 'removed', topicId },
      { topic, partition: 2, from: 4, to: 6, reason: 'removed', topicId },
    ])
    expect(offsetsByPlace(taken)).toEqual({
      [`${topic}/1`]: ['6', '7', '8', '9'],
      [`${topic}/2`]: ['6', '7', '8', '9'],
    })
  })

  test('reads a topic that was made anew from its oldest record, though it has the offset read before', async () => {
    const topic = h.newRequestTopic()
    const write = (value: string) => publishAll(h.bus, topic, 5, () => ({ partition: 1, value }))
    await write('old')
    const up = gapsOf(h, { topics: [topic] })
    await until('five records', () => up.taken.length === 5)
    const { topicId = '', leaderEpoch = 0 } = up.taken[4] as IncomingRecord
    await h.world.remake(topic)
    await write('new')
    await write('new')
    const stored = (next: number) => (_: string, partition: number) =>
      partition === 1 ? { next, topicId, leaderEpoch } : undefined
    const down = gapsOf(h, { topics: [topic], from: stored(3) })
    await until('all that is new', () => up.taken.length === 15 && down.taken.length === 10)
    expect(down.gaps).toMatchObject([{ topic, partition: 1, from: 3, to: 0, reason: 'remade' }])
    expect(up.gaps.filter(({ partition }) => partition === 1)).toMatchObject([
      { topic, partition: 1, from: 5, to: 0, reason: 'remade' },
    ])
    expect([...up.taken.slice(5), ...down.taken].every(({ value }) => value.toString() === 'new')).toBe(true)
    expect(down.gaps[0]?.topicId).toBe(down.taken[0]?.topicId)
    expect(down.gaps[0]?.topicId).not.toBe(topicId)
  }, 60_000)

  test('learns the id of a topic of which an older version stored the offset only', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 5, () => ({ partition: 1 }))
    const { gaps, taken } = gapsOf(h, { topics: [topic], from: (_, partition) => ({ next: partition === 1 ? 3 : 0 }) })
    await until('the other two', () => taken.length === 2)
    expect(gaps).toEqual([])
  })

  test('tells a gap again until it is taken, before what comes after it', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 4, () => ({ partition: 1 }))
    await h.world.removeBefore(topic, 1, 2)
    const order: string[] = []
    h.follow({
      topics: [topic],
      onGap: async ({ from, to }) => {
        order.push(`${from} to ${to}`)
        if (order.length < 2) throw new Error('not now')
      },
      onRecords: async records => void order.push(...records.map(({ offset }) => offset)),
    })
    await until('the rest', () => order.includes('3'))
    expect(order).toEqual(['0 to 2', '0 to 2', '2', '3'])
  })

  test('stops when what is being taken is taken, and takes nothing more', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 10, () => ({ partition: 1 }))
    const { onRecords, open, calls } = gate()
    const { follower, taken } = h.follow({ topics: [topic], recordsMax: 4, onRecords })
    await until('some are being taken', () => calls.length === 1)
    let isStopped = false
    const stopped = follower.stop().then(() => {
      isStopped = true
    })
    const witness = h.follow({ topics: [topic] })
    await until('the witness saw all', () => witness.taken.length === 10)
    expect(isStopped).toBe(false)
    open()
    await within(30_000, 'stop', stopped)
    await follower.stop()
    expect([calls.length, taken.length]).toEqual([1, calls[0]?.length])
  })
}
