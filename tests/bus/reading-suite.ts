// The part of the bus suite about reading one partition without a group: everything, in order, from a time on.
import { expect, test } from 'vitest'
import { type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'
import { partitionsOf } from '#bus/topics.ts'
import { type BusHarness, numbers, publishAll } from '#tests/bus/bus-harness.ts'
import { until, within } from '#tests/bus/until.ts'

export function describeReading(h: BusHarness): void {
  test('reads one partition of several topics, and nothing else', async () => {
    const topics = [h.newReplyTopic(), h.newReplyTopic(), h.newReplyTopic()]
    const seen: string[] = []
    await h.read({ topics, partition: 3, onRecord: record => void seen.push(`${record.topic}/${record.partition}`) })
      .ready
    for (const topic of topics) {
      await publishAll(h.bus, topic, partitionsOf(topic), i => ({ partition: partitionsOf(topic) - 1 - i }))
      await publishAll(h.bus, topic, 1, () => ({ partition: 3 }))
    }
    await until('six records', () => seen.length >= 6)
    expect(seen.toSorted()).toEqual(topics.flatMap(topic => [`${topic}/3`, `${topic}/3`]).toSorted())
  })

  test('misses nothing published once it is ready', async () => {
    for (let round = 0; round < 5; round++) {
      const topic = h.newReplyTopic()
      const seen: string[] = []
      await h.read({ topics: [topic], onRecord: record => void seen.push(record.value.toString()) }).ready
      await publishAll(h.bus, topic, 1, () => ({ partition: 3 }))
      await until('the first record', () => seen.length === 1)
    }
  })

  test('gives every reader every record, in order, with dense offsets', async () => {
    const topic = h.newReplyTopic()
    const seen: [IncomingRecord[], IncomingRecord[]] = [[], []]
    await h.read({ topics: [topic], onRecord: record => void seen[0].push(record) }).ready
    await h.read({ topics: [topic], onRecord: record => void seen[1].push(record) }, h.world.openBus()).ready
    await publishAll(h.bus, topic, 500, () => ({ partition: 3 }))
    await until('500 records each', () => seen[0].length >= 500 && seen[1].length >= 500)
    for (const records of seen) {
      expect(records.map(record => record.value.toString())).toEqual(numbers(500))
      expect(records.map(record => record.offset)).toEqual(numbers(500))
    }
  })

  test('looks back to the time it is given, and not before', async () => {
    const topic = h.newReplyTopic()
    const seen: IncomingRecord[] = []
    const before = h.read({ topics: [topic], onRecord: record => void seen.push(record) })
    await before.ready
    await publishAll(h.bus, topic, 2, () => ({ partition: 3 }))
    await until('two records', () => seen.length === 2)
    const sinceMs = (seen[1]?.timestampMs ?? 0) + 1
    await until('the clock moved on', () => Date.now() > sinceMs)
    await publishAll(h.bus, topic, 2, () => ({ partition: 3, key: 'later' }))
    await until('four records', () => seen.length === 4)
    const late: IncomingRecord[] = []
    await h.read({ topics: [topic], sinceMs, onRecord: record => void late.push(record) }).ready
    await until('the later two', () => late.length >= 2)
    await publishAll(h.bus, topic, 1, () => ({ partition: 3, key: 'latest' }))
    await until('the latest', () => late.length >= 3)
    expect(late.map(record => record.key)).toEqual(['later', 'later', 'latest'])
  })

  test('reads from the beginning when that is younger than the time given', async () => {
    const topic = h.newReplyTopic()
    await publishAll(h.bus, topic, 3, () => ({ partition: 3 }))
    const seen: string[] = []
    h.read({ topics: [topic], sinceMs: 0, onRecord: record => void seen.push(record.offset) })
    await until('three records', () => seen.length === 3)
    expect(seen).toEqual(['0', '1', '2'])
  })

  test('reads nothing more once stopped', async () => {
    const topic = h.newReplyTopic()
    const seen: string[] = []
    const witnessed: string[] = []
    const reader = h.read({ topics: [topic], onRecord: record => void seen.push(record.offset) })
    await reader.ready
    await h.read({ topics: [topic], onRecord: record => void witnessed.push(record.offset) }).ready
    await within(30_000, 'stop', reader.stop())
    await reader.stop()
    await publishAll(h.bus, topic, 3, () => ({ partition: 3 }))
    await until('the witness saw them', () => witnessed.length === 3)
    expect(seen).toEqual([])
  })

  test('carries key, headers and bytes as they were', async () => {
    const topic = h.newReplyTopic()
    const seen: IncomingRecord[] = []
    await h.read({ topics: [topic], onRecord: record => void seen.push(record) }).ready
    const sent: OutgoingRecord[] = [
      {
        key: 'Nguyễn',
        partition: 3,
        headers: { ascii: 'plain', 'tiếng-việt': 'Đặng Thị Ngọc Ánh 🇻🇳', empty: '' },
        value: '{"họ":"Phạm"}',
      },
      { key: '', partition: 3, headers: {}, value: '' },
      { key: null, partition: 3, headers: { one: '1' }, value: '\u0000\u0001 ß 漢字 𝄞' },
      { key: 'big', partition: 3, headers: { long: 'x'.repeat(300) }, value: 'ữ'.repeat(20_000) },
    ]
    const sinceMs = Date.now()
    for (const record of sent) await h.bus.publish(topic, record)
    await until('all records', () => seen.length === sent.length)
    expect(
      seen.map(({ key, headers, value }) => ({
        key,
        headers: { ...headers },
        partition: 3,
        value: value.toString(),
      })),
    ).toEqual(sent)
    for (const { topic: on, partition, timestampMs } of seen) {
      expect({ on, partition }).toEqual({ on: topic, partition: 3 })
      expect(Math.abs(timestampMs - sinceMs)).toBeLessThan(3_600_000)
    }
  })
}
