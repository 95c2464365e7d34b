// Before the first signature after a start the log is held against the heads that others have of it.
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MemoryBus } from '#bus/memory-bus.ts'
import { checkpointTopic } from '#bus/topics.ts'
import { LogCorrupt } from '#ledger/checkpoints.ts'
import { createComparison, type HeadSource } from '#ledger/comparison.ts'
import { type Head } from '#ledger/head-verdict.ts'
import { readPublishedHead } from '#ledger/published-head.ts'
import { createWitnessSource } from '#ledger/witness-source.ts'
import { createLog as createProcessLog } from '#runtime/log.ts'
import { createFilledLog, createLog, eventOf, type TestLog } from './proof-log.ts'
import { WitnessWorld } from './witness-world.ts'

const world = new WitnessWorld()
const log = createProcessLog({ level: 'silent', instance: 'test' })

const headOf = (of: TestLog, size = of.size): Head => ({ size, root: of.rootAt(size) })
const source = (name: string, answer: () => Head | undefined | 'away'): HeadSource => ({
  name,
  isWitness: name !== 'bus',
  head: async () => {
    const head = answer()
    if (head === 'away') throw new Error('away')
    return head
  },
})

function compareWith(head: TestLog, sources: HeadSource[], witnessesMin = 0) {
  const clock = { ms: 0 }
  const comparison = createComparison({
    log,
    head,
    sources,
    witnessesMin,
    waitMs: 1_000,
    clock: () => clock.ms,
  })
  return { comparison, clock }
}

test('a log whose heads others have as it has them may be signed', async () => {
  const heads = [headOf(world.log, 7), headOf(world.log), undefined]
  const { comparison } = compareWith(
    world.log,
    heads.map((head, at) => source(at === 0 ? 'bus' : `w${at}`, () => head)),
  )
  expect([comparison.standing.state, await comparison.compare(), comparison.standing.state]).toEqual([
    'comparing',
    true,
    'compared',
  ])
})

test('a log of other entries than anybody holds a signed head of is not signed, whatever the others say', async () => {
  const other = createLog(world.key)
  for (let index = 0; index < 40; index++) other.add(eventOf(index, { client: 'x' }))
  for (const forked of ['bus', 'w1']) {
    const sources = ['bus', 'w1', 'w2'].map(name => source(name, () => headOf(name === forked ? other : world.log, 30)))
    await expect(compareWith(world.log, sources).comparison.compare()).rejects.toThrow(LogCorrupt)
  }
})

test('a log that is behind is not signed until it has got there, and then only if it is the same', async () => {
  const growing = createFilledLog(world.key, 20, 20)
  const { comparison, clock } = compareWith(growing, [source('w1', () => headOf(world.log))])
  clock.ms = 1_000_000
  expect(await comparison.compare()).toBe(false)
  expect(comparison.standing.state).toBe('behind')
  expect(comparison.standing.detail).toContain('w1 holds a signed head of 40 entries, the log has 20')
  for (let index = 20; index < 40; index++) growing.add(world.log.list[index] ?? '')
  expect(await comparison.compare()).toBe(true)
  const straying = createFilledLog(world.key, 20, 20)
  const strays = compareWith(straying, [source('w1', () => headOf(world.log))]).comparison
  await strays.compare()
  for (let index = 20; index < 40; index++) straying.add(eventOf(index, { client: 'x' }))
  await expect(strays.compare()).rejects.toThrow(LogCorrupt)
})

test('a witness that is away is waited for, and gone without when the policy does not need it; the bus is waited for always', async () => {
  const here = source('w1', () => headOf(world.log))
  let isBusAway = true
  const bus = source('bus', () => (isBusAway ? 'away' : undefined))
  const { comparison, clock } = compareWith(world.log, [bus, here, source('w2', () => 'away')], 1)
  expect(await comparison.compare()).toBe(false)
  isBusAway = false
  expect([await comparison.compare(), comparison.standing.state]).toEqual([false, 'comparing'])
  clock.ms = 999
  expect(await comparison.compare()).toBe(false)
  clock.ms = 1_000
  expect([await comparison.compare(), comparison.standing]).toEqual([true, { state: 'compared', detail: 'without w2' }])
  const late = compareWith(world.log, [source('bus', () => (isBusAway ? 'away' : undefined)), here])
  isBusAway = true
  await late.comparison.compare()
  late.clock.ms = 1_000_000
  expect([await late.comparison.compare(), late.comparison.standing.state]).toEqual([false, 'comparing'])
})

test('without the witnesses that the policy needs nothing is signed, until they answer', async () => {
  let isAway = true
  const sources = ['w1', 'w2'].map(name => source(name, () => (isAway && name === 'w2' ? 'away' : undefined)))
  const { comparison, clock } = compareWith(world.log, sources, 2)
  await comparison.compare()
  clock.ms = 60_000
  expect([await comparison.compare(), comparison.standing]).toEqual([
    false,
    { state: 'unanswered', detail: '1 of 2 needed witnesses answered; away: w2' },
  ])
  isAway = false
  expect(await comparison.compare()).toBe(true)
})

test('the newest head on the bus that the log signed is found behind whatever else is there', async () => {
  const bus = new MemoryBus()
  const publish = (value: string) => bus.publish(checkpointTopic, { key: 'k', headers: {}, value })
  expect(await readPublishedHead(bus, world.key.verifier)).toBeUndefined()
  await publish(world.headOf(10))
  await publish(world.headOf(20))
  const forged = world.headOf(30).replace('log.example\n30', 'log.example\n31')
  for (const value of [forged, '', 'x', `${'['.repeat(5_000)}`, '\ud800', 'x'.repeat(100_000)]) await publish(value)
  expect(await readPublishedHead(bus, world.key.verifier)).toMatchObject({ size: 20 })
  for (let i = 0; i < 1_000; i++) await publish('x')
  expect(await readPublishedHead(bus, world.key.verifier)).toBeUndefined()
  await bus.close()
  await expect(readPublishedHead(bus, world.key.verifier)).rejects.toMatchObject({ name: 'RoadError' })
})

describe('a witness that shows no head', () => {
  const server = createServer((request, response) => {
    request.resume()
    const [status, body] = request.method === 'POST' ? says : [404, '']
    response.writeHead(status).end(body)
  })
  let says: [number, string] = [404, '']
  let url = ''
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  test.each<[string, [number, string], string]>([
    ['and says that it saw more', [409, '99\n'], 'unanswered'],
    ['and says that the past is another', [422, ''], 'unanswered'],
    ['and does not know the log', [404, ''], 'compared'],
  ])('%s', async (_, answer, state) => {
    says = answer
    const parts = { logKey: world.key.verifier, keys: () => [], head: world.log }
    const last = () => ({ size: 12, atMs: 0, note: world.headOf(12) })
    const { comparison, clock } = compareWith(world.log, [createWitnessSource(url, { ...parts, last })], 1)
    await comparison.compare()
    clock.ms = 60_000
    await comparison.compare()
    expect(comparison.standing.state).toBe(state)
    // Nothing was signed yet: there is nothing to offer.
    const fresh = compareWith(world.log, [createWitnessSource(url, { ...parts, last: () => undefined })], 1)
    expect(await fresh.comparison.compare()).toBe(true)
  })

  test('and is ours takes the last checkpoint again, and has seen no more', async () => {
    const witness = await world.start()
    const parts = { logKey: world.key.verifier, keys: () => [witness.key], head: world.log }
    const last = () => ({ size: 12, atMs: 0, note: world.headOf(12) })
    const { comparison } = compareWith(world.log, [createWitnessSource(witness.url, { ...parts, last })], 1)
    expect(await comparison.compare()).toBe(true)
  })
})
