// The part of the bus suite about working off a topic: once, shared, in order of the key, never lost, bounded.
import { expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { partitionsOf } from '#bus/topics.ts'
import { type BusHarness, numbers, publishAll, publishUntil } from '#tests/bus/bus-harness.ts'
import { until, within } from '#tests/bus/until.ts'

export function describeWorking(h: BusHarness): void {
  test('works off each published record once', async () => {
    const topic = h.newRequestTopic()
    const handled: string[] = []
    await h.work({ topic, handle: async record => void handled.push(record.value.toString()) }).ready
    await publishAll(h.bus, topic, 50, i => ({ key: `k${i}` }))
    await until('50 handled', () => handled.length >= 50)
    expect(handled.toSorted()).toEqual(numbers(50).toSorted())
  })

  test('works off what was published before the group existed', async () => {
    const topic = h.newRequestTopic()
    const handled: string[] = []
    await publishAll(h.bus, topic, 20, () => ({}))
    h.work({ topic, handle: async record => void handled.push(record.value.toString()) })
    await until('20 handled', () => handled.length >= 20)
    expect(handled.toSorted()).toEqual(numbers(20).toSorted())
  })

  test('does not hand out again what was finished before its member stopped', async () => {
    const topic = h.newRequestTopic()
    const handled: string[] = []
    const handle = async (record: IncomingRecord): Promise<void> => void handled.push(record.value.toString())
    const first = h.work({ topic, handle })
    await first.ready
    await publishAll(h.bus, topic, 12, () => ({}))
    await until('12 handled', () => handled.length === 12)
    await first.stop()
    await h.work({ topic, handle }).ready
    await publishAll(h.bus, topic, 12, () => ({}))
    await until('12 more handled', () => handled.length >= 24)
    expect(handled.toSorted()).toEqual([...numbers(12), ...numbers(12)].toSorted())
  })

  test('gives every group every record', async () => {
    const topic = h.newRequestTopic()
    const handled: string[] = []
    const note = (group: string) => async (): Promise<void> => void handled.push(group)
    await Promise.all(['a', 'b'].map(group => h.work({ topic, group, handle: note(group) }).ready))
    await publishAll(h.bus, topic, 6, () => ({}))
    await until('both groups handled 6', () => handled.length >= 12)
    expect(handled.toSorted().join('')).toBe('aaaaaabbbbbb')
  })

  test('shares the partitions between two members', async () => {
    const topic = h.newRequestTopic()
    const byMember: [Set<number>, Set<number>] = [new Set(), new Set()]
    const handled: number[] = []
    const handleAs =
      (member: 0 | 1) =>
      async (record: IncomingRecord): Promise<void> => {
        byMember[member].add(record.partition)
        handled.push(record.partition)
      }
    await h.work({ topic, handle: handleAs(0) }).ready
    const other = h.world.openBus()
    await h.work({ topic, handle: handleAs(1) }, other).ready
    await publishUntil(h.bus, topic, 'both members at work', () => byMember[0].size > 0 && byMember[1].size > 0)
    for (const set of byMember) set.clear()
    const before = handled.length
    await publishAll(h.bus, topic, 60, i => ({ partition: i % partitionsOf(topic) }))
    await until('60 more handled', () => handled.length >= before + 60)
    expect([...byMember[0], ...byMember[1]].toSorted()).toEqual([0, 1, 2, 3, 4, 5])
    expect([...byMember[0]].filter(partition => byMember[1].has(partition))).toEqual([])
  })

  test('handles the records of one key in order, and lets others overtake', async () => {
    const topic = h.newRequestTopic()
    const events: string[] = []
    const gate = Promise.withResolvers<void>()
    const handle = async ({ key, value }: IncomingRecord): Promise<void> => {
      if (key === 'slow' && value.toString() === '0') await gate.promise
      events.push(`${key}${value}`)
    }
    await h.work({ topic, handle }).ready
    await publishAll(h.bus, topic, 5, () => ({ key: 'slow', partition: 0 }))
    await publishAll(h.bus, topic, 5, () => ({ key: 'fast', partition: 0 }))
    await until('fast overtook', () => events.includes('fast4'))
    expect(events).toEqual(['fast0', 'fast1', 'fast2', 'fast3', 'fast4'])
    gate.resolve()
    await until('slow went on', () => events.length === 10)
    expect(events.slice(5)).toEqual(['slow0', 'slow1', 'slow2', 'slow3', 'slow4'])
  })

  test('handles a rejected record again, in its place, without holding up other keys', async () => {
    const topic = h.newRequestTopic()
    const events: string[] = []
    const rejections: unknown[] = []
    let failures = 2
    const handle = async ({ key, value }: IncomingRecord): Promise<void> => {
      if (key === 'bad' && value.toString() === '0' && failures-- > 0) throw new Error('register away')
      events.push(`${key}${value}`)
    }
    const onRejection = (error: unknown): void => void rejections.push(error)
    await h.work({ topic, poolSize: 1, handle, onRejection }).ready
    await publishAll(h.bus, topic, 3, () => ({ key: 'bad', partition: 0 }))
    await publishAll(h.bus, topic, 3, () => ({ key: 'good', partition: 0 }))
    await until('all handled', () => events.length === 6)
    expect(events).toEqual(['good0', 'good1', 'good2', 'bad0', 'bad1', 'bad2'])
    expect(rejections.map(String)).toEqual(['Error: register away', 'Error: register away'])
  })

  test('does not commit past a record whose handler rejects', async () => {
    const topic = h.newRequestTopic()
    let rejected = 0
    const first = h.work({
      topic,
      handle: async ({ value }) => {
        if (value.toString() === '0') {
          rejected++
          throw new Error('register away')
        }
      },
    })
    await first.ready
    await publishAll(h.bus, topic, 4, () => ({ partition: 2 }))
    await until('the first was rejected', () => rejected > 0)
    await first.stop()
    const handled: string[] = []
    h.work({ topic, handle: async record => void handled.push(record.value.toString()) })
    await until('the first is handled after all', () => handled.includes('0'))
  })

  test('holds as many records as it may, and takes the one past that when there is room', async () => {
    const topic = h.newRequestTopic()
    const heldMax = 8
    const begun: (() => void)[] = []
    const handle = (): Promise<void> => new Promise(resolve => begun.push(resolve))
    const worker = h.work({ topic, poolSize: 100, heldMax, handle })
    await worker.ready
    expect([worker.held, worker.stillMs]).toEqual([0, 0])
    await publishAll(h.bus, topic, heldMax, () => ({ partition: 1 }))
    await until('all it may hold are held', () => begun.length === heldMax)
    await until('none of them moves', () => worker.stillMs > 0)
    expect(worker.held).toBe(heldMax)
    await publishAll(h.bus, topic, 1, () => ({ partition: 1 }))
    // Another partition's records would be read before long if reading went on.
    const seen: string[] = []
    await h.work({ topic, group: 'witness', handle: async record => void seen.push(record.offset) }).ready
    await until('the witness saw them all', () => seen.length === heldMax + 1)
    expect(begun.length).toBe(heldMax)
    for (const finish of begun.splice(0)) finish()
    await until('the one past the limit is handled', () => begun.length === 1)
    begun[0]?.()
  })

  test('lets no more than the pool be handled at once', async () => {
    const topic = h.newRequestTopic()
    let running = 0
    let most = 0
    let handled = 0
    const handle = async (): Promise<void> => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setImmediate(resolve))
      running--
      handled++
    }
    await h.work({ topic, poolSize: 3, heldMax: 5, handle }).ready
    await publishAll(h.bus, topic, 100, () => ({}))
    await until('100 handled', () => handled >= 100)
    expect({ most, handled }).toEqual({ most: 3, handled: 100 })
  })

  test('waits in stop() for what is being handled, and commits it', async () => {
    const topic = h.newRequestTopic()
    const gate = Promise.withResolvers<void>()
    let begun = 0
    let ended = 0
    const first = h.work({
      topic,
      poolSize: 2,
      handle: async () => {
        begun++
        await gate.promise
        ended++
      },
    })
    await first.ready
    await publishAll(h.bus, topic, 5, () => ({ partition: 0 }))
    await until('two are being handled', () => begun === 2)
    const stopped = first.stop()
    gate.resolve()
    await within(30_000, 'stop', stopped)
    expect({ begun, ended }).toEqual({ begun: 2, ended: 2 })
    await first.stop()
    const rest: string[] = []
    h.work({ topic, handle: async record => void rest.push(record.value.toString()) })
    await until('the rest is handled', () => rest.length === 3)
    expect(rest).toEqual(['2', '3', '4'])
  })

  test('hands out again what a member that died had not finished', async () => {
    const topic = h.newRequestTopic()
    let taken = 0
    const stuck = await h.world.startStuckMember(topic, 'workers', () => taken++)
    await publishAll(h.bus, topic, 30, () => ({}))
    await until('the member took some', () => taken > 0)
    await stuck.kill()
    const handled = new Set<string>()
    h.work({ topic, handle: async record => void handled.add(record.value.toString()) })
    await until('all 30 are handled', () => handled.size === 30)
  }, 120_000)
}
