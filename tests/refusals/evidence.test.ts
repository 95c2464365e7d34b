// Nothing is disclosed or effected without evidence: notes that cannot be written, a ledger that is too far behind. What is refused while
// the bus is away is on the record all the same, once it is back.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Bus, PublishError } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { noteTopic } from '#bus/topics.ts'
import { goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { recordedStatus, type ScriptedLedger, startScriptedLedger } from '#tests/gateway/scripted-ledger.ts'
import { notesOf, readPublished } from '#tests/notes.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { type Published, startWorld, type World, type WorldOptions } from '#tests/world.ts'

const identity = 'population/identity-verification'
const record = 'population/citizen-record'
const recordEnvelope = {
  purpose: 'social-insurance-enrolment',
  procedure: '1.002759',
  request: { personalId: '026701599619' },
}

let world: World
let ledger: ScriptedLedger | undefined
afterEach(async () => {
  await world.stop()
  await ledger?.stop()
  ledger = undefined
})

const start = async (options: WorldOptions = {}): Promise<void> => {
  world = await startWorld({ silent: ['business-registration'], ...options })
}

test('what was told or refused while the broker took no notes is there when it does, each under its number', async () => {
  let isAway = true
  const taken: Published[] = []
  const bus = new MemoryBus()
  const refusing: Bus = Object.assign(Object.create(bus) as Bus, {
    publish: async (topic: string, sent: Published['record']) => {
      if (topic === noteTopic && isAway) throw new PublishError('away', false)
      if (topic === noteTopic) taken.push({ topic, record: sent })
      return bus.publish(topic, sent)
    },
    readReplies: bus.readReplies.bind(bus),
    work: bus.work.bind(bus),
    follow: bus.follow.bind(bus),
    readAt: bus.readAt.bind(bus),
    now: bus.now.bind(bus),
    id: bus.id.bind(bus),
    close: bus.close.bind(bus),
  })
  await start({ bus: refusing })
  const answers = [
    ...(await Promise.all(Array.from({ length: 20 }, () => world.ask(record, recordEnvelope)))),
    ...(await Promise.all(
      Array.from({ length: 30 }, () => world.ask(identity, { ...goodEnvelope, purpose: 'curiosity' })),
    )),
  ]
  expect(answers.map(({ status }) => status)).toEqual([...Array(20).fill(200), ...Array(30).fill(403)])
  expect(taken).toEqual([])
  isAway = false
  await notesOf(world)
  const notes = readPublished(taken)
  expect(notes.map(({ exchangeId, kind }) => `${exchangeId} ${kind}`).toSorted()).toEqual(
    answers
      .map(({ status, headers }) => `${headers.get('exchange-id')} ${status === 200 ? 'delivered' : 'refused'}`)
      .toSorted(),
  )
  await bus.close()
})

test('requests of nobody in particular are one note a second and code, and few lines', async () => {
  const nowMs = Date.parse('2028-05-01T10:00:00+07:00')
  await start({ now: () => nowMs })
  await Promise.all(Array.from({ length: 150 }, () => world.send('/nothing')))
  await world.gateway.stop()
  const notes = readPublished(world.published)
  expect(notes.map(({ kind, facts }) => [kind, facts['code']])).toEqual(
    Array(notes.length).fill(['unidentified', 'NDX_ROUTE_UNKNOWN']),
  )
  expect(notes.reduce((sum, { facts }) => sum + Number(facts['count']), 0)).toBe(150)
  expect(world.lines().filter(({ event }) => event === 'exchange').length).toBeLessThan(60)
})

test('what could not be read as a request is counted too', async () => {
  await start()
  const { hostname, port } = new URL(world.url)
  const socket = connect(Number(port), hostname)
  socket.end('nothing of HTTP\r\n\r\n')
  expect(String(await socket.toArray())).toContain('NDX_HTTP_MALFORMED')
  await world.gateway.stop()
  expect(readPublished(world.published).map(({ kind, facts }) => [kind, facts])).toEqual([
    ['unidentified', { code: 'NDX_HTTP_MALFORMED', count: 1 }],
  ])
})

test('answers told in the same millisecond are as many notes', async () => {
  ledger = await startScriptedLedger()
  const nowMs = Date.parse('2028-05-01T10:00:00+07:00')
  await start({ now: () => nowMs, settings: { NDX_LEDGER_URL: ledger.url } })
  const { body } = await world.ask(identity)
  ledger.know(await recordedStatus(world, body.exchangeId))
  const told = await Promise.all(Array.from({ length: 60 }, () => world.get(`/v1/exchanges/${body.exchangeId}`)))
  expect(told.map(({ status }) => status)).toEqual(Array(60).fill(200))
  expect((await notesOf(world)).filter(({ kind }) => kind === 'delivered')).toHaveLength(61)
})

describe('notes that cannot be written', () => {
  test('make unknown what was asked already, and its client learns where it stands', async () => {
    await start({ notes: { bytesMax: 16 * 1024 } })
    const directory = join(world.dataDir, 'notes')
    rmSync(join(directory, readdirSync(directory)[0] as string), { recursive: true })
    let answered = await world.ask(record, recordEnvelope)
    while (answered.status === 200) answered = await world.ask(record, recordEnvelope)
    expectProblem(answered, 'NDX_REPLY_TIMEOUT', {
      outcome: 'unknown',
      detail: 'The question was sent; whether it was answered is not known yet.',
    })
    expect(answered.headers.get('location')).toBe(`/v1/exchanges/${answered.body.exchangeId}`)
    const ofIt = (await notesOf(world)).filter(({ exchangeId }) => exchangeId === answered.body.exchangeId)
    expect(ofIt.map(({ kind }) => kind)).toEqual(['timed-out'])
  })

  test('keep answers back, and nothing is sent, until they can be written again', async () => {
    await start({ notes: { bytesMax: 256 * 1024 } })
    const token = await world.token()
    const directory = join(world.dataDir, 'notes')
    const run = readdirSync(directory)[0] as string
    rmSync(join(directory, run), { recursive: true })
    // Its segment is full sooner or later, and the next cannot be made.
    const fill = async (): Promise<boolean> => {
      await Promise.all(
        Array.from({ length: 200 }, () => world.ask(identity, { ...goodEnvelope, purpose: 'curiosity' }, { token })),
      )
      return (await world.send('/health/ready')).body.notes === 'not kept'
    }
    await until('the disk takes nothing', fill)
    const before = world.published.filter(({ topic }) => topic === 'ndx.request.population').length
    const refused = await world.ask(identity)
    expectProblem(refused, 'NDX_EVIDENCE_UNAVAILABLE')
    expect(refused.headers.get('retry-after')).toBe('2')
    expect(world.published.filter(({ topic }) => topic === 'ndx.request.population')).toHaveLength(before)
    mkdirSync(join(directory, run))
    await until('it is answered again', async () => (await world.ask(identity)).status === 200)
  })
})

describe('a ledger that is too far behind', () => {
  test('ends disclosures, now and at the status address, and not matches', async () => {
    ledger = await startScriptedLedger()
    ledger.caughtUpMs = Date.now()
    await start({ settings: { NDX_LEDGER_URL: ledger.url, NDX_LEDGER_BEHIND_MAX_MS: '60000' } })
    const [answered, matched] = [await world.ask(record, recordEnvelope), await world.ask(identity)]
    expect(answered.status).toBe(200)
    for (const { body } of [answered, matched]) ledger.know(await recordedStatus(world, body.exchangeId))
    ledger.caughtUpMs = Date.now() - 61_000
    await until('it is known', async () => (await world.send('/health/ready')).body.ledgerBehindMs > 60_000)
    const refused = await world.ask(record, recordEnvelope)
    expectProblem(refused, 'NDX_LEDGER_BEHIND')
    expect(refused.headers.get('retry-after')).toBe('30')
    expectProblem(await world.get(`/v1/exchanges/${answered.body.exchangeId}`), 'NDX_LEDGER_BEHIND')
    expect((await world.get(`/v1/exchanges/${matched.body.exchangeId}`)).status).toBe(200)
    expect((await world.ask(identity)).status).toBe(200)
    expect((await world.operations('/metrics')).text).toMatch(/\nndx_ledger_behind_seconds 6[1-9]/)
    ledger.caughtUpMs = Date.now()
    await until('it goes on', async () => (await world.ask(record, recordEnvelope)).status === 200)
  })

  test('or does not answer ages from where it was; one that begins to read is no news', async () => {
    ledger = await startScriptedLedger()
    await start({ settings: { NDX_LEDGER_URL: ledger.url, NDX_LEDGER_BEHIND_MAX_MS: '1' } })
    await until('a question is refused', async () => (await world.ask(record, recordEnvelope)).status === 503)
    ledger.caughtUpMs = Date.now() + 3_600_000
    await until('it is answered', async () => (await world.ask(record, recordEnvelope)).status === 200)
    ledger.isBroken = true
    expect((await world.ask(record, recordEnvelope)).status).toBe(200)
  })
})
