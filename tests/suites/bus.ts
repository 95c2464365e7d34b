// What every Bus promises, whatever stands behind it. MemoryBus runs it without servers, KafkaBus against a real broker.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type Bus,
  type IncomingRecord,
  type OutgoingRecord,
  PublishError,
  publishQueueMax,
  type Reader,
  type ReplyReading,
  type Working,
} from '#bus/bus.ts'
import { createProbe, type Probe } from '#bus/probe.ts'
import { partitionsOf, probeTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { until, within } from '#tests/bus/until.ts'

/** A road of its own for one run of the suite, and several processes' views of it. */
export interface BusWorld {
  /** A bus as a process would open it; the world closes it at the end. */
  openBus(): Bus
  /** Makes the request and reply topics of these providers, and the probe topic. */
  makeTopics(providers: readonly ProviderId[]): Promise<void>
  /** A member of the group that takes records and finishes none, until it is killed as by SIGKILL. */
  startStuckMember(topic: string, group: string, onTaken: () => void): Promise<{ kill(): Promise<void> }>
  close(): Promise<void>
}

let worlds = 0

export function describeBus(name: string, makeWorld: () => Promise<BusWorld>): void {
  describe(name, () => {
    const run = `${process.pid}-${Date.now().toString(36)}-${++worlds}`
    const spareTopics = Array.from({ length: 30 }, (_, i) => `t${i}-${run}` as ProviderId)
    let world: BusWorld
    let bus: Bus
    let cleanUps: (() => unknown)[] = []
    let providers = spareTopics.values()

    const newProvider = (): ProviderId => {
      const next = providers.next()
      if (next.done) throw new Error('more topics are used than were made')
      return next.value
    }
    const newRequestTopic = (): string => requestTopic(newProvider())
    const newReplyTopic = (): string => replyTopic(newProvider())
    const work = (working: Partial<Working> & Pick<Working, 'topic' | 'handle'>, on: Bus = bus): Reader => {
      const reader = on.work({ group: 'workers', poolSize: 8, heldMax: 100, ...working })
      cleanUps.push(() => reader.stop())
      return reader
    }
    const read = (reading: Partial<ReplyReading> & Pick<ReplyReading, 'topics' | 'onRecord'>, on: Bus = bus): Reader => {
      const reader = on.readReplies({ partition: 3, sinceMs: Date.now(), ...reading })
      cleanUps.push(() => reader.stop())
      return reader
    }

    beforeAll(async () => {
      world = await makeWorld()
      await world.makeTopics(spareTopics)
      bus = world.openBus()
      providers = spareTopics.values()
    }, 60_000)
    afterEach(async () => {
      for (const cleanUp of cleanUps.reverse()) await cleanUp()
      cleanUps = []
    })
    afterAll(async () => {
      await bus.close()
      await world.close()
    }, 30_000)

    describeWorking()
    describeReading()
    describePublishing()
    describeProbing()

    function describeWorking(): void {
      test('works off each published record once', async () => {
        const topic = newRequestTopic()
        const handled: string[] = []
        await work({ topic, handle: async record => void handled.push(record.value.toString()) }).ready
        await publishAll(bus, topic, 50, i => ({ key: `k${i}` }))
        await until('50 handled', () => handled.length >= 50)
        expect(handled.toSorted()).toEqual(numbers(50).toSorted())
      })

      test('works off what was published before the group existed', async () => {
        const topic = newRequestTopic()
        const handled: string[] = []
        await publishAll(bus, topic, 20, () => ({}))
        work({ topic, handle: async record => void handled.push(record.value.toString()) })
        await until('20 handled', () => handled.length >= 20)
        expect(handled.toSorted()).toEqual(numbers(20).toSorted())
      })

      test('does not hand out again what was finished before its member stopped', async () => {
        const topic = newRequestTopic()
        const handled: string[] = []
        const handle = async (record: IncomingRecord): Promise<void> => void handled.push(record.value.toString())
        const first = work({ topic, handle })
        await first.ready
        await publishAll(bus, topic, 12, () => ({}))
        await until('12 handled', () => handled.length === 12)
        await first.stop()
        await work({ topic, handle }).ready
        await publishAll(bus, topic, 12, () => ({}))
        await until('12 more handled', () => handled.length >= 24)
        expect(handled.toSorted()).toEqual([...numbers(12), ...numbers(12)].toSorted())
      })

      test('gives every group every record', async () => {
        const topic = newRequestTopic()
        const handled: string[] = []
        const note = (group: string) => async (): Promise<void> => void handled.push(group)
        await Promise.all(['a', 'b'].map(group => work({ topic, group, handle: note(group) }).ready))
        await publishAll(bus, topic, 6, () => ({}))
        await until('both groups handled 6', () => handled.length >= 12)
        expect(handled.toSorted().join('')).toBe('aaaaaabbbbbb')
      })

      test('shares the partitions between two members', async () => {
        const topic = newRequestTopic()
        const byMember: [Set<number>, Set<number>] = [new Set(), new Set()]
        const handled: number[] = []
        const handleAs = (member: 0 | 1) => async (record: IncomingRecord): Promise<void> => {
          byMember[member].add(record.partition)
          handled.push(record.partition)
        }
        await work({ topic, handle: handleAs(0) }).ready
        const other = world.openBus()
        await work({ topic, handle: handleAs(1) }, other).ready
        await publishUntil(bus, topic, 'both members at work', () => byMember[0].size > 0 && byMember[1].size > 0)
        for (const set of byMember) set.clear()
        const before = handled.length
        await publishAll(bus, topic, 60, i => ({ partition: i % partitionsOf(topic) }))
        await until('60 more handled', () => handled.length >= before + 60)
        expect([...byMember[0], ...byMember[1]].toSorted()).toEqual([0, 1, 2, 3, 4, 5])
        expect([...byMember[0]].filter(partition => byMember[1].has(partition))).toEqual([])
      })

      test('handles the records of one key in order, and lets others overtake', async () => {
        const topic = newRequestTopic()
        const events: string[] = []
        const gate = Promise.withResolvers<void>()
        const handle = async ({ key, value }: IncomingRecord): Promise<void> => {
          if (key === 'slow' && value.toString() === '0') await gate.promise
          events.push(`${key}${value}`)
        }
        await work({ topic, handle }).ready
        await publishAll(bus, topic, 5, () => ({ key: 'slow', partition: 0 }))
        await publishAll(bus, topic, 5, () => ({ key: 'fast', partition: 0 }))
        await until('fast overtook', () => events.includes('fast4'))
        expect(events).toEqual(['fast0', 'fast1', 'fast2', 'fast3', 'fast4'])
        gate.resolve()
        await until('slow went on', () => events.length === 10)
        expect(events.slice(5)).toEqual(['slow0', 'slow1', 'slow2', 'slow3', 'slow4'])
      })

      test('handles a rejected record again, in its place, without holding up other keys', async () => {
        const topic = newRequestTopic()
        const events: string[] = []
        const rejections: unknown[] = []
        let failures = 2
        const handle = async ({ key, value }: IncomingRecord): Promise<void> => {
          if (key === 'bad' && value.toString() === '0' && failures-- > 0) throw new Error('register away')
          events.push(`${key}${value}`)
        }
        const onRejection = (error: unknown): void => void rejections.push(error)
        await work({ topic, poolSize: 1, handle, onRejection }).ready
        await publishAll(bus, topic, 3, () => ({ key: 'bad', partition: 0 }))
        await publishAll(bus, topic, 3, () => ({ key: 'good', partition: 0 }))
        await until('all handled', () => events.length === 6)
        expect(events).toEqual(['good0', 'good1', 'good2', 'bad0', 'bad1', 'bad2'])
        expect(rejections.map(String)).toEqual(['Error: register away', 'Error: register away'])
      })

      test('does not commit past a record whose handler rejects', async () => {
        const topic = newRequestTopic()
        let rejected = 0
        const first = work({
          topic,
          handle: async ({ value }) => {
            if (value.toString() === '0') {
              rejected++
              throw new Error('register away')
            }
          },
        })
        await first.ready
        await publishAll(bus, topic, 4, () => ({ partition: 2 }))
        await until('the first was rejected', () => rejected > 0)
        await first.stop()
        const handled: string[] = []
        work({ topic, handle: async record => void handled.push(record.value.toString()) })
        await until('the first is handled after all', () => handled.includes('0'))
      })

      test('holds as many records as it may, and takes the one past that when there is room', async () => {
        const topic = newRequestTopic()
        const heldMax = 8
        const begun: (() => void)[] = []
        const handle = (): Promise<void> => new Promise(resolve => begun.push(resolve))
        await work({ topic, poolSize: 100, heldMax, handle }).ready
        await publishAll(bus, topic, heldMax, () => ({ partition: 1 }))
        await until('all it may hold are held', () => begun.length === heldMax)
        await publishAll(bus, topic, 1, () => ({ partition: 1 }))
        // Another partition's records would be read before long if reading went on.
        const seen: string[] = []
        await work({ topic, group: 'witness', handle: async record => void seen.push(record.offset) }).ready
        await until('the witness saw them all', () => seen.length === heldMax + 1)
        expect(begun.length).toBe(heldMax)
        for (const finish of begun.splice(0)) finish()
        await until('the one past the limit is handled', () => begun.length === 1)
        begun[0]?.()
      })

      test('lets no more than the pool be handled at once', async () => {
        const topic = newRequestTopic()
        let running = 0
        let most = 0
        let handled = 0
        const handle = async (): Promise<void> => {
          most = Math.max(most, ++running)
          await new Promise(resolve => setImmediate(resolve))
          running--
          handled++
        }
        await work({ topic, poolSize: 3, heldMax: 5, handle }).ready
        await publishAll(bus, topic, 100, () => ({}))
        await until('100 handled', () => handled >= 100, 20_000)
        expect({ most, handled }).toEqual({ most: 3, handled: 100 })
      })

      test('waits in stop() for what is being handled, and commits it', async () => {
        const topic = newRequestTopic()
        const gate = Promise.withResolvers<void>()
        let begun = 0
        let ended = 0
        const first = work({
          topic,
          poolSize: 2,
          handle: async () => {
            begun++
            await gate.promise
            ended++
          },
        })
        await first.ready
        await publishAll(bus, topic, 5, () => ({ partition: 0 }))
        await until('two are being handled', () => begun === 2)
        const stopped = first.stop()
        gate.resolve()
        await within(10_000, 'stop', stopped)
        expect({ begun, ended }).toEqual({ begun: 2, ended: 2 })
        await first.stop()
        const rest: string[] = []
        work({ topic, handle: async record => void rest.push(record.value.toString()) })
        await until('the rest is handled', () => rest.length === 3)
        expect(rest).toEqual(['2', '3', '4'])
      })

      test('hands out again what a member that died had not finished', async () => {
        const topic = newRequestTopic()
        let taken = 0
        const stuck = await world.startStuckMember(topic, 'workers', () => taken++)
        await publishAll(bus, topic, 30, () => ({}))
        await until('the member took some', () => taken > 0, 20_000)
        await stuck.kill()
        const handled = new Set<string>()
        work({ topic, handle: async record => void handled.add(record.value.toString()) })
        await until('all 30 are handled', () => handled.size === 30, 30_000)
      }, 60_000)
    }

    function describeReading(): void {
      test('reads one partition of several topics, and nothing else', async () => {
        const topics = [newReplyTopic(), newReplyTopic(), newReplyTopic()]
        const seen: string[] = []
        await read({ topics, partition: 3, onRecord: record => void seen.push(`${record.topic}/${record.partition}`) }).ready
        for (const topic of topics) {
          await publishAll(bus, topic, partitionsOf(topic), i => ({ partition: partitionsOf(topic) - 1 - i }))
          await publishAll(bus, topic, 1, () => ({ partition: 3 }))
        }
        await until('six records', () => seen.length >= 6)
        expect(seen.toSorted()).toEqual(topics.flatMap(topic => [`${topic}/3`, `${topic}/3`]).toSorted())
      })

      test('misses nothing published once it is ready', async () => {
        for (let round = 0; round < 5; round++) {
          const topic = newReplyTopic()
          const seen: string[] = []
          await read({ topics: [topic], onRecord: record => void seen.push(record.value.toString()) }).ready
          await publishAll(bus, topic, 1, () => ({ partition: 3 }))
          await until('the first record', () => seen.length === 1)
        }
      })

      test('gives every reader every record, in order, with dense offsets', async () => {
        const topic = newReplyTopic()
        const seen: [IncomingRecord[], IncomingRecord[]] = [[], []]
        await read({ topics: [topic], onRecord: record => void seen[0].push(record) }).ready
        await read({ topics: [topic], onRecord: record => void seen[1].push(record) }, world.openBus()).ready
        await publishAll(bus, topic, 500, () => ({ partition: 3 }))
        await until('500 records each', () => seen[0].length >= 500 && seen[1].length >= 500)
        for (const records of seen) {
          expect(records.map(record => record.value.toString())).toEqual(numbers(500))
          expect(records.map(record => record.offset)).toEqual(numbers(500))
        }
      })

      test('looks back to the time it is given, and not before', async () => {
        const topic = newReplyTopic()
        const seen: IncomingRecord[] = []
        const before = read({ topics: [topic], onRecord: record => void seen.push(record) })
        await before.ready
        await publishAll(bus, topic, 2, () => ({ partition: 3 }))
        await until('two records', () => seen.length === 2)
        const sinceMs = (seen[1]?.timestampMs ?? 0) + 1
        await until('the clock moved on', () => Date.now() > sinceMs)
        await publishAll(bus, topic, 2, () => ({ partition: 3, key: 'later' }))
        await until('four records', () => seen.length === 4)
        const late: IncomingRecord[] = []
        await read({ topics: [topic], sinceMs, onRecord: record => void late.push(record) }).ready
        await until('the later two', () => late.length >= 2)
        await publishAll(bus, topic, 1, () => ({ partition: 3, key: 'latest' }))
        await until('the latest', () => late.length >= 3)
        expect(late.map(record => record.key)).toEqual(['later', 'later', 'latest'])
      })

      test('reads from the beginning when that is younger than the time given', async () => {
        const topic = newReplyTopic()
        await publishAll(bus, topic, 3, () => ({ partition: 3 }))
        const seen: string[] = []
        read({ topics: [topic], sinceMs: 0, onRecord: record => void seen.push(record.offset) })
        await until('three records', () => seen.length === 3)
        expect(seen).toEqual(['0', '1', '2'])
      })

      test('reads nothing more once stopped', async () => {
        const topic = newReplyTopic()
        const seen: string[] = []
        const witnessed: string[] = []
        const reader = read({ topics: [topic], onRecord: record => void seen.push(record.offset) })
        await reader.ready
        await read({ topics: [topic], onRecord: record => void witnessed.push(record.offset) }).ready
        await within(5_000, 'stop', reader.stop())
        await reader.stop()
        await publishAll(bus, topic, 3, () => ({ partition: 3 }))
        await until('the witness saw them', () => witnessed.length === 3)
        expect(seen).toEqual([])
      })

      test('carries key, headers and bytes as they were', async () => {
        const topic = newReplyTopic()
        const seen: IncomingRecord[] = []
        await read({ topics: [topic], onRecord: record => void seen.push(record) }).ready
        const sent: OutgoingRecord[] = [
          { key: 'Nguyễn', partition: 3, headers: { ascii: 'plain', 'tiếng-việt': 'Đặng Thị Ngọc Ánh 🇻🇳', empty: '' }, value: '{"họ":"Phạm"}' },
          { key: '', partition: 3, headers: {}, value: '' },
          { key: null, partition: 3, headers: { one: '1' }, value: '\u0000\u0001 ß 漢字 𝄞' },
          { key: 'big', partition: 3, headers: { long: 'x'.repeat(300) }, value: 'ữ'.repeat(20_000) },
        ]
        const sinceMs = Date.now()
        for (const record of sent) await bus.publish(topic, record)
        await until('all records', () => seen.length === sent.length)
        expect(seen.map(({ key, headers, value }) => ({ key, headers: { ...headers }, partition: 3, value: value.toString() }))).toEqual(sent)
        for (const { topic: on, partition, timestampMs } of seen) {
          expect({ on, partition }).toEqual({ on: topic, partition: 3 })
          expect(Math.abs(timestampMs - sinceMs)).toBeLessThan(60_000)
        }
      })
    }

    function describePublishing(): void {
      test('spreads records without a key over the partitions, and keeps a key on one', async () => {
        const topic = newRequestTopic()
        const byKey = new Map<string | null, number[]>()
        let handled = 0
        const handle = async ({ key, partition }: IncomingRecord): Promise<void> => {
          byKey.set(key, [...(byKey.get(key) ?? []), partition])
          handled++
        }
        await work({ topic, handle }).ready
        await publishAll(bus, topic, 24, () => ({}))
        await publishAll(bus, topic, 10, () => ({ key: 'same' }))
        await until('34 handled', () => handled === 34)
        const spread = byKey.get(null) ?? []
        expect(numbers(6).map(partition => spread.filter(one => one === Number(partition)).length)).toEqual([4, 4, 4, 4, 4, 4])
        expect(new Set(byKey.get('same')).size).toBe(1)
      })

      test('never delivers inside publish', async () => {
        const topic = newReplyTopic()
        let seen = 0
        await read({ topics: [topic], onRecord: () => void seen++ }).ready
        const published = bus.publish(topic, outgoing(0, { partition: 3 }))
        expect(seen).toBe(0)
        await published
        await until('the record', () => seen === 1)
      })

      test('takes as many records as its queue holds, and refuses the one past that', async () => {
        const topic = newReplyTopic()
        const own = world.openBus()
        const record = outgoing(0, { value: 'x' })
        const taken = Array.from({ length: publishQueueMax }, () => own.publish(topic, record))
        const refused = await own.publish(topic, record).catch((error: unknown) => error)
        expect(refused).toBeInstanceOf(PublishError)
        expect(refused).toMatchObject({ surelyNotWritten: true })
        await within(30_000, 'all taken are written', Promise.all(taken))
        await own.publish(topic, record)
      }, 60_000)

      test('refuses a topic no plan has and a partition no topic has', async () => {
        const topic = newReplyTopic()
        const faults = [bus.publish('somewhere-else', outgoing(0)), bus.publish(topic, outgoing(0, { partition: 8 }))]
        for (const fault of await Promise.allSettled(faults)) {
          expect(fault).toMatchObject({ status: 'rejected', reason: { name: 'PublishError', surelyNotWritten: true } })
        }
      })

      test('sends what waits when closed, refuses afterwards, and may be closed twice', async () => {
        const topic = newReplyTopic()
        const own = world.openBus()
        const seen: string[] = []
        await read({ topics: [topic], onRecord: record => void seen.push(record.value.toString()) }).ready
        const waiting = Array.from({ length: 5 }, (_, i) => own.publish(topic, outgoing(i, { partition: 3 })))
        await within(10_000, 'close', own.close())
        await own.close()
        await Promise.all(waiting)
        const refused = await own.publish(topic, outgoing(9)).catch((error: unknown) => error)
        expect(refused).toMatchObject({ name: 'PublishError', surelyNotWritten: true })
        await until('what waited', () => seen.length === 5)
        expect(seen).toEqual(numbers(5))
      })
    }

    function describeProbing(): void {
      test('a probe finds the road open, tells its own records from others, and closes when the reader is interrupted', async () => {
        const changes: string[] = []
        const probes: Probe[] = []
        const onRecord = (record: IncomingRecord): void => probes.forEach(probe => void probe.onRecord(record))
        await read({ topics: [probeTopic], partition: 5, onRecord }).ready
        for (const instance of ['one', 'other']) {
          const probe = createProbe({ bus, partition: 5, instance, intervalMs: 50 })
          probe.onChange(isOpen => void changes.push(`${instance} ${isOpen ? 'open' : 'closed'}`))
          cleanUps.push(() => probe.stop())
          probes.push(probe)
        }
        await within(10_000, 'both open', Promise.all(probes.map(probe => probe.firstOpen)))
        expect(probes.map(probe => probe.isOpen)).toEqual([true, true])
        expect(probes[0]?.lastRoundTripMs).toBeLessThan(1_000)
        probes[0]?.interrupted()
        expect(probes.map(probe => probe.isOpen)).toEqual([false, true])
        await until('open again', () => probes[0]?.isOpen === true)
        expect(changes.filter(change => change.startsWith('one'))).toEqual(['one open', 'one closed', 'one open'])
      })

      test('a probe whose records do not come back stays closed', async () => {
        const probe = createProbe({ bus, partition: 6, instance: 'deaf', timeoutMs: 20 })
        cleanUps.push(() => probe.stop())
        let seen = 0
        // Its records are read, late in life, but never told to it.
        await read({ topics: [probeTopic], partition: 6, onRecord: () => void seen++ }).ready
        await until('several probes went round', () => seen >= 3)
        expect(probe.isOpen).toBe(false)
      })
    }
  })
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

const outgoing = (i: number, record: Partial<OutgoingRecord> = {}): OutgoingRecord => ({ key: null, headers: {}, value: String(i), ...record })

async function publishAll(bus: Bus, topic: string, count: number, part: (i: number) => Partial<OutgoingRecord>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => bus.publish(topic, outgoing(i, part(i)))))
}

/** Keeps every partition supplied until something is true, for what only shows once a group has settled. */
async function publishUntil(bus: Bus, topic: string, what: string, isMet: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!isMet()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await publishAll(bus, topic, partitionsOf(topic), partition => ({ partition }))
  }
}
