// Topics' names, partitions and placement: what every process must agree on.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PublishError } from '#bus/bus.ts'
import { placeRecord, Turns } from '#bus/placement.ts'
import {
  checkpointTopic,
  deadLetterTopic,
  noteTopic,
  partitionOf,
  partitionsOf,
  planTopics,
  probeTopic,
  replyTopic,
  requestTopic,
} from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'

const provider = 'population' as ProviderId
const record = { key: null, headers: {}, value: '' }

test('plans every topic of a provider, with the partitions that everybody counts on', () => {
  const plan = planTopics([provider])
  expect(plan.map(topic => topic.name)).toEqual([
    requestTopic(provider),
    replyTopic(provider),
    noteTopic,
    deadLetterTopic,
    checkpointTopic,
    probeTopic,
  ])
  for (const { name, partitions } of plan) expect(partitionsOf(name)).toBe(partitions)
})

test('knows no partitions of a topic that no plan has', () => {
  expect(() => partitionsOf('ndx.somewhere')).toThrow('no such topic: ndx.somewhere')
})

test('puts a key on the partition that other releases put it on', () => {
  const keys = ['', 'a', 'Nguyễn Văn Á', '0f8fad5b-d9cb-469f-a165-70867728950e']
  expect(keys.map(key => partitionOf(requestTopic(provider), key))).toEqual([1, 4, 1, 5])
})

test('puts every key on a partition of its topic, and spreads them', () => {
  const seen = new Set<number>()
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), key => {
      const partition = partitionOf(replyTopic(provider), key)
      seen.add(partition)
      expect(partition >= 0 && partition < partitionsOf(replyTopic(provider))).toBe(true)
    }),
    { numRuns: 500 },
  )
  expect(seen.size).toBe(partitionsOf(replyTopic(provider)))
})

test('places a record where it says, else by its key, else anywhere in turn', () => {
  const topic = requestTopic(provider)
  expect(placeRecord(topic, { ...record, key: 'k', partition: 5 })).toBe(5)
  expect(placeRecord(topic, { ...record, key: 'k' })).toBe(partitionOf(topic, 'k'))
  expect(placeRecord(topic, record)).toBeUndefined()
  const turns = new Turns()
  expect(Array.from({ length: 8 }, () => turns.take(topic))).toEqual([0, 1, 2, 3, 4, 5, 0, 1])
})

test.each([6, -1, 1.5, Number.NaN])('refuses partition %d of six', partition => {
  expect(() => placeRecord(requestTopic(provider), { ...record, partition })).toThrow(PublishError)
})
