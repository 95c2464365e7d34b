// The part of the bus suite about publishing: placement, limits at and past, closing.
import { expect, test } from 'vitest'
import { type IncomingRecord, PublishError, publishQueueMax, valueBytesMax } from '#bus/bus.ts'
import { type BusHarness, numbers, outgoing, publishAll } from '#tests/bus/bus-harness.ts'
import { until, within } from '#tests/bus/until.ts'

export function describePublishing(h: BusHarness): void {
  test('spreads batches without a key over the partitions, and keeps a key on one', async () => {
    const topic = h.newRequestTopic()
    const byKey = new Map<string | null, number[]>()
    let handled = 0
    const handle = async ({ key, partition }: IncomingRecord): Promise<void> => {
      byKey.set(key, [...(byKey.get(key) ?? []), partition])
      handled++
    }
    await h.work({ topic, handle }).ready
    for (let i = 0; i < 24; i++) await h.bus.publish(topic, outgoing(i))
    await publishAll(h.bus, topic, 10, () => ({ key: 'same' }))
    await until('34 handled', () => handled === 34)
    const spread = byKey.get(null) ?? []
    expect(numbers(6).map(partition => spread.filter(one => one === Number(partition)).length)).toEqual([
      4, 4, 4, 4, 4, 4,
    ])
    expect(new Set(byKey.get('same')).size).toBe(1)
  })

  test('never delivers inside publish', async () => {
    const topic = h.newReplyTopic()
    let seen = 0
    await h.read({ topics: [topic], onRecord: () => void seen++ }).ready
    const published = h.bus.publish(topic, outgoing(0, { partition: 3 }))
    expect(seen).toBe(0)
    await published
    await until('the record', () => seen === 1)
  })

  test('takes as many records as its queue holds, and refuses the one past that', async () => {
    const topic = h.newReplyTopic()
    const own = h.world.openBus()
    const record = outgoing(0, { value: 'x' })
    const taken = Array.from({ length: publishQueueMax }, () => own.publish(topic, record))
    const refused = await own.publish(topic, record).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(PublishError)
    expect(refused).toMatchObject({ surelyNotWritten: true })
    await within(50_000, 'all taken are written', Promise.all(taken))
    await own.publish(topic, record)
  }, 60_000)

  test('refuses a topic no plan has and a partition no topic has', async () => {
    const topic = h.newReplyTopic()
    const faults = [h.bus.publish('somewhere-else', outgoing(0)), h.bus.publish(topic, outgoing(0, { partition: 8 }))]
    for (const fault of await Promise.allSettled(faults)) {
      expect(fault).toMatchObject({ status: 'rejected', reason: { name: 'PublishError', surelyNotWritten: true } })
    }
  })

  test('carries a value as long as it may be, several at once, and refuses one a byte longer', async () => {
    const topic = h.newReplyTopic()
    const seen: number[] = []
    await h.read({ topics: [topic], onRecord: record => void seen.push(record.value.length) }).ready
    const longest = 'ữ'.repeat(valueBytesMax / 3)
    const sent = Array.from({ length: 3 }, () => h.bus.publish(topic, outgoing(0, { partition: 3, value: longest })))
    const refused = await h.bus
      .publish(topic, outgoing(0, { partition: 3, value: `${longest}x` }))
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'PublishError', surelyNotWritten: true })
    await within(30_000, 'the longest', Promise.all(sent))
    await until('three long values', () => seen.length === 3)
    expect(seen).toEqual([valueBytesMax, valueBytesMax, valueBytesMax])
  })

  test('sends what waits when closed, refuses afterwards, and may be closed twice', async () => {
    const topic = h.newReplyTopic()
    const own = h.world.openBus()
    const seen: string[] = []
    await h.read({ topics: [topic], onRecord: record => void seen.push(record.value.toString()) }).ready
    const waiting = Array.from({ length: 5 }, (_, i) => own.publish(topic, outgoing(i, { partition: 3 })))
    await within(30_000, 'close', own.close())
    await own.close()
    await Promise.all(waiting)
    const refused = await own.publish(topic, outgoing(9)).catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'PublishError', surelyNotWritten: true })
    await until('what waited', () => seen.length === 5)
    expect(seen).toEqual(numbers(5))
  })
}
