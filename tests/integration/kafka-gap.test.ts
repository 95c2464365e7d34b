// Followers and workers on a real broker whose log is not what it was, or holds what nobody here would write, or of which one
// partition cannot be read. An unclean election needs two brokers: here a position says that it read further in an epoch than the log
// has of it, which is what such an election leaves behind, and the broker itself contradicts it.
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Bus, type BusGap, type Following, type IncomingRecord } from '#bus/bus.ts'
import { createKafka, openClient } from '#bus/kafka-bus/client.ts'
import { crc32c } from '#bus/kafka-bus/crc32c.ts'
import { type FetchedPartition } from '#bus/kafka-bus/fetch-response.ts'
import { KafkaFollower } from '#bus/kafka-bus/follower.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { TopicLookup } from '#bus/kafka-bus/topic-lookup.ts'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { remakeTopic } from '#tests/bus/kafka-topics.ts'
import { until } from '#tests/bus/until.ts'
import { startKafka } from '#tests/stack/stack.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'

const { kafkaBrokers: brokers } = await stackOfWorker()

async function newTopic(name: string, on: readonly string[] = brokers): Promise<string> {
  const topic = requestTopic(`gap-${name}-${process.pid}` as ProviderId)
  await createTopics(on, [{ name: topic, partitions: 6, retentionMs: 3_600_000 }])
  return topic
}

const publish = async (bus: Bus, topic: string, values: readonly string[], partition = 0): Promise<void> => {
  for (const value of values) await bus.publish(topic, { key: null, partition, headers: {}, value })
}

function follow(bus: Bus, topic: string, following: Partial<Following> = {}) {
  const taken: IncomingRecord[] = []
  const gaps: BusGap[] = []
  const follower = bus.follow({
    topics: [topic],
    from: () => undefined,
    recordsMax: 1_000,
    onGap: gap => void gaps.push(gap),
    ...following,
    onRecords: async records => {
      await following.onRecords?.(records)
      taken.push(...records)
    },
  })
  return { follower, taken, gaps }
}

const valuesOf = (records: readonly IncomingRecord[]): string[] => records.map(({ value }) => value.toString())

test('a follower that was held up while its topic was made anew reads all of the new one', async () => {
  const topic = await newTopic('held')
  const bus = createKafkaBus({ brokers, clientId: 'gap' })
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  const { follower, taken, gaps } = follow(bus, topic, {
    onRecords: () => {
      isHeld = true
      return gate.promise
    },
  })
  await publish(bus, topic, ['old', 'old', 'old'])
  await until('it is held', () => isHeld)
  await remakeTopic(brokers, topic)
  await until('the new one is written', () =>
    publish(bus, topic, ['n0']).then(
      () => true,
      () => false,
    ),
  )
  await publish(bus, topic, ['n1', 'n2', 'n3', 'n4', 'n5'])
  gate.resolve()
  await until('the new one is read', () => taken.some(({ value }) => value.toString() === 'n5'))
  expect(valuesOf(taken).slice(3)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5'])
  expect(gaps.filter(({ partition }) => partition === 0)).toMatchObject([{ from: 3, to: 0, reason: 'remade' }])
  await follower.stop()
  await bus.close()
})

test('a worker goes on in a topic that was made anew, and commits there', async () => {
  const topic = await newTopic('worked')
  const bus = createKafkaBus({ brokers, clientId: 'gap' })
  const handled: string[] = []
  const work = () =>
    bus.work({
      topic,
      group: 'gap',
      poolSize: 4,
      heldMax: 9,
      handle: async ({ value }) => void handled.push(`${value}`),
    })
  const first = work()
  await first.ready
  await publish(bus, topic, ['a', 'b', 'c'])
  await until('the old ones', () => handled.length === 3)
  await remakeTopic(brokers, topic)
  await until('the new one is written', () =>
    publish(bus, topic, ['d']).then(
      () => true,
      () => false,
    ),
  )
  await publish(bus, topic, ['e'])
  await until('the new ones', () => handled.includes('e'))
  expect(handled).toEqual(['a', 'b', 'c', 'd', 'e'])
  await first.stop()
  const second = work()
  await second.ready
  await publish(bus, topic, ['f'])
  await until('what came since', () => handled.includes('f'))
  expect(handled.slice(5)).toEqual(['f'])
  await second.stop()
  await bus.close()
})

test('a position further than its epoch reaches is contradicted by the broker, and reading goes on where the histories part', async () => {
  const kafka = await startKafka()
  const topic = await newTopic('cut', kafka.brokers)
  const bus = createKafkaBus({ brokers: kafka.brokers, clientId: 'gap' })
  await publish(bus, topic, [...'0123456789'])
  await kafka.kill()
  await kafka.start()
  await until(
    'it is written again',
    () =>
      publish(bus, topic, ['10']).then(
        () => true,
        () => false,
      ),
    60_000,
  )
  await publish(bus, topic, ['11', '12', '13', '14'])
  const all = follow(bus, topic)
  await until('all', () => all.taken.length >= 15)
  const [older, newer] = [all.taken[9], all.taken[14]]
  expect(newer?.leaderEpoch).toBeGreaterThan(older?.leaderEpoch as number)
  const topicId = older?.topicId as string
  const parts = Number(all.taken.findLast(({ leaderEpoch }) => leaderEpoch === older?.leaderEpoch)?.offset) + 1
  const from = (next: number, leaderEpoch: number | undefined) =>
    follow(bus, topic, {
      from: (_, partition) => (partition === 0 ? { next, topicId, leaderEpoch: leaderEpoch as number } : undefined),
    })
  const cut = from(14, older?.leaderEpoch)
  const well = from(14, newer?.leaderEpoch)
  const unknown = from(14, (newer?.leaderEpoch as number) + 7)
  const count = all.taken.length
  await until('the records after', () => cut.taken.length >= count - parts && well.taken.length >= count - 14)
  expect(cut.gaps).toMatchObject([{ topic, partition: 0, from: 14, to: parts, reason: 'truncated', topicId }])
  expect(cut.taken[0]?.offset).toBe(String(parts))
  expect(well.gaps).toEqual([])
  await until('all again', () => unknown.taken.length >= count)
  expect(unknown.gaps).toMatchObject([{ from: 14, to: 0, reason: 'truncated' }])
  for (const { follower } of [all, cut, well, unknown]) await follower.stop()
  await bus.close()
  await kafka.stop()
}, 120_000)

test('one partition that fails takes nothing from the others, is told once, and is read again', async () => {
  const topic = await newTopic('failing')
  const bus = createKafkaBus({ brokers, clientId: 'gap' })
  const client = openClient({ brokers, clientId: 'gap-follower' })
  let failed = 0
  let isFailing = true
  // Not allowed to read one partition, in answers that are otherwise the broker’s own.
  const findBroker = client.cluster.findBroker.bind(client.cluster)
  client.cluster.findBroker = async node => {
    const broker = await findBroker(node)
    const send: typeof broker.connectionPool.send = async exchange => {
      const answer = await broker.connectionPool.send(exchange)
      for (const fetched of (answer as { partitions?: FetchedPartition[] } | null)?.partitions ?? []) {
        if (fetched.partition !== 1 || !isFailing) continue
        failed++
        Object.assign(fetched, { errorCode: 29, records: [], nextOffset: 0 })
      }
      return answer
    }
    return Object.assign(Object.create(broker), { connectionPool: { send } })
  }
  const said: string[] = []
  const taken: IncomingRecord[] = []
  const states: string[] = []
  const following: Following = {
    topics: [topic],
    from: () => undefined,
    recordsMax: 1_000,
    onRecords: async records => void taken.push(...records),
    onState: state => void states.push(state),
  }
  const follower = new KafkaFollower(client, following, {
    log: (_level, message) => void said.push(message),
    now: Date.now,
  })
  await publish(bus, topic, ['failing'], 1)
  for (let i = 0; failed < 5; i++) {
    await publish(bus, topic, [String(i)], 2)
    await until('the other one is read', () => valuesOf(taken).includes(String(i)))
  }
  expect(valuesOf(taken)).not.toContain('failing')
  expect([follower.lag > 0 || follower.caughtUpMs === 0, states]).toEqual([true, ['reading']])
  isFailing = false
  await until('the failing one is read', () => valuesOf(taken).includes('failing'))
  expect(said.filter(message => message.startsWith(topic))).toEqual([
    `${topic}/1 cannot be read: tried again`,
    `${topic}/1 is read again`,
  ])
  await follower.stop()
  await bus.close()
})

describe('what nobody here would write', () => {
  const varint = (value: number): Buffer => {
    const bytes: number[] = []
    let rest = value * 2
    for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
    return Buffer.from([...bytes, rest])
  }
  const sized = (bytes: Buffer | null): Buffer =>
    bytes === null ? Buffer.from([1]) : Buffer.concat([varint(bytes.length), bytes])
  const recordOf = (key: Buffer | null, value: Buffer | null, headers: [Buffer, Buffer | null][]): Buffer => {
    const all = headers.flatMap(([name, content]) => [sized(name), sized(content)])
    return sized(Buffer.concat([Buffer.alloc(3), sized(key), sized(value), varint(headers.length), ...all]))
  }
  const batchOf = (record: Buffer, attributes = 0): Buffer => {
    const batch = Buffer.concat([Buffer.alloc(61), record])
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt8(2, 16)
    batch.writeInt16BE(attributes, 21)
    batch.fill(0xff, 43, 57)
    batch.writeInt32BE(1, 57)
    batch.writeUInt32BE(crc32c(batch, 21), 17)
    return batch
  }
  /** As Java's library frames it, with one literal. */
  const snappy = (bytes: Buffer): Buffer => {
    const block = Buffer.concat([Buffer.from([bytes.length, (bytes.length - 1) << 2]), bytes])
    const head = Buffer.from([
      0x82,
      0x53,
      0x4e,
      0x41,
      0x50,
      0x50,
      0x59,
      0,
      0,
      0,
      0,
      1,
      0,
      0,
      0,
      1,
      0,
      0,
      0,
      block.length,
    ])
    return Buffer.concat([head, block])
  }

  async function produce(topic: string, batch: Buffer): Promise<void> {
    const client = openClient({ brokers, clientId: 'odd' })
    const lookup = new TopicLookup({ client, log: () => undefined, now: () => 0 })
    await lookup.refresh([topic])
    const broker = await client.cluster.findBroker({ nodeId: lookup.leaderOf(topic, 0) ?? '' })
    const head = Buffer.alloc(2 + 2 + 4 + 4 + 2)
    head.writeInt16BE(-1, 0)
    head.writeInt16BE(-1, 2)
    head.writeInt32BE(2_000, 4)
    head.writeInt32BE(1, 8)
    head.writeInt16BE(topic.length, 12)
    const tail = Buffer.alloc(12)
    tail.writeInt32BE(1, 0)
    tail.writeInt32BE(batch.length, 8)
    const buf = Buffer.concat([head, Buffer.from(topic), tail, batch])
    const Encoder = (await import('node:module')).createRequire(import.meta.url)('kafkajs/src/protocol/encoder')
    const encode = async () => Object.assign(new Encoder(0), { buf, offset: buf.length })
    const decode = async (bytes: Buffer) => ({ errorCode: bytes.readInt16BE(4 + 2 + topic.length + 4 + 4), bytes })
    const answer = await broker.connectionPool.send({
      request: { apiKey: 0, apiVersion: 7, apiName: 'Produce', encode },
      response: { decode, parse: async decoded => decoded },
    })
    expect(answer).toMatchObject({ errorCode: 0 })
    await client.close()
  }

  test('is handed on by a follower and a worker, or told as unreadable, and what comes after it is read', async () => {
    const topic = requestTopic(`odd-${process.pid}` as ProviderId)
    const admin = createKafka({ brokers, clientId: 'odd' }).admin()
    await admin.connect()
    // Stored as it comes, as in a topic that somebody else made.
    const configEntries = [{ name: 'compression.type', value: 'producer' }]
    await admin.createTopics({ topics: [{ topic, numPartitions: 6, replicationFactor: 1, configEntries }] })
    await admin.disconnect()
    const odd = Buffer.from([0xff, 0x00, 0xc3, 0x28, 0x80])
    const many = Array.from({ length: 50_000 }, (_, i): [Buffer, null] => [Buffer.from(`h${i}`), null])
    const plain = (value: string): Buffer => recordOf(null, Buffer.from(value), [])
    await produce(topic, batchOf(recordOf(odd, null, [[odd, odd]])))
    await produce(topic, batchOf(recordOf(null, odd, many)))
    await produce(topic, batchOf(gzipSync(plain('gzip')), 1))
    await produce(topic, batchOf(snappy(plain('snappy')), 2))
    await produce(topic, batchOf(zstdCompressSync(plain('zstd')), 4))
    await produce(topic, batchOf(snappy(plain('snappy')), 2))
    const bus = createKafkaBus({ brokers, clientId: 'odd' })
    const { follower, taken, gaps } = follow(bus, topic)
    const handled: string[] = []
    const handle = async ({ offset }: IncomingRecord) => void handled.push(offset)
    const worker = bus.work({ topic, group: 'odd', poolSize: 1, heldMax: 9, handle })
    await publish(bus, topic, ['after'])
    await until('the one after', () => valuesOf(taken).includes('after') && handled.includes('6'))
    expect(taken.map(({ offset, key, value }) => [offset, key, value.toString('latin1')])).toEqual([
      ['0', odd.toString(), ''],
      ['1', null, odd.toString('latin1')],
      ['2', null, 'gzip'],
      ['4', null, 'zstd'],
      ['6', null, 'after'],
    ])
    expect(handled).toEqual(['0', '1', '2', '4', '6'])
    expect(Object.keys(taken[1]?.headers ?? {})).toHaveLength(256)
    expect(gaps).toMatchObject([
      { topic, partition: 0, from: 3, to: 4, reason: 'unreadable' },
      { topic, partition: 0, from: 5, to: 6, reason: 'unreadable' },
    ])
    await Promise.all([follower.stop(), worker.stop()])
    await bus.close()
  })
})
