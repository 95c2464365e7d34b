// The part of the bus suite about single questions to the road: one record, what time it is, which road this is.
import { expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { announce } from '#bus/probe.ts'
import { replyTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { type BusHarness, publishAll } from '#tests/bus/bus-harness.ts'
import { until, within } from '#tests/bus/until.ts'

export function describeFinding(h: BusHarness): void {
  test('finds one record as it was read', async () => {
    const topic = h.newReplyTopic()
    const seen: IncomingRecord[] = []
    await h.read({ topics: [topic], onRecord: record => void seen.push(record) }).ready
    await publishAll(h.bus, topic, 30, i => ({ partition: 3, key: `k${i}`, headers: { i: String(i) } }))
    await until('30 records', () => seen.length === 30)
    for (const offset of [0, 17, 29]) expect(await h.bus.readAt(topic, 3, String(offset))).toEqual(seen[offset])
    expect(await h.world.openBus().readAt(topic, 3, '5')).toEqual(seen[5])
  })

  test('finds nothing where nothing was written', async () => {
    const topic = h.newReplyTopic()
    await publishAll(h.bus, topic, 2, () => ({ partition: 3 }))
    const absent = replyTopic(`absent-${process.pid}` as ProviderId)
    const places: [string, number, string][] = [
      [topic, 3, '2'],
      [topic, 3, '3000'],
      [topic, 3, '-1'],
      [topic, 3, 'x'],
      [topic, 4, '0'],
      [topic, 99, '0'],
      [absent, 0, '0'],
    ]
    const asked = Promise.all(places.map(([on, partition, offset]) => h.bus.readAt(on, partition, offset)))
    expect(await within(30_000, 'answers', asked)).toEqual(places.map(() => undefined))
    expect(await h.bus.readAt(topic, 3, '1')).toMatchObject({ offset: '1' })
  })

  test('tells where a partition ends, and 0 where nothing is', async () => {
    const topic = h.newReplyTopic()
    expect(await h.bus.endOf(topic, 3)).toBe(0)
    await publishAll(h.bus, topic, 7, () => ({ partition: 3 }))
    expect(await h.bus.endOf(topic, 3)).toBe(7)
    expect(await h.bus.endOf(replyTopic(`absent-${process.pid}` as ProviderId), 0)).toBe(0)
  })

  test('finds many at once, of several topics, while others poll', async () => {
    const topics = [h.newReplyTopic(), h.newReplyTopic()]
    await h.read({ topics, onRecord: () => {} }).ready
    for (const topic of topics) await publishAll(h.bus, topic, 8 * 5, i => ({ partition: i % 8 }))
    const places = topics.flatMap(topic =>
      Array.from({ length: 40 }, (_, i) => ({ topic, partition: i % 8, offset: String(Math.floor(i / 8)) })),
    )
    const own = h.world.openBus()
    const asked = Promise.all(places.map(({ topic, partition, offset }) => own.readAt(topic, partition, offset)))
    expect(await within(30_000, 'all', asked)).toMatchObject(places)
  })

  test('finds nothing any more once closed, and says why', async () => {
    const own = h.world.openBus()
    await own.close()
    await expect(own.readAt(h.newReplyTopic(), 0, '0')).rejects.toMatchObject({ name: 'RoadError' })
  })

  test('tells everyone the time at which records are written', async () => {
    const topic = h.newReplyTopic()
    const [one, other] = [h.world.openBus(), h.world.openBus()]
    const [beganMs, toldMs, endMs] = [Date.now(), one.now(), Date.now()]
    expect(toldMs >= beganMs && toldMs <= endMs).toBe(true)
    // The shortest round trip counts, and a busy machine may make several long.
    await until('all agree within 50 ms', async () => {
      await Promise.all([announce(one, 'one'), announce(other, 'other')])
      return Math.abs(one.now() - other.now()) < 50
    })
    let records = 0
    await until('a record is written at the time that all tell, within 50 ms', async () => {
      const beforeMs = other.now()
      await one.publish(topic, { key: null, partition: 0, headers: {}, value: '' })
      const afterMs = other.now()
      const writtenMs = (await one.readAt(topic, 0, String(records++)))?.timestampMs ?? Number.NaN
      return writtenMs > beforeMs - 50 && writtenMs < afterMs + 50
    })
    expect(Number.isInteger(one.now())).toBe(true)
  })

  test('names the road: the same for all, and again', async () => {
    const id = await h.bus.id()
    expect(id).not.toBe('')
    expect(await h.world.openBus().id()).toBe(id)
    expect(await h.bus.id()).toBe(id)
  })
}
