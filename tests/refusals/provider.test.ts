// A provider that is silent, late, broken or worse. The test answers on the bus in the provider's place, so that it can say what
// no host of ours would. Nothing of a bad reply is released; what broke a rule is recorded as an incident.
import { afterEach, describe, expect, test } from 'vitest'
import { type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'
import { type ReplyMessage, readRequest, writeReply } from '#bus/message.ts'
import { replyTopic } from '#bus/topics.ts'
import { type ProviderId } from '#contracts/contract.ts'
import { AdapterFailure, type Handler } from '#services/adapter.ts'
import { type Answered } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { notesOf } from '#tests/notes.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld, type World, type WorldOptions } from '#tests/world.ts'

const identity = 'population/identity-verification'
const population = 'population' as ProviderId
const canary = 'Canaryvanoanh'

let world: World
afterEach(() => world.stop())

const shortDeadline: WorldOptions = {
  contracts: {
    'population/identity-verification.v1.json': contract =>
      Object.assign(contract, { deadlineMs: 300, maxWaitMs: 300 }),
  },
}

const start = async (options: WorldOptions = {}): Promise<void> => {
  world = await startWorld({
    silent: ['population', 'business-registration'],
    ...options,
  })
  await world.token()
}

/** `padding`: white space after the value. */
type Reply = Partial<ReplyMessage> & { record?: Partial<OutgoingRecord>; topic?: string; padding?: number }

/** Answers every question with what `replies` makes of it, in order. */
async function answerWith(replies: (request: ReturnType<typeof readRequest>) => readonly Reply[]): Promise<void> {
  await world.bus.work({
    topic: 'ndx.request.population',
    group: 'adapter-population',
    poolSize: 4,
    heldMax: 16,
    handle: async record => {
      for (const reply of replies(readRequest(record))) await send(record, reply)
    },
  }).ready
}

function send(request: IncomingRecord, { record = {}, topic, padding = 0, ...changes }: Reply): Promise<void> {
  const { exchangeId, traceparent, contractHash, replyPartition } = readRequest(request)
  const message = writeReply(
    {
      exchangeId,
      type: 'ndx.reply.population.identity-verification.v1',
      source: '/adapter/population/test',
      repliedMs: Date.now(),
      traceparent,
      contractHash,
      outcome: 'answered',
      waitedMs: 1,
      handledMs: 1,
      data: { matched: true },
      ...changes,
    },
    replyPartition,
  )
  return world.bus.publish(topic ?? replyTopic(population), {
    ...message,
    value: message.value + ' '.repeat(padding),
    ...record,
  })
}

const notes = async (kind: string): Promise<unknown[]> =>
  (await notesOf(world)).filter(note => note.kind === kind).map(({ facts }) => facts)

const incidentLines = () => world.lines().filter(({ event }) => event === 'incident')

async function expectIncident(incident: string, facts: object): Promise<void> {
  expect(await notes('incident')).toEqual([{ incident, provider: 'population', ...facts }])
  expect(incidentLines()).toEqual([
    expect.objectContaining({ level: 'error', incident, provider: 'population', ...facts }),
  ])
}

const unknown = {
  outcome: 'unknown',
  detail: 'The question was sent; whether it was answered is not known yet.',
} as const

describe('a silent provider', () => {
  test('is waited for until the deadline, and the outcome is unknown', async () => {
    await start(shortDeadline)
    const startedMs = performance.now()
    const answered = await world.ask(identity)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(299)
    expectProblem(answered, 'NDX_REPLY_TIMEOUT', unknown)
    expect(await notes('timed-out')).toEqual([
      expect.objectContaining({ outcome: 'unknown', code: 'NDX_REPLY_TIMEOUT', status: 504 }),
    ])
  })

  test('whose reply comes late is counted, and answers nobody', async () => {
    await start(shortDeadline)
    const held: IncomingRecord[] = []
    await world.bus.work({
      topic: 'ndx.request.population',
      group: 'adapter-population',
      poolSize: 1,
      heldMax: 4,
      handle: async record => void held.push(record),
    }).ready
    expectProblem(await world.ask(identity), 'NDX_REPLY_TIMEOUT', unknown)
    await send(held[0] as IncomingRecord, {})
    await send(held[0] as IncomingRecord, {})
    const metrics = async () => (await world.operations('/metrics')).text
    await until('the late reply is counted', async () => (await metrics()).includes('\nndx_replies_late_total 1\n'))
  })

  test('holds its guesses while the outcome is unknown', async () => {
    await start(shortDeadline)
    const answers = await Promise.all(Array.from({ length: 6 }, () => world.ask(identity)))
    expect(answers.map(({ status }) => status).sort()).toEqual([429, 504, 504, 504, 504, 504])
  })
})

describe('a host', () => {
  const withHandler = (handler: Handler, options: WorldOptions = {}) =>
    start({ silent: ['business-registration'], handlers: { [identity]: handler }, ...options })

  test('that reads a question after its deadline does not execute it', async () => {
    let calls = 0
    const handler: Handler = () => {
      calls++
      return { matched: true }
    }
    await withHandler(handler, { hostNow: () => Date.now() + 60_000 })
    expectProblem(await world.ask(identity), 'NDX_REQUEST_EXPIRED', {
      outcome: 'expired',
      detail: 'The provider read the question after its deadline and did not execute it.',
    })
    const expired = world.hosts.reduce((sum, { counts }) => sum + counts.expired, 0)
    expect([calls, expired]).toEqual([0, 1])
  })

  test('whose handler throws fails the exchange, without a word of what was thrown', async () => {
    await withHandler(() => {
      throw new Error(canary)
    })
    expectProblem(await world.ask(identity), 'NDX_PROVIDER_FAILED', { outcome: 'failed' })
    const lines = world.lines().filter(({ event }) => event === 'handler-failed')
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      expect(line).toMatchObject({ level: 'error', provider: 'population', kind: 'Error' })
      expect(line['frames']).toEqual(expect.arrayContaining([expect.stringContaining('provider.test.ts')]))
    }
    expect(world.logText()).not.toContain(canary)
  })

  test('whose handler fails with a code of the contract passes it on', async () => {
    await withHandler(async () => {
      throw new AdapterFailure('register-unavailable')
    })
    expectProblem(await world.ask(identity), 'NDX_PROVIDER_FAILED', {
      outcome: 'failed',
      providerCode: 'register-unavailable',
      detail: 'The register is away',
    })
  })

  test('whose handler fails with a code of its own keeps it to itself', async () => {
    await withHandler(() => {
      throw new AdapterFailure(canary)
    })
    expectProblem(await world.ask(identity), 'NDX_PROVIDER_FAILED', { outcome: 'failed' })
    expect(JSON.stringify(world.published)).not.toContain(canary)
  })

  test('whose handler breaks the contract sends no reply but a failure', async () => {
    await withHandler(() => ({ matched: canary }))
    expectProblem(await world.ask(identity), 'NDX_PROVIDER_FAILED', { outcome: 'failed' })
    expect(JSON.stringify(world.published) + world.logText()).not.toContain(canary)
  })

  test('that fails gives the guess back', async () => {
    await withHandler(() => {
      throw new AdapterFailure('register-unavailable')
    })
    for (let i = 0; i < 8; i++) expect((await world.ask(identity)).status).toBe(502)
  })
})

describe('a reply that breaks the rules', () => {
  const ask = async (replies: Parameters<typeof answerWith>[0]): Promise<Answered> => {
    await start()
    await answerWith(replies)
    return world.ask(identity)
  }
  const place = { topic: 'ndx.reply.population', partition: expect.any(Number), offset: '0' }

  test.each<[string, Reply]>([
    ['a member of another kind', { data: { matched: canary } }],
    ['an unknown member', { data: { matched: true, [canary]: canary } }],
    ['__proto__', { data: JSON.parse(`{"matched":true,"__proto__":{"x":"${canary}"}}`) }],
    ['no data', { record: { value: '{"specversion":"1.0"}' } }],
    ['no JSON', { record: { value: `{"${canary}` } }],
    ['a list', { record: { value: `["${canary}"]` } }],
    ['another contract’s hash', { contractHash: canary }],
    ['another service’s type', { type: 'ndx.reply.population.citizen-record.v1' }],
    [
      'another exchange inside',
      { record: { value: JSON.stringify({ specversion: '1.0', id: canary, ndxoutcome: 'answered' }) } },
    ],
    ['an unknown outcome', { outcome: canary as 'answered' }],
    ['more bytes than the contract and an envelope allow', { padding: 1024 + 2048 }],
  ])('is withheld whole: %s', async (_, reply) => {
    const answered = await ask(() => [reply])
    expectProblem(answered, 'NDX_REPLY_INVALID', { outcome: 'failed' })
    await expectIncident('invalid-reply', place)
    expect((await world.operations('/metrics')).text).toContain(
      '\nndx_incidents_total{provider="population",incident="invalid-reply"} 1\n',
    )
    const noted = JSON.stringify(await notesOf(world))
    expect(answered.text + JSON.stringify([...answered.headers]) + world.logText() + noted).not.toContain(canary)
  })

  test('is answered without the fields that were not granted', async () => {
    const attributes = { personalId: true, fullName: true, dateOfBirth: true }
    const answered = await ask(() => [{ data: { matched: true, attributes } }])
    expect(answered.body).toEqual({
      exchangeId: answered.headers.get('exchange-id'),
      service: identity,
      outcome: 'answered',
      reply: { matched: true },
    })
    await expectIncident('ungranted-fields', { withheld: ['attributes'] })
    expect(await notes('delivered')).toEqual([
      expect.objectContaining({ withheld: ['attributes'], fields: ['matched'] }),
    ])
  })

  test('is ignored when another provider sent it, and the right one is taken', async () => {
    const answered = await ask(() => [
      { topic: 'ndx.reply.business-registration', data: { matched: false } },
      { data: { matched: true } },
    ])
    expect([answered.status, answered.body.reply]).toEqual([200, { matched: true }])
    await expectIncident('misdirected-reply', { topic: 'ndx.reply.business-registration' })
  })

  test('is ignored when it is the second one', async () => {
    const answered = await ask(() => [{ data: { matched: true } }, { data: { matched: false } }])
    expect(answered.body.reply).toEqual({ matched: true })
    expect(await notes('incident')).toEqual([])
  })

  test('says failed with a code that the contract does not have', async () => {
    const answered = await ask(() => [{ outcome: 'failed', code: canary }])
    expectProblem(answered, 'NDX_PROVIDER_FAILED', { outcome: 'failed' })
    expect(world.logText()).not.toContain(canary)
  })
})

describe('records that belong to nobody', () => {
  test('do not stop the reply partition', async () => {
    await start()
    const partition = Number(world.lines().find(({ event }) => event === 'ready')?.['replyPartition'])
    const stray: Partial<OutgoingRecord>[] = [
      { headers: {}, value: '' },
      { headers: { kafka_correlationId: 'nobody' }, value: '{' },
      { headers: { kafka_correlationId: '__proto__' }, value: 'null' },
    ]
    for (const record of stray)
      await world.bus.publish('ndx.reply.population', { key: null, partition, headers: {}, value: '', ...record })
    await answerWith(() => [{}])
    expect((await world.ask(identity)).status).toBe(200)
  })
})
