// The probe on a road of the test's own making, which loses, delays and refuses what it is told to.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Bus, type IncomingRecord, type OutgoingRecord, PublishError } from '#bus/bus.ts'
import { announce, createProbe, type Probe } from '#bus/probe.ts'
import { probeTopic } from '#bus/topics.ts'

interface Sent {
  record: OutgoingRecord
  settle(error?: Error): void
}

let sent: Sent[]
let probe: Probe
let changes: [boolean, unknown][]

beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  changes = []
  const publish = (topic: string, record: OutgoingRecord): Promise<void> => {
    expect(topic).toBe(probeTopic)
    return new Promise((resolve, reject) => sent.push({ record, settle: error => (error ? reject(error) : resolve()) }))
  }
  probe = createProbe({ bus: { publish } as unknown as Bus, partition: 3, instance: 'here' })
  probe.onChange((isOpen, cause) => void changes.push([isOpen, cause]))
})
afterEach(() => {
  probe.stop()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const last = (): Sent => sent.at(-1)!
const read = ({ record }: Sent): void =>
  probe.onRecord({
    ...record,
    topic: probeTopic,
    partition: 3,
    offset: '0',
    timestampMs: 0,
    value: Buffer.alloc(0),
  } as IncomingRecord)

async function goRound(): Promise<void> {
  last().settle()
  await vi.advanceTimersByTimeAsync(0)
  read(last())
}

test('sends to its own partition, without a key', () => {
  expect(last().record).toMatchObject({ key: null, partition: 3, value: '' })
})

test('opens when its record came back, and says how long that took', async () => {
  await vi.advanceTimersByTimeAsync(12)
  expect(probe.isOpen).toBe(false)
  await goRound()
  await probe.firstOpen
  expect([probe.isOpen, probe.lastRoundTripMs, changes]).toEqual([true, 12, [[true, undefined]]])
})

test('probes once an interval while open', async () => {
  await goRound()
  await vi.advanceTimersByTimeAsync(999)
  expect(sent.length).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(sent.length).toBe(2)
})

test('stays open just before its timeout, and closes at it', async () => {
  await goRound()
  await vi.advanceTimersByTimeAsync(1_000)
  await vi.advanceTimersByTimeAsync(999)
  expect(probe.isOpen).toBe(true)
  await vi.advanceTimersByTimeAsync(1)
  expect(changes).toEqual([
    [true, undefined],
    [false, new Error('no record of our own came back within 1000 ms')],
  ])
})

test('closes at once when a record is refused, and probes on, faster', async () => {
  await goRound()
  await vi.advanceTimersByTimeAsync(1_000)
  const refusal = new PublishError('away', true)
  last().settle(refusal)
  await vi.advanceTimersByTimeAsync(0)
  expect(changes.at(-1)).toEqual([false, refusal])
  await vi.advanceTimersByTimeAsync(300)
  expect(sent.length).toBe(3)
})

test('closes at once when the reader is interrupted, and does not open on a record sent before', async () => {
  await goRound()
  await vi.advanceTimersByTimeAsync(1_000)
  const before = last()
  probe.interrupted()
  read(before)
  expect(probe.isOpen).toBe(false)
  before.settle()
  await vi.advanceTimersByTimeAsync(300)
  await goRound()
  expect(changes.map(([isOpen]) => isOpen)).toEqual([true, false, true])
})

test('has one record with the bus at a time, and sends the next as soon as that is settled', async () => {
  await vi.advanceTimersByTimeAsync(10_000)
  expect(sent.length).toBe(1)
  last().settle(new PublishError('hung', false))
  await vi.advanceTimersByTimeAsync(300)
  expect(sent.length).toBe(2)
})

test('takes neither the record of another nor one of an earlier life for its own', async () => {
  const other = createProbe({
    bus: { publish: () => new Promise(() => {}) } as unknown as Bus,
    partition: 3,
    instance: 'here',
  })
  other.stop()
  for (const headers of [{}, { ...last().record.headers, 'ndx-instance': 'there' }])
    read({ ...last(), record: { ...last().record, headers } })
  expect(probe.isOpen).toBe(false)
})

test('sends nothing once stopped', async () => {
  probe.stop()
  last().settle(new PublishError('closed', true))
  await vi.advanceTimersByTimeAsync(10_000)
  expect([sent.length, changes]).toEqual([1, []])
})

test('does not take an announcement for its own, even of its instance', async () => {
  const announcements: OutgoingRecord[] = []
  const publish = async (topic: string, record: OutgoingRecord): Promise<void> => {
    expect(topic).toBe(probeTopic)
    announcements.push(record)
  }
  await announce({ publish } as unknown as Bus, 'here')
  expect(announcements).toHaveLength(1)
  for (const record of announcements) read({ record, settle: () => {} })
  expect(probe.isOpen).toBe(false)
})
