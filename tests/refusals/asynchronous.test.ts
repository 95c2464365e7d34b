// Refusals around asking again, asking later, and providers that must be left alone: keys, exchanges that are not the client's, a
// ledger that is away, the breaker and the bulkhead.
import { afterEach, describe, expect, test } from 'vitest'
import { AdapterFailure, type Handler } from '#services/adapter.ts'
import { type Answered, goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { startScriptedLedger } from '#tests/gateway/scripted-ledger.ts'
import { notesOf } from '#tests/notes.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld, type World, type WorldOptions } from '#tests/world.ts'

const identity = 'population/identity-verification'
const record = 'population/citizen-record'
const someId = '0198c7a0-0000-7000-8000-000000000001'

let world: World
afterEach(() => world.stop())

const start = async (options: WorldOptions = {}): Promise<void> => {
  world = await startWorld({ silent: ['business-registration'], ...options })
  await world.token()
}
const askWithKey = (key: string, envelope: object = goodEnvelope): Promise<Answered> =>
  world.ask(identity, envelope, { headers: { 'idempotency-key': key } })
const sent = (): number => world.published.filter(({ topic }) => topic === 'ndx.request.population').length

describe('an Idempotency-Key', () => {
  test.each(['""', 'a b', 'x'.repeat(129), 'a, b'])('of another form is refused: %s', async key => {
    await start()
    expectProblem(await askWithKey(key), 'NDX_IDEMPOTENCY_KEY_INVALID', {
      detail: 'One key of 1 to 128 visible ASCII characters.',
    })
    expect(sent()).toBe(0)
  })

  test('used for another body is refused, be it but one space more', async () => {
    await start()
    expect((await askWithKey('k')).status).toBe(200)
    const other = { ...goodEnvelope, request: { ...goodEnvelope.request, dateOfBirth: '2001' } }
    expectProblem(await askWithKey('k', other), 'NDX_IDEMPOTENCY_KEY_REUSED')
    const spaced = await world.ask(identity, undefined, {
      headers: { 'idempotency-key': 'k' },
      raw: `${JSON.stringify(goodEnvelope)} `,
    })
    expectProblem(spaced, 'NDX_IDEMPOTENCY_KEY_REUSED')
    expect(sent()).toBe(1)
  })

  test('is in no record, log line or answer, nor is a bare hash of it', async () => {
    await start()
    await askWithKey('a-very-secret-key')
    const seen = world.logText() + JSON.stringify(world.published)
    expect(seen).not.toContain('a-very-secret-key')
    expect(seen).toContain('ndxkey')
  })
})

describe('ndx-parent', () => {
  test.each([
    ['no id', 'x'],
    ['nothing', ''],
    ['an id of another kind', '0198c7a0-0000-4000-8000-000000000001'],
    ['two ids', `${someId}, ${someId}`],
    ['an id that ends as a personal number', '0198c7a0-0000-7000-8000-026701599619'],
    ['the same of the real scheme', '0198c7a0-0000-7000-8000-026301599619'],
  ])('of %s is refused', async (_, parent) => {
    await start()
    const refused = await world.ask(identity, undefined, { headers: { 'ndx-parent': parent } })
    expectProblem(refused, 'NDX_PARENT_INVALID', { detail: 'The id of one exchange, as in its exchange-id.' })
    expect(sent()).toBe(0)
  })

  test('goes into the record, and nothing is there without it', async () => {
    await start()
    const parent = '0198c7a0-0000-7000-8000-00000000000a'
    expect((await world.ask(identity, undefined, { headers: { 'ndx-parent': parent } })).status).toBe(200)
    expect((await world.ask(identity)).status).toBe(200)
    const records = world.published.filter(({ topic }) => topic === 'ndx.request.population')
    expect(records.map(({ record: { value } }) => JSON.parse(value).ndxparent)).toEqual([parent, undefined])
  })
})

describe('an exchange', () => {
  test('that nobody knows is not found', async () => {
    const ledger = await startScriptedLedger()
    await start({ settings: { NDX_LEDGER_URL: ledger.url } })
    expectProblem(await world.get(`/v1/exchanges/${someId}`), 'NDX_EXCHANGE_UNKNOWN')
    expectProblem(await world.get(`/v1/exchanges/${someId}/events`), 'NDX_EXCHANGE_UNKNOWN')
    await ledger.stop()
  })

  test('cannot be told of while the ledger is away, or there is none', async () => {
    await start()
    for (const path of [`/v1/exchanges/${someId}`, `/v1/exchanges/${someId}/events`]) {
      const refused = await world.get(path)
      expectProblem(refused, 'NDX_LEDGER_UNAVAILABLE')
      expect(refused.headers.get('retry-after')).toBe('2')
    }
  })
})

describe('a provider that fails', () => {
  const failing: Handler = () => {
    throw new AdapterFailure('INNER')
  }
  const unguessed: WorldOptions['contracts'] = {
    'population/identity-verification.v1.json': ({ limits }) => {
      delete limits.mismatchesPerSubjectPerDay
    },
  }

  test('is left alone for a while, and nothing is sent to it', async () => {
    await start({ handlers: { [identity]: failing }, contracts: unguessed })
    for (let i = 0; i < 20; i++) expect((await world.ask(identity)).status).toBe(502)
    const before = sent()
    const refused = await world.ask(identity)
    expectProblem(refused, 'NDX_PROVIDER_UNAVAILABLE')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(sent()).toBe(before)
    expect((await world.operations('/metrics')).text).toContain('\nndx_breaker_state{provider="population"} 2\n')
    expect(world.lines().filter(({ event }) => event === 'breaker')).toEqual([
      expect.objectContaining({ provider: 'population', state: 'open' }),
    ])
    const notes = await notesOf(world)
    expect(notes.at(-1)).toMatchObject({ kind: 'undelivered', facts: { sent: false } })
  })

  test('with codes of its contract is asked on', async () => {
    await start({
      handlers: {
        [identity]: () => {
          throw new AdapterFailure('register-unavailable')
        },
      },
      contracts: unguessed,
    })
    for (let i = 0; i < 25; i++) expect((await world.ask(identity)).status).toBe(502)
  })
})

describe('a provider that is slow', () => {
  test('holds its places and no more, urgent ones last, and gives them back', async () => {
    const answers: (() => void)[] = []
    const hold =
      (reply: object): Handler =>
      () =>
        new Promise(resolve => answers.push(() => resolve(reply as never)))
    await start({
      settings: { NDX_PROVIDER_PENDING_MAX: '4' },
      handlers: { [identity]: hold({ matched: true }), [record]: hold({ found: false }) },
      agreements: {
        'social-insurance': ({ grants }) => {
          for (const grant of grants) if (grant.mode === 'disclose') grant.priority = 'bulk'
        },
      },
    })
    const bulk = {
      purpose: 'social-insurance-enrolment',
      procedure: '1.002759',
      request: { personalId: '026701599619' },
    }
    const held = [world.ask(record, bulk), world.ask(record, bulk)]
    await until('two are held', () => answers.length === 2)
    const refused = await world.ask(record, bulk)
    expectProblem(refused, 'NDX_PROVIDER_OVERLOADED')
    expect(refused.headers.get('retry-after')).toMatch(/^[123]$/)
    held.push(world.ask(identity), world.ask(identity))
    await until('four are held', () => answers.length === 4)
    expect((await world.operations('/metrics')).text).toContain('\nndx_provider_pending{provider="population"} 4\n')
    expectProblem(await world.ask(identity), 'NDX_PROVIDER_OVERLOADED')
    await until('all are answered', async () => {
      for (const answer of answers.splice(0)) answer()
      return world.lines().filter(({ outcome }) => outcome === 'answered').length === 4
    })
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect((await world.operations('/metrics')).text).toContain('\nndx_provider_pending{provider="population"} 0\n')
  })
})
