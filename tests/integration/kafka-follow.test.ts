// Following topics on a real broker: what only a broker can do to a follower, beside going away (kafka-bus.test.ts): make topics
// late, forget records, make a topic anew, and hold more than fits in one answer.
import { describe, expect, test } from 'vitest'
import { type Bus, type BusGap, type IncomingRecord } from '#bus/bus.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { replyTopic, type TopicPlan } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { remakeTopic, removeBefore } from '#tests/bus/kafka-topics.ts'
import { until, within } from '#tests/bus/until.ts'

import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'

const { kafkaBrokers: brokers } = await stackOfWorker()

describe('following', () => {
  const planOf = (name: string): TopicPlan[] => [{ name, partitions: 8, retentionMs: 3_600_000 }]
  const follow = (bus: Bus, topics: string[], gaps: BusGap[] = []) => {
    const taken: IncomingRecord[] = []
    const follower = bus.follow({
      topics,
      from: () => ({ next: 0 }),
      recordsMax: 100,
      onRecords: async records => void taken.push(...records),
      onGap: gap => void gaps.push(gap),
    })
    return { follower, taken }
  }

  test('waits for topics that come late, which hold up neither the others nor the time it is caught up to', async () => {
    const [late, there] = ['late', 'there'].map(name =>
      replyTopic(`followed-${name}-${process.pid}` as ProviderId),
    ) as [string, string]
    await createTopics(brokers, planOf(there))
    const bus = createKafkaBus({ brokers, clientId: 'test' })
    const { follower, taken } = follow(bus, [late, there])
    await within(30_000, 'ready without the late topic', follower.ready)
    await bus.publish(there, { key: null, partition: 0, headers: {}, value: '' })
    await until('the record of the topic that is there', () => taken.length === 1)
    const nowMs = bus.now()
    await until('caught up without the late topic', () => follower.caughtUpMs >= nowMs)
    await createTopics(brokers, planOf(late))
    await bus.publish(late, { key: null, partition: 7, headers: {}, value: '' })
    const laterMs = bus.now()
    await until('caught up with the late topic', () => follower.caughtUpMs >= laterMs)
    expect(taken.map(({ topic }) => topic)).toEqual([there, late])
    await follower.stop()
    await bus.close()
  })

  test('reads a backlog that fills many answers from every partition in turn', async () => {
    const topics = ['long', 'longer'].map(name => replyTopic(`backlog-${name}-${process.pid}` as ProviderId))
    for (const topic of topics) await createTopics(brokers, planOf(topic))
    const bus = createKafkaBus({ brokers, clientId: 'test' })
    const value = 'x'.repeat(850_000)
    for (let round = 0; round < 3; round++)
      for (const topic of topics)
        for (let partition = 0; partition < 8; partition++)
          await bus.publish(topic, { key: null, partition, headers: {}, value })
    const { follower, taken } = follow(bus, topics)
    await until('all of it', () => taken.length === 48)
    const placeOf = (offset: string): number[] => taken.flatMap((record, i) => (record.offset === offset ? [i] : []))
    expect(Math.max(...placeOf('0'))).toBeLessThan(Math.min(...placeOf('2')))
    await follower.stop()
    await bus.close()
  })

  test('reads a backlog in the order of writing, however unevenly topics are filled', async () => {
    const [wide, narrow] = ['wide', 'narrow'].map(name => replyTopic(`step-${name}-${process.pid}` as ProviderId)) as [
      string,
      string,
    ]
    for (const topic of [wide, narrow]) await createTopics(brokers, planOf(topic))
    const bus = createKafkaBus({ brokers, clientId: 'test' })
    const value = 'x'.repeat(60_000)
    for (let round = 0; round < 40; round++) {
      const writes = Array.from({ length: 8 }, (_, partition) =>
        bus.publish(wide, { key: null, partition, headers: {}, value }),
      )
      await Promise.all([...writes, bus.publish(narrow, { key: null, partition: 3, headers: {}, value: '' })])
    }
    const { follower, taken } = follow(bus, [narrow, wide])
    await until('all of it', () => taken.length === 40 * 9)
    const writtenMs = taken.map(({ timestampMs }) => timestampMs)
    expect(writtenMs).toEqual(writtenMs.toSorted((a, b) => a - b))
    await follower.stop()
    await bus.close()
  })

  test('is told of records that are gone, and of a topic that was made anew', async () => {
    const topic = replyTopic(`gone-${process.pid}` as ProviderId)
    await createTopics(brokers, planOf(topic))
    const bus = createKafkaBus({ brokers, clientId: 'test' })
    const publish = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await bus.publish(topic, { key: null, partition: 2, headers: {}, value: '' })
    }
    await publish(10)
    await removeBefore(brokers, topic, { partition: 2, offset: '6' })
    const gaps: BusGap[] = []
    const { follower, taken } = follow(bus, [topic], gaps)
    await until('the rest', () => taken.length === 4)
    expect(gaps).toMatchObject([{ topic, partition: 2, from: 0, to: 6, reason: 'removed' }])
    expect(await bus.readAt(topic, 2, '5')).toBeUndefined()
    expect(await bus.readAt(topic, 2, '6')).toMatchObject({ offset: '6' })
    await remakeTopic(brokers, topic)
    await until('it is there again', () =>
      publish(1).then(
        () => true,
        () => false,
      ),
    )
    await until('the record of the new one', () => taken.length === 5)
    const remade = gaps.filter(({ reason, partition }) => reason === 'remade' && partition === 2)
    expect(remade).toMatchObject([{ topic, partition: 2, from: 10, to: 0, topicId: taken[4]?.topicId }])
    expect(taken[4]).toMatchObject({ partition: 2, offset: '0' })
    await follower.stop()
    await bus.close()
  }, 60_000)

  test('knows how much there is while nothing is taken, and takes heavy records as they can be taken', async () => {
    const topic = replyTopic(`heavy-${process.pid}` as ProviderId)
    await createTopics(brokers, planOf(topic))
    const bus = createKafkaBus({ brokers, clientId: 'test' })
    const value = 'x'.repeat(400_000)
    const publish = (i: number): Promise<void> =>
      bus.publish(topic, { key: null, partition: i % 8, headers: {}, value })
    await Promise.all(Array.from({ length: 120 }, (_, i) => publish(i)))
    const gate = Promise.withResolvers<void>()
    const taken: string[] = []
    const follower = bus.follow({
      topics: [topic],
      from: () => undefined,
      recordsMax: 5,
      onRecords: async records => {
        await gate.promise
        taken.push(...records.map(({ partition, offset }) => `${partition}/${offset}`))
      },
    })
    await until('it knows what there is', () => follower.lag === 120)
    gate.resolve()
    await until('all are taken', () => follower.lag === 0)
    expect(new Set(taken).size).toBe(120)
    expect(taken).toHaveLength(120)
    await follower.stop()
    await bus.close()
  })
})
