// The part of the bus suite about following topics: everything, in order, from where the caller says, as fast as it is taken.
import { expect, test } from 'vitest'
import { type Following, type IncomingRecord } from '#bus/bus.ts'
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
    const from = (of: string, partition: number): number | undefined => {
      asked.push(`${of}/${partition}`)
      return partition === 0 ? undefined : partition
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
    expect(calls.flat()).toHaveLength(2)
    expect(follower.caughtUpMs).toBeLessThanOrEqual(h.bus.now())
  })

  test('begins again with a log that ends before the offset given, and says so', async () => {
    const topic = h.newRequestTopic()
    await publishAll(h.bus, topic, 3, () => ({ partition: 1 }))
    const gaps: unknown[] = []
    const from = (_: string, partition: number): number => (partition === 1 ? 500 : 0)
    const { taken } = h.follow({ topics: [topic], from, onGap: gap => void gaps.push(gap) })
    await until('three records', () => taken.length >= 3)
    expect(gaps).toEqual([{ topic, partition: 1, expected: 500, found: 0 }])
    expect(taken.map(({ offset }) => offset)).toEqual(numbers(3))
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
