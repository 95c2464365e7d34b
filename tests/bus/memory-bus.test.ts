// MemoryBus against the suite of every Bus, and what is its own: retention by count, and refusing rather than losing.
import { describe, expect, test } from 'vitest'
import { type BusGap, type IncomingRecord } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { MemoryRoad } from '#bus/memory-road.ts'
import { replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { until } from '#tests/bus/until.ts'
import { describeBus } from '#tests/suites/bus.ts'

const provider = 'registry' as ProviderId

describeBus('MemoryBus', async () => {
  const road = new MemoryRoad(30_000)
  return {
    openBus: () => new MemoryBus({ road }),
    makeTopics: async () => {},
    remake: async topic => road.remake(topic),
    removeBefore: async (topic, partition, offset) => road.removeBefore(topic, partition, offset),
    startStuckMember: async (topic, group, onTaken) => {
      const bus = new MemoryBus({ road })
      const handle = (): Promise<void> => {
        onTaken()
        return new Promise(() => {})
      }
      bus.work({ topic, group, poolSize: 4, heldMax: 10, handle })
      return { kill: async () => bus.kill() }
    },
    close: async () => {},
  }
})

describe('a partition in memory', () => {
  const outgoing = (value: string) => ({ key: null, partition: 0, headers: {}, value })

  test('keeps its last records and forgets those before', async () => {
    const bus = new MemoryBus({ road: new MemoryRoad(4) })
    for (const value of 'abcdef') await bus.publish(replyTopic(provider), outgoing(value))
    const seen: string[] = []
    bus.readReplies({
      topics: [replyTopic(provider)],
      partition: 0,
      sinceMs: 0,
      onRecord: record => void seen.push(`${record.offset}${record.value}`),
    })
    await until('four records', () => seen.length === 4)
    expect(seen).toEqual(['2c', '3d', '4e', '5f'])
    await bus.close()
  })

  test('holds as many unfinished records as it keeps, and refuses the one past that', async () => {
    const bus = new MemoryBus({ road: new MemoryRoad(4) })
    const topic = requestTopic(provider)
    const finish: (() => void)[] = []
    const handle = (): Promise<void> => new Promise(resolve => finish.push(resolve))
    bus.work({ topic, group: 'workers', poolSize: 10, heldMax: 10, handle })
    for (const value of 'abcd') await bus.publish(topic, outgoing(value))
    await expect(bus.publish(topic, outgoing('e'))).rejects.toMatchObject({
      name: 'PublishError',
      surelyNotWritten: true,
    })
    await until('four are being handled', () => finish.length === 4)
    finish[0]?.()
    await until('there is room', () => finish.length === 4)
    await bus.publish(topic, outgoing('f'))
    await bus.close()
  })

  test('is not pushed out before a follower took it: the record past that is refused', async () => {
    const bus = new MemoryBus({ road: new MemoryRoad(4) })
    const topic = replyTopic(provider)
    const taking = Promise.withResolvers<void>()
    const follower = bus.follow({
      topics: [topic],
      from: () => undefined,
      recordsMax: 10,
      onRecords: () => taking.promise,
    })
    for (const value of 'abcd') await bus.publish(topic, outgoing(value))
    await expect(bus.publish(topic, outgoing('e'))).rejects.toMatchObject({ surelyNotWritten: true })
    taking.resolve()
    await until('all are taken', () => follower.lag === 0)
    await bus.publish(topic, outgoing('f'))
    await follower.stop()
    for (const value of 'ghijk') await bus.publish(topic, outgoing(value))
    await bus.close()
  })

  test('tells a follower what it has forgotten', async () => {
    const bus = new MemoryBus({ road: new MemoryRoad(4) })
    const topic = replyTopic(provider)
    for (const value of 'abcdef') await bus.publish(topic, outgoing(value))
    const gaps: unknown[] = []
    const seen: string[] = []
    const follower = bus.follow({
      topics: [topic],
      from: () => ({ next: 0 }),
      recordsMax: 10,
      onRecords: async records => void seen.push(...records.map(({ value }) => value.toString())),
      onGap: gap => void gaps.push(gap),
    })
    await until('four records', () => seen.length === 4)
    expect([gaps, seen]).toMatchObject([[{ topic, partition: 0, from: 0, to: 2, reason: 'removed' }], [...'cdef']])
    expect(await bus.readAt(topic, 0, '1')).toBeUndefined()
    expect(await bus.readAt(topic, 0, '2')).toMatchObject({ offset: '2' })
    await follower.stop()
    await bus.close()
  })

  test('that is cut and grows again is read from where it was cut, and a worker has what is new', async () => {
    const road = new MemoryRoad(100)
    const bus = new MemoryBus({ road })
    const topic = requestTopic(provider)
    const write = (values: string) => Promise.all([...values].map(value => bus.publish(topic, outgoing(value))))
    const gaps: BusGap[] = []
    const [seen, handled, read]: [string[], string[], string[]] = [[], [], []]
    const onRecords = async (records: readonly IncomingRecord[]) =>
      void seen.push(...records.map(({ value }) => value.toString()))
    const onGap = (gap: BusGap) => void gaps.push(gap)
    const up = bus.follow({ topics: [topic], from: () => undefined, recordsMax: 10, onRecords, onGap })
    bus.work({ topic, group: 'w', poolSize: 1, heldMax: 9, handle: async ({ value }) => void handled.push(`${value}`) })
    bus.readReplies({ topics: [topic], partition: 0, sinceMs: 0, onRecord: ({ value }) => void read.push(`${value}`) })
    await write('abcdef')
    await until('all are taken', () => seen.length === 6 && handled.length === 6 && read.length === 6)
    const { topicId = '', leaderEpoch = -1 } = (await bus.readAt(topic, 0, '5')) as IncomingRecord
    road.truncate(topic, 0, 4)
    await write('EFGH')
    await until('the new history', () => seen.length === 10 && handled.length === 10 && read.length === 10)
    for (const list of [seen, handled, read]) expect(list.join('')).toBe('abcdefEFGH')
    const truncated = { topic, partition: 0, from: 6, to: 4, reason: 'truncated', topicId, leaderEpoch }
    expect(gaps).toEqual([truncated])
    const from = (_: string, partition: number) => (partition === 0 ? { next: 6, topicId, leaderEpoch } : undefined)
    const down = bus.follow({ topics: [topic], from, recordsMax: 10, onRecords, onGap })
    await until('those behind the cut', () => seen.length === 14)
    expect([seen.slice(10).join(''), gaps]).toEqual(['EFGH', [truncated, truncated]])
    await Promise.all([up.stop(), down.stop()])
    await bus.close()
  })

  test('is on a road whose clock all share', async () => {
    const road = new MemoryRoad(4, () => 7)
    const bus = new MemoryBus({ road, now: () => 8 })
    await bus.publish(replyTopic(provider), outgoing('a'))
    expect([bus.now(), (await bus.readAt(replyTopic(provider), 0, '0'))?.timestampMs]).toEqual([7, 7])
    expect(new MemoryBus({ now: () => 8 }).now()).toBe(8)
    expect(await bus.id()).not.toBe(await new MemoryBus().id())
    await bus.close()
  })

  test('goes on reading after a reader threw', async () => {
    const faults: string[] = []
    const bus = new MemoryBus({ log: (_level, message) => void faults.push(message) })
    const seen: string[] = []
    const onRecord = ({ value }: { value: Buffer }): void => {
      if (value.toString() === 'a') throw new Error('a bug of the reader')
      seen.push(value.toString())
    }
    bus.readReplies({ topics: [replyTopic(provider)], partition: 0, sinceMs: 0, onRecord })
    await Promise.all([...'abc'].map(value => bus.publish(replyTopic(provider), outgoing(value))))
    await until('the rest', () => seen.length === 2)
    expect(faults).toEqual(['a reader threw; it goes on at the next record'])
    await bus.close()
  })
})
