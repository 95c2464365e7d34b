// Asking again with the same Idempotency-Key: the first answer again, never a second question; and what is done where the index
// may have forgotten, the first exchange never came about, or the ledger is away.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PublishError } from '#bus/bus.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { type ClientId, type ServiceId } from '#contracts/contract.ts'
import { MemoryCounters } from '#gateway/counters/memory-counters.ts'
import { AdapterFailure, type Handler } from '#services/adapter.ts'
import { type Answered, goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld, type World, type WorldOptions } from '#tests/world.ts'
import { recordedStatus, startScriptedLedger } from './scripted-ledger.ts'

const identity = 'population/identity-verification'
const issuance = 'population/personal-id-issuance'
const issuanceEnvelope = {
  purpose: 'birth-registration',
  procedure: '1.001193',
  request: {
    birthRegistration: 'TP.001/2026-0000123',
    fullName: 'Nguyễn Minh An',
    dateOfBirth: '2026-01-05',
    sex: 'female',
    provinceCode: '001',
  },
}
const issued = { personalId: '001726661448', issuedOn: '2026-01-12' }
const wrong = { ...goodEnvelope, request: { ...goodEnvelope.request, fullName: 'Nguyễn Thị Thư' } }

const ledger = await startScriptedLedger()
afterAll(() => ledger.stop())

let world: World
beforeEach(() => {
  ledger.forgetAll()
  ledger.isBroken = false
  ledger.caughtUpMs = Number.MAX_SAFE_INTEGER
  ledger.asked.length = 0
})
afterEach(() => world.stop())

const start = async (options: WorldOptions = {}): Promise<void> => {
  world = await startWorld({
    silent: ['business-registration'],
    ...options,
    settings: { NDX_LEDGER_URL: ledger.url },
  })
  await world.token()
}

const ask = (key: string, envelope: object = goodEnvelope, headers: Record<string, string> = {}) =>
  world.ask(identity, envelope, { headers: { 'idempotency-key': key, ...headers } })
const askIssuance = (key: string) =>
  world.ask(issuance, issuanceEnvelope, { client: 'public-service-portal', headers: { 'idempotency-key': key } })
const questions = (): number => world.published.filter(({ topic }) => topic === 'ndx.request.population').length
const idOf = ({ headers }: Answered): string => headers.get('exchange-id') as string
const locationOf = ({ headers }: Answered) => headers.get('location')

/** The ledger reads what became of it. */
async function settle(first: Answered): Promise<void> {
  await until('it is settled', async () => {
    const status = await recordedStatus(world, idOf(first))
    if (status.state === 'accepted') return false
    ledger.know(status)
    return true
  })
}

describe('the same key and body', () => {
  test('get the first answer again, and no second question is asked', async () => {
    await start()
    const first = await ask('k')
    await settle(first)
    const again = await ask('"k"')
    expect([again.status, again.body]).toEqual([200, first.body])
    expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([
      null,
      'true',
    ])
    expect([idOf(again), questions()]).toEqual([idOf(first), 1])
    const [line, replay] = world.lines().filter(({ event }) => event === 'exchange')
    expect([line?.['first'], replay?.['first'], replay?.['outcome']]).toEqual([undefined, idOf(first), 'answered'])
    expect(replay?.['exchangeId']).not.toBe(idOf(first))
  })

  test('wait while the first is open, and get its answer', async () => {
    const answers: (() => void)[] = []
    await start({
      handlers: { [identity]: () => new Promise(resolve => answers.push(() => resolve({ matched: true }))) },
    })
    const asked = ask('k')
    await until('it is asked', () => answers.length === 1)
    const again = [ask('k'), ask('k')]
    await until('the ledger is asked', () => ledger.asked.filter(path => path.startsWith('/v1/exchanges')).length >= 2)
    for (const answer of answers) answer()
    const first = await asked
    await settle(first)
    for (const answered of await Promise.all(again)) expect([answered.status, answered.body]).toEqual([200, first.body])
    expect(questions()).toBe(1)
  })

  test('are accepted again while the first is open and nobody waits', async () => {
    await start({ silent: ['population', 'business-registration'] })
    ledger.caughtUpMs = 0
    const first = await ask('k', goodEnvelope, { prefer: 'respond-async' })
    const before = await ask('k', goodEnvelope, { prefer: 'respond-async' })
    ledger.know(await recordedStatus(world, idOf(first)))
    const after = await ask('k', goodEnvelope, { prefer: 'respond-async' })
    for (const again of [before, after]) {
      expect([again.status, again.body, locationOf(again)]).toEqual([202, first.body, locationOf(first)])
      expect(again.headers.get('idempotency-replayed')).toBeNull()
    }
    expect(questions()).toBe(1)
  })

  test('are unknown, with the first one’s location, when it is open for longer than the wait', async () => {
    await start({ silent: ['population', 'business-registration'], contracts: { [identityFile]: waitOf(300) } })
    const first = await ask('k')
    ledger.know(await recordedStatus(world, idOf(first)))
    const again = await ask('k')
    expect([first.status, again.status]).toEqual([504, 504])
    expect(locationOf(again)).toBe(locationOf(first))
    expect(questions()).toBe(1)
  })

  test.each<[string, Handler, number, object]>([
    [
      'fails with a code of the contract',
      failWith('register-unavailable'),
      502,
      { providerCode: 'register-unavailable' },
    ],
    ['fails otherwise', failWith('INNER'), 502, {}],
  ])('get the same problem when the first %s', async (_, handler, status, facts) => {
    await start({ handlers: { [identity]: handler } })
    const first = await ask('k')
    await settle(first)
    const again = await ask('k')
    expect([first.status, again.status]).toEqual([status, status])
    expect({ ...again.body, exchangeId: '' }).toEqual({ ...first.body, exchangeId: '' })
    expect(again.body).toMatchObject(facts)
    expect(questions()).toBe(1)
  })

  test('say that the answer is no longer kept', async () => {
    await start()
    const first = await ask('k')
    await settle(first)
    const { reply, ...status } = await recordedStatus(world, idOf(first))
    const gone = { ...status, reply: { ...(reply as NonNullable<typeof reply>), offset: '999' } }
    ledger.know(gone)
    expect((await ask('k')).body, 'of a moment ago, so that it may only not be shown yet').toMatchObject({
      code: 'NDX_BUS_UNAVAILABLE',
    })
    ledger.know({ ...gone, settledMs: Date.now() - 60_000 })
    const again = await ask('k')
    expect([again.status, again.body]).toEqual([
      200,
      { exchangeId: idOf(first), service: identity, outcome: 'answered', replyGone: true },
    ])
  })

  test('cost a guess once', async () => {
    await start()
    const first = await ask('k', wrong)
    await settle(first)
    for (let i = 0; i < 10; i++) expect((await ask('k', wrong)).body).toEqual(first.body)
    expect((await ask('other')).status).toBe(200)
  })

  test('are another question at another client, and for another service', async () => {
    await start()
    await ask('k')
    const bank = { ...goodEnvelope, purpose: 'customer-identification' }
    const options = { client: 'bank', headers: { 'idempotency-key': 'k' } }
    expect((await world.ask(identity, bank, options)).headers.get('idempotency-replayed')).toBeNull()
    expect(questions()).toBe(2)
  })
})

describe('an exchange that never came about', () => {
  test('leaves its key free: refused before it was sent, or surely not written', async () => {
    const inner = new MemoryBus()
    let fault: Error | undefined
    const bus = new Proxy(inner, {
      get: (target, name: keyof MemoryBus) => {
        if (name === 'publish')
          return (...[topic, outgoing]: Parameters<MemoryBus['publish']>) =>
            topic.startsWith('ndx.request') && fault !== undefined
              ? Promise.reject(fault)
              : target.publish(topic, outgoing)
        const member = target[name]
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    await start({ bus })
    fault = new PublishError('no broker', true)
    expectProblem(await ask('k'), 'NDX_BUS_UNAVAILABLE')
    fault = undefined
    const answered = await ask('k')
    expect([answered.status, answered.headers.get('idempotency-replayed')]).toEqual([200, null])
    await bus.close()
  })

  test('is taken over once its deadline is past and the ledger has read so far, and not before', async () => {
    const counters = new MemoryCounters()
    await start({ counters, contracts: { [identityFile]: waitOf(300) } })
    await beginWithoutSending('k')
    ledger.caughtUpMs = 0
    const before = await ask('k')
    expect([before.status, locationOf(before)]).toEqual([504, `/v1/exchanges/${lost}`])
    expect(questions()).toBe(0)
    ledger.caughtUpMs = Date.now() + 60_000
    const after = await ask('k')
    expect([after.status, after.headers.get('idempotency-replayed'), questions()]).toEqual([200, null, 1])
    await settle(after)
    expect((await ask('k')).body).toEqual(after.body)
  })

  const lost = '0198c7a0-0000-7000-8000-000000000009'

  /** A gateway that died between beginning and sending: the key is there, with the digests of a real question. */
  async function beginWithoutSending(key: string): Promise<void> {
    const inner = world.counters
    const begin = inner.begin.bind(inner)
    inner.begin = async beginning => {
      inner.begin = begin
      await begin({ ...beginning, exchangeId: lost })
      return begin(beginning)
    }
    ledger.caughtUpMs = 0
    await ask(key)
  }
})

describe('an index that may have forgotten', () => {
  const keyPath = (digest: string) => `public-service-portal/${issuance}/${digest}`
  const digestOf = (): string => {
    const path = ledger.asked.findLast(asked => asked.startsWith('/v1/keys/'))
    return path?.split('/').at(-1) ?? ''
  }

  /** An answered exchange of which the index knows nothing any more, and the ledger does. */
  async function answeredAndForgotten(counters: MemoryCounters): Promise<Answered> {
    const first = await askIssuance('k')
    await settle(first)
    ledger.knowKey(keyPath(digestOf()), await recordedStatus(world, idOf(first)))
    await counters.forget('public-service-portal' as ClientId, issuance as ServiceId, digestOf(), idOf(first))
    return first
  }

  test('is helped by the ledger: the first answer again', async () => {
    const counters = new MemoryCounters()
    await start({ counters, handlers: { [issuance]: () => issued } })
    const first = await answeredAndForgotten(counters)
    const asked = questions()
    for (const again of [await askIssuance('k'), await askIssuance('k')])
      expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([200, first.body, 'true'])
    expect(questions()).toBe(asked)
  })

  test('is helped as well where the key was begun anew and that came to nothing', async () => {
    const counters = new MemoryCounters()
    await start({ counters, handlers: { [issuance]: () => issued } })
    const first = await answeredAndForgotten(counters)
    const asked = questions()
    const failed = '0198c7a0-0000-7000-8000-000000000008'
    const client = 'public-service-portal' as ClientId
    ledger.know({ exchangeId: failed, client, state: 'refused', isDeferred: false, isLate: false })
    const begin = counters.begin.bind(counters)
    counters.begin = async beginning => {
      counters.begin = begin
      await begin({ ...beginning, exchangeId: failed })
      return begin(beginning)
    }
    const again = await askIssuance('k')
    expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([200, first.body, 'true'])
    expect(questions()).toBe(asked)
  })

  test('does not take another body for the same question', async () => {
    const counters = new MemoryCounters()
    await start({ counters, handlers: { [issuance]: () => issued } })
    const first = await answeredAndForgotten(counters)
    ledger.knowKey(keyPath(digestOf()), { ...(await recordedStatus(world, idOf(first))), body: 'other' })
    expectProblem(await askIssuance('k'), 'NDX_IDEMPOTENCY_KEY_REUSED')
    expectProblem(await askIssuance('k'), 'NDX_IDEMPOTENCY_KEY_REUSED')
  })

  test('risks no effect while the ledger is away or behind, and leaves the key free', async () => {
    await start({ handlers: { [issuance]: () => issued } })
    ledger.isBroken = true
    expectProblem(await askIssuance('k'), 'NDX_LEDGER_UNAVAILABLE')
    ledger.isBroken = false
    ledger.caughtUpMs = 0
    expectProblem(await askIssuance('k'), 'NDX_LEDGER_UNAVAILABLE')
    expect(questions()).toBe(0)
    ledger.caughtUpMs = Number.MAX_SAFE_INTEGER
    expect((await askIssuance('k')).status).toBe(200)
  })

  test('asks what changes nothing all the same', async () => {
    await start()
    ledger.isBroken = true
    expect((await ask('k')).status).toBe(200)
    expectProblem(await ask('k'), 'NDX_LEDGER_UNAVAILABLE')
  })

  test('is not doubted once it is older than the window', async () => {
    let nowMs = Date.now()
    const counters = new MemoryCounters({ now: () => nowMs - 100 * 3_600_000 })
    await start({ counters, now: () => nowMs, handlers: { [issuance]: () => issued } })
    ledger.isBroken = true
    nowMs += 1
    expect((await askIssuance('k')).status).toBe(200)
    expect(ledger.asked.filter(path => path.includes(issuance))).toEqual([])
  })
})

test('a question without a key asks neither index nor ledger', async () => {
  class Counting extends MemoryCounters {
    begun = 0
    override begin(...args: Parameters<MemoryCounters['begin']>) {
      this.begun++
      return super.begin(...args)
    }
  }
  const counters = new Counting()
  await start({ counters })
  const asked = ledger.asked.length
  expect((await world.ask(identity)).status).toBe(200)
  expect([counters.begun, ledger.asked.length - asked]).toEqual([0, 0])
})

const identityFile = 'population/identity-verification.v1.json'

function waitOf(ms: number) {
  return (contract: object) => Object.assign(contract, { deadlineMs: ms, maxWaitMs: ms })
}

function failWith(code: string): Handler {
  return () => {
    throw new AdapterFailure(code)
  }
}
