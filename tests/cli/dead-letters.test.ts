// Dead letters and their replay: who may do what next (pure), and the whole on a bus in memory: a handler that fails, its letter, a
// proposal, an approval by another, and the handler called again. What the command says without a broker stands at the end.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Bus } from '#bus/bus.ts'
import { type DeadLetter, type ReplayStep, readReplayStep, writeDeadLetter, writeReplayStep } from '#bus/dead-letter.ts'
import { type ExchangeId, MessageError } from '#bus/message.ts'
import { deadLetterTopic } from '#bus/topics.ts'
import { type DeadLetterCase, DeadLetterCases, decideReplay, describeState } from '#cli/dead-letter-cases.ts'
import { readCases, replay } from '#cli/dead-letter-replay.ts'
import { makeOperator, readOperatorKey, readOperators, signStep } from '#cli/operators.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { HostHarness, question } from '#tests/services/host-harness.ts'
import { ndxHere as ndx } from './ndx.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ndx-operators-'))
for (const name of ['lan', 'minh']) makeOperator(dataDir, name)
afterAll(() => rmSync(dataDir, { recursive: true }))

const isSigned = readOperators(dataDir)
const nowMs = Date.UTC(2026, 0, 12)
const letter: DeadLetter = {
  id: 'population-3-7',
  exchangeId: '0198c7a0-0000-7000-8000-000000000001' as ExchangeId,
  provider: 'population' as ProviderId,
  topic: 'ndx.request.population',
  partition: 3,
  offset: '7',
  attempts: 3,
  code: 'HANDLER_FAILED',
  firstMs: nowMs - 500,
  lastMs: nowMs,
}

const step = (operator: string, changes: Partial<ReplayStep> = {}): ReplayStep =>
  signStep(
    { step: 'proposed', letterId: letter.id, operator, signedMs: nowMs, ...changes },
    letter,
    readOperatorKey(dataDir, operator),
  )
const proposal = step('lan')
const approval = step('minh', { step: 'approved', approves: { operator: 'lan', signature: proposal.signature } })

describe('a replay', () => {
  const decide = (operator: string, steps: ReplayStep[], at = nowMs) =>
    decideReplay({ letter, steps }, operator, { isSigned, nowMs: at })

  test('is proposed by the first who asks', () => {
    expect(decide('lan', [])).toEqual({ act: 'propose' })
  })

  test('is approved by a second', () => {
    expect(decide('minh', [proposal])).toEqual({ act: 'approve', proposal })
  })

  test('is refused to one person twice', () => {
    expect(decide('lan', [proposal])).toEqual({
      act: 'refuse',
      reason: 'lan has proposed it already; a second person must approve it',
    })
  })

  test('that was approved needs two again', () => {
    expect(decide('lan', [proposal, approval])).toEqual({ act: 'propose' })
    expect(decide('minh', [proposal, approval])).toEqual({ act: 'propose' })
    expect(decide('minh', [proposal, { ...approval, operator: 'nobody' }])).toEqual({ act: 'propose' })
  })

  test('that nobody approved within a day is proposed anew', () => {
    expect(decide('minh', [proposal], nowMs + 86_399_999).act).toBe('approve')
    expect(decide('minh', [proposal], nowMs + 86_400_000)).toEqual({ act: 'propose' })
  })

  test.each<[string, ReplayStep]>([
    ['by an operator nobody knows', { ...proposal, operator: 'nobody' }],
    ['in another’s name', { ...proposal, operator: 'minh' }],
    ['of another time', { ...proposal, signedMs: nowMs + 1 }],
    ['that is an approval', { ...approval, step: 'proposed' }],
    ['whose signature is none', { ...proposal, signature: 'x' }],
  ])('proposed with a signature %s counts for nothing', (_, forged) => {
    expect(decide('minh', [forged])).toEqual({ act: 'propose' })
  })

  test('signed for another record counts for nothing', () => {
    const other = { ...letter, offset: '8' }
    expect(decideReplay({ letter: other, steps: [proposal] }, 'minh', { isSigned, nowMs })).toEqual({ act: 'propose' })
  })

  test('says in a list how it stands', () => {
    const say = (steps: ReplayStep[]): string => describeState({ letter, steps }, { isSigned, nowMs })
    expect([say([]), say([proposal]), say([proposal, approval])]).toEqual([
      '-',
      'proposed by lan',
      'replayed by lan and minh',
    ])
  })
})

describe('cases', () => {
  const record = (value: string) => ({
    ...{ topic: deadLetterTopic, partition: 0, offset: '0', timestampMs: 0, key: null, headers: {} },
    value: Buffer.from(value),
  })

  test('are gathered from the records: a letter written twice is one, and what is neither is counted', () => {
    const cases = new DeadLetterCases()
    const records = [
      writeDeadLetter(letter, '/adapter/population/a').value,
      writeReplayStep(proposal, letter.exchangeId).value,
      writeDeadLetter(letter, '/adapter/population/b').value,
      writeReplayStep(approval, letter.exchangeId).value,
      '{',
      '{"specversion":"1.0","type":"other"}',
    ]
    for (const value of records) cases.add(record(value))
    expect([cases.list(), cases.unreadable]).toEqual([[{ letter, steps: [proposal, approval] }], 2])
  })

  test('of a record that is no step say so', () => {
    expect(() => readReplayStep(record(writeDeadLetter(letter, '/adapter/population/a').value))).toThrow(MessageError)
  })
})

describe('on the road', () => {
  let harness: HostHarness
  let isBroken: boolean
  let calls: number
  let nowMs: number
  const now = (): number => nowMs

  beforeEach(async () => {
    nowMs = Date.now()
    isBroken = true
    calls = 0
    const handler = (): JsonObject => {
      calls++
      if (isBroken) throw new Error('broken')
      return { matched: true }
    }
    harness = await HostHarness.start(handler, { now, busNow: now })
  })

  afterEach(() => harness.stop())

  const only = async (): Promise<DeadLetterCase> => (await readCases(harness.bus, 5000)).list()[0]!
  const replayAs = async (operator: string, bus: Bus = harness.bus) =>
    replay(await only(), {
      bus,
      operator,
      key: readOperatorKey(dataDir, operator),
      isSigned,
      nowMs,
    })

  test('a request that was given up on is done when two operators want it, with a new deadline', async () => {
    const message = question({ deadlineMs: nowMs + 1500 })
    await harness.ask(message)
    await harness.repliesTo(1)
    nowMs = message.deadlineMs + 1
    isBroken = false
    expect(await replayAs('lan')).toBe('proposed')
    await expect(replayAs('lan')).rejects.toThrow('a second person must approve it')
    expect([calls, harness.replies.length]).toEqual([3, 1])
    expect(await replayAs('minh')).toBe('approved')
    await harness.repliesTo(2)
    expect(harness.replies.map(({ event }) => [event['id'], event['ndxoutcome']])).toEqual([
      [message.exchangeId, 'failed'],
      [message.exchangeId, 'answered'],
    ])
    const { steps } = await only()
    expect(steps.map(({ step, operator, approves }) => [step, operator, approves?.operator])).toEqual([
      ['proposed', 'lan', undefined],
      ['approved', 'minh', 'lan'],
    ])
  })

  test('nothing at all reads as no letters', async () => {
    expect((await readCases(harness.bus, 5000)).list()).toEqual([])
  })

  test('a record that is gone is said to be gone, and nothing is written', async () => {
    await harness.ask(question())
    await harness.repliesTo(1)
    const emptied = new Proxy(harness.bus, {
      get: (target, name) => (name === 'readAt' ? async () => undefined : Reflect.get(target, name).bind(target)),
    })
    await expect(replayAs('lan', emptied)).rejects.toThrow('is gone; requests are kept for a day')
    expect((await only()).steps).toEqual([])
  })

  test('a record that cannot be read would be given up on again, so it is not replayed', async () => {
    await harness.ask(question(), { value: '{' })
    await harness.repliesTo(1)
    await expect(replayAs('lan')).rejects.toThrow('cannot be read (the value is not JSON)')
  })

  test('another record at its place is not replayed', async () => {
    await harness.ask(question())
    await harness.repliesTo(1)
    const moved = new Proxy(harness.bus, {
      get: (target, name) =>
        name === 'readAt'
          ? async (...place: Parameters<Bus['readAt']>) => {
              const record = await target.readAt(...place)
              return record && { ...record, ...headersOf(record.headers, 'other') }
            }
          : Reflect.get(target, name).bind(target),
    })
    await expect(replayAs('lan', moved)).rejects.toThrow('is not replayed')
  })

  test('a road that does not take the approval leaves the request alone', async () => {
    await harness.ask(question())
    await harness.repliesTo(1)
    await replayAs('lan')
    const closed = new Proxy(harness.bus, {
      get: (target, name) =>
        name === 'publish' ? () => Promise.reject(new Error('away')) : Reflect.get(target, name).bind(target),
    })
    await expect(replayAs('minh', closed)).rejects.toThrow('nothing was done, the road did not take it: away')
    expect(calls).toBe(3)
  })
})

describe('the command', () => {
  test('makes the keys of an operator once, the private one for its owner alone', async () => {
    const environment = { NDX_DATA_DIR: join(dataDir, 'new') }
    expect(await ndx(['dead-letters', 'operator', 'hoa'], environment)).toMatchObject({
      status: 0,
      stdout: 'operators/hoa.key\noperators/hoa.pub\n',
    })
    expect(readdirSync(join(dataDir, 'new/operators'))).toEqual(['hoa.key', 'hoa.pub'])
    expect(statSync(join(dataDir, 'new/operators/hoa.key')).mode & 0o077).toBe(0)
    const again = await ndx(['dead-letters', 'operator', 'hoa'], environment)
    expect([again.status, again.stderr]).toEqual([
      1,
      'ndx dead-letters: there is an operator hoa already.\nTake another name; keys are never overwritten.\n',
    ])
  })

  test('refuses an operator it does not know before it asks the road', async () => {
    const { status, stderr } = await ndx(['dead-letters', 'replay', 'population-3-7', '--as', 'nobody'], {
      NDX_DATA_DIR: dataDir,
    })
    expect([status, stderr]).toEqual([1, expect.stringContaining('there is no operator nobody')])
  })

  test('without brokers says how to name them', async () => {
    const { status, stdout, stderr } = await ndx(['dead-letters'], { NDX_DATA_DIR: dataDir })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain('NDX_KAFKA_BROKERS=127.0.0.1:9092 npx ndx dead-letters')
  })

  test.each([
    [['purge'], 'dead-letters takes list, show, replay or operator.'],
    [['list', 'x'], 'list takes nothing more.'],
    [['show'], 'show takes the id of a dead letter.'],
    [['replay', 'x'], 'replay takes --as <operator>.'],
    [['operator'], 'operator takes a name.'],
    [['operator', '../x'], 'an operator’s name has letters a to z, digits and -, 40 at most.'],
  ])('%j is a wrong command line', async (line, message) => {
    expect(await ndx(['dead-letters', ...line])).toEqual({
      status: 2,
      stdout: '',
      stderr: `ndx dead-letters: ${message}\nSee: npx ndx dead-letters --help\n`,
    })
  })
})

const headersOf = (headers: Readonly<Record<string, string>>, exchangeId: string) => ({
  headers: { ...headers, kafka_correlationId: exchangeId },
})
