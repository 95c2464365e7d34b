// KafkaBus on a real broker: the suite of every Bus, and what only a broker can do to it: die, hang, lack a topic.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Bus, type IncomingRecord } from '#bus/bus.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { createTopics, missingTopics } from '#bus/kafka-bus/topics-admin.ts'
import { createProbe } from '#bus/probe.ts'
import {
  checkpointTopic,
  deadLetterTopic,
  planTopics,
  probeTopic,
  replyTopic,
  requestTopic,
  type TopicPlan,
} from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { remakeTopic, removeBefore } from '#tests/bus/kafka-topics.ts'
import { until, within } from '#tests/bus/until.ts'
import { type KafkaServer, startKafka } from '#tests/stack/stack.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { type BusWorld, describeBus } from '#tests/suites/bus.ts'

const { kafkaBrokers: brokers } = await stackOfWorker()
const stuckMember = new URL('../bus/stuck-member.ts', import.meta.url).pathname
const provider = `outage-${process.pid}` as ProviderId

describeBus('KafkaBus', async (): Promise<BusWorld> => {
  const buses: Bus[] = []
  return {
    openBus: () => {
      const bus = createKafkaBus({ brokers, clientId: 'test' })
      buses.push(bus)
      return bus
    },
    makeTopics: async providers => void (await createTopics(brokers, planTopics(providers))),
    remake: topic => remakeTopic(brokers, topic),
    removeBefore: (topic, partition, offset) => removeBefore(brokers, topic, { partition, offset: String(offset) }),
    startStuckMember: (topic, group, onTaken) => startStuckMember(topic, group, onTaken),
    close: async () => void (await Promise.all(buses.map(bus => bus.close()))),
  }
})

describe('topics', () => {
  const plan = [{ name: requestTopic(`made-${process.pid}` as ProviderId), partitions: 6, retentionMs: 3_600_000 }]

  test('are made once, and found missing before', async () => {
    expect(await missingTopics(brokers, plan)).toEqual([plan[0]?.name])
    expect(await createTopics(brokers, plan)).toEqual({ created: [plan[0]?.name], existing: [] })
    expect(await createTopics(brokers, plan)).toEqual({ created: [], existing: [plan[0]?.name] })
    expect(await missingTopics(brokers, plan)).toEqual([])
  })

  test('are not made by publishing, reading or working', async () => {
    const absent = { name: replyTopic(`absent-${process.pid}` as ProviderId), partitions: 8, retentionMs: 3_600_000 }
    const bus = createKafkaBus({ brokers, clientId: 'test' })
    const read = bus.readReplies({ topics: [absent.name], partition: 0, sinceMs: 0, onRecord: () => {} })
    const worker = bus.work({ topic: absent.name, group: 'absent', poolSize: 1, heldMax: 1, handle: async () => {} })
    const refused = await bus
      .publish(absent.name, { key: null, headers: {}, value: '' })
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ name: 'PublishError', surelyNotWritten: true })
    expect(await missingTopics(brokers, [absent])).toEqual([absent.name])
    await within(30_000, 'stop without the topic', Promise.all([read.stop(), worker.stop()]))
    await bus.close()
  })

  test('that come late are read from their beginning, and do not keep the others waiting', async () => {
    const [late, there] = ['late', 'there'].map(name => replyTopic(`${name}-${process.pid}` as ProviderId)) as [
      string,
      string,
    ]
    const planOf = (name: string): TopicPlan[] => [{ name, partitions: 8, retentionMs: 3_600_000 }]
    await createTopics(brokers, planOf(there))
    const bus = createKafkaBus({ brokers, clientId: 'test' })
    const seen: string[] = []
    const onRecord = (record: IncomingRecord): void => void seen.push(record.topic)
    const reader = bus.readReplies({ topics: [late, there], partition: 0, sinceMs: Date.now(), onRecord })
    await within(30_000, 'ready without the late topic', reader.ready)
    await bus.publish(there, { key: null, partition: 0, headers: {}, value: '' })
    await until('the record of the topic that is there', () => seen.length === 1)
    await createTopics(brokers, planOf(late))
    await bus.publish(late, { key: null, partition: 0, headers: {}, value: '' })
    await until('the record of the late topic', () => seen.length === 2)
    expect(seen).toEqual([there, late])
    await reader.stop()
    await bus.close()
  })
})

describe('a broker that goes away', () => {
  let kafka: KafkaServer
  let bus: Bus
  let ends: (() => unknown)[] = []

  beforeAll(async () => {
    kafka = await startKafka()
    await createTopics(kafka.brokers, planTopics([provider]))
    bus = createKafkaBus({ brokers: kafka.brokers, clientId: 'outage' })
  }, 120_000)
  afterEach(async () => {
    for (const end of ends.reverse()) await end()
    ends = []
  })
  afterAll(async () => {
    await within(30_000, 'close', bus.close())
    await kafka.stop()
  }, 60_000)

  test('and comes back: reader, worker and publish go on by themselves, and nothing acknowledged is lost', async () => {
    const read = new Set<string>()
    const worked = new Set<string>()
    const followed = new Set<string>()
    const states: string[] = []
    const topics = [replyTopic(provider), probeTopic]
    const reader = bus.readReplies({
      topics,
      partition: 2,
      sinceMs: Date.now(),
      onRecord: record => void read.add(record.value.toString()),
      onState: state => void states.push(`reader ${state}`),
    })
    const worker = bus.work({
      topic: requestTopic(provider),
      group: 'workers',
      poolSize: 8,
      heldMax: 100,
      handle: async record => void worked.add(record.value.toString()),
      onState: state => void states.push(`worker ${state}`),
    })
    const follower = bus.follow({
      topics: [requestTopic(provider), replyTopic(provider)],
      from: () => undefined,
      recordsMax: 1_000,
      onRecords: async records => {
        for (const { topic, value } of records) followed.add(`${topic} ${value}`)
      },
      onState: state => void states.push(`follower ${state}`),
    })
    ends.push(
      () => reader.stop(),
      () => worker.stop(),
      () => follower.stop(),
    )
    await Promise.all([reader.ready, worker.ready, follower.ready])
    const acknowledged: string[] = []
    let settled = 0
    const publish = async (value: string): Promise<void> => {
      const requested = bus.publish(requestTopic(provider), { key: value, headers: {}, value })
      const replied = bus.publish(replyTopic(provider), { key: null, partition: 2, headers: {}, value })
      const outcomes = await Promise.allSettled([requested, replied])
      settled++
      if (outcomes.every(outcome => outcome.status === 'fulfilled')) acknowledged.push(value)
    }
    let sent = 0
    const pending: Promise<void>[] = []
    const pump = setInterval(() => pending.push(publish(String(sent++))), 5)
    ends.push(() => clearInterval(pump))
    await until('traffic', () => acknowledged.length >= 50)
    await kafka.kill()
    const interrupted = ['reader interrupted', 'worker interrupted', 'follower interrupted']
    await until('all noticed', () => interrupted.every(state => states.includes(state)))
    const caughtUpMs = follower.caughtUpMs
    await kafka.start()
    const [before, beforeRead, beforeWorked, beforeFollowed] = [
      acknowledged.length,
      read.size,
      worked.size,
      followed.size,
    ]
    const isBack = {
      publish: () => acknowledged.length > before + 20,
      read: () => read.size > beforeRead + 20,
      work: () => worked.size > beforeWorked + 20,
      follow: () => followed.size > beforeFollowed + 20,
    }
    for (const [what, isMet] of Object.entries(isBack)) await until(`${what} again`, isMet)
    clearInterval(pump)
    await within(30_000, 'every publish settles', Promise.all(pending))
    await until('all acknowledged were read', () => acknowledged.every(value => read.has(value)))
    await until('all acknowledged were worked off', () => acknowledged.every(value => worked.has(value)))
    const topicsFollowed = [requestTopic(provider), replyTopic(provider)]
    await until('all acknowledged were followed', () =>
      acknowledged.every(value => topicsFollowed.every(topic => followed.has(`${topic} ${value}`))),
    )
    await until('caught up', () => follower.caughtUpMs > caughtUpMs && follower.lag === 0)
    expect(settled).toBe(sent)
    expect(states).toEqual(expect.arrayContaining(['reader reading', 'worker working', 'follower reading']))
  }, 120_000)

  test('and hangs: publish settles all the same, the probe closes, and opens when the broker goes on', async () => {
    const probe = createProbe({ bus, partition: 4, instance: 'hanging', intervalMs: 200, timeoutMs: 500 })
    const reader = bus.readReplies({
      topics: [probeTopic],
      partition: 4,
      sinceMs: Date.now(),
      onRecord: record => probe.onRecord(record),
      onState: state => void (state === 'interrupted' && probe.interrupted()),
    })
    ends.push(
      () => reader.stop(),
      () => probe.stop(),
    )
    await within(30_000, 'open', probe.firstOpen)
    await bus.publish(replyTopic(provider), { key: null, partition: 6, headers: {}, value: 'to be found' })
    const find = (): Promise<unknown> => bus.readAt(replyTopic(provider), 6, '0').catch((error: unknown) => error)
    expect(await find()).toMatchObject({ offset: '0' })
    await bus.publish(requestTopic(provider), { key: 'k', headers: {}, value: 'before' })
    const idle = createKafkaBus({ brokers: kafka.brokers, clientId: 'idle' })
    ends.push(() => idle.close())
    await idle.publish(checkpointTopic, { key: null, headers: {}, value: 'before' })
    await kafka.pause()
    ends.push(() => kafka.resume())
    const publish = (): Promise<unknown> =>
      bus.publish(requestTopic(provider), { key: 'k', headers: {}, value: 'hung' }).catch((error: unknown) => error)
    await until('the probe closes', () => !probe.isOpen)
    expect(await within(30_000, 'the first publish', publish())).toMatchObject({
      name: 'PublishError',
      surelyNotWritten: false,
    })
    expect(await within(30_000, 'the second publish', publish())).toMatchObject({
      name: 'PublishError',
      surelyNotWritten: true,
    })
    const first = idle.publish(deadLetterTopic, { key: null, headers: {}, value: 'first of its topic' })
    await expect(within(30_000, 'the first of another topic', first)).rejects.toMatchObject({ surelyNotWritten: true })
    const unknown = { name: 'RoadError' }
    expect(await within(30_000, 'answers', Promise.all([find(), find(), find()]))).toMatchObject([
      unknown,
      unknown,
      unknown,
    ])
    await kafka.resume()
    await until('the probe opens', () => probe.isOpen)
    await bus.publish(requestTopic(provider), { key: 'k', headers: {}, value: 'after' })
    // Where it lies could not be asked then.
    await idle.publish(deadLetterTopic, { key: null, headers: {}, value: 'after' })
    expect(await within(30_000, 'found', find())).toMatchObject({ offset: '0' })
  }, 60_000)

  test('for good: stop and close end all the same, and leave nothing running', async () => {
    const own = createKafkaBus({ brokers: kafka.brokers, clientId: 'doomed' })
    const reader = own.readReplies({ topics: [replyTopic(provider)], partition: 1, sinceMs: 0, onRecord: () => {} })
    const worker = own.work({
      topic: requestTopic(provider),
      group: 'doomed',
      poolSize: 1,
      heldMax: 1,
      handle: async () => {},
    })
    const follower = own.follow({
      topics: [requestTopic(provider)],
      from: () => undefined,
      recordsMax: 10,
      onRecords: async () => {},
    })
    await Promise.all([reader.ready, worker.ready, follower.ready])
    await own.publish(replyTopic(provider), { key: null, headers: {}, value: 'x' })
    await kafka.kill()
    const waiting = own.publish(replyTopic(provider), { key: null, headers: {}, value: 'y' }).catch(() => 'rejected')
    await within(30_000, 'stop', Promise.all([reader.stop(), worker.stop(), follower.stop()]))
    await expect(own.id()).rejects.toMatchObject({ name: 'RoadError' })
    await within(30_000, 'close', own.close())
    expect(await waiting).toBe('rejected')
    await kafka.start()
  }, 90_000)
})

test('a process whose bus is closed ends by itself', async () => {
  const script = `
    import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
    const bus = createKafkaBus({ brokers: ${JSON.stringify(brokers)}, clientId: 'ending' })
    const reader = bus.readReplies({ topics: ['${probeTopic}'], partition: 0, sinceMs: Date.now(), onRecord: () => {} })
    const worker = bus.work({ topic: '${probeTopic}', group: 'ending', poolSize: 1, heldMax: 1, handle: async () => {} })
    const from = () => undefined
    const follower = bus.follow({ topics: ['${probeTopic}'], from, recordsMax: 10, onRecords: async () => {} })
    await Promise.all([reader.ready, worker.ready, follower.ready])
    await bus.publish('${probeTopic}', { key: null, headers: {}, value: '' })
    await bus.readAt('${probeTopic}', 0, '0')
    await bus.id()
    await Promise.all([reader.stop(), worker.stop(), follower.stop()])
    await bus.close()
    console.log('closed')`
  const cwd = new URL('../..', import.meta.url).pathname
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  createInterface({ input: child.stdout }).on('line', () => closed.resolve())
  child.once('exit', () => ended.resolve())
  await within(50_000, 'close', closed.promise)
  await within(30_000, 'the end', ended.promise)
  expect(child.exitCode).toBe(0)
}, 60_000)

test('a process whose own clock is an hour ahead agrees on the time once something of it was acknowledged', async () => {
  const script = `
    const ownNow = Date.now
    Date.now = () => ownNow() + 3_600_000
    const { createKafkaBus } = await import('#bus/kafka-bus/kafka-bus.ts')
    const { announce } = await import('#bus/probe.ts')
    const bus = createKafkaBus({ brokers: ${JSON.stringify(brokers)}, clientId: 'ahead' })
    const skewMs = () => bus.now() - ownNow()
    const before = skewMs()
    // The shortest round trip counts, and a busy machine may make several long.
    for (let i = 0; i < 3 || (i < 300 && Math.abs(skewMs()) >= 100); i++) await announce(bus, 'ahead')
    console.log(JSON.stringify([before, skewMs()]))
    await bus.close()`
  const cwd = new URL('../..', import.meta.url).pathname
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const told = Promise.withResolvers<string>()
  createInterface({ input: child.stdout }).on('line', told.resolve)
  const [before, after] = JSON.parse(await within(30_000, 'its time', told.promise)) as [number, number]
  expect(before).toBeGreaterThan(3_590_000)
  expect(Math.abs(after)).toBeLessThan(100)
}, 60_000)

async function startStuckMember(topic: string, group: string, onTaken: () => void): Promise<{ kill(): Promise<void> }> {
  const child = spawn(process.execPath, [stuckMember, brokers.join(','), topic, group], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  createInterface({ input: child.stdout }).on('line', onTaken)
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  return { kill }
}
