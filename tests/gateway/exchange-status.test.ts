// How an exchange stands, told to the client that asked it and to nobody else; an answer under the same rules as at once, bounded
// guesses included; and the same as server-sent events.
import { get } from 'node:http'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ExchangeStatus } from '#contracts/exchange-status.ts'
import { AdapterFailure } from '#services/adapter.ts'
import { type Answered, goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { notesOf } from '#tests/notes.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld, type World, type WorldOptions } from '#tests/world.ts'
import { recordedStatus, startScriptedLedger } from './scripted-ledger.ts'

const identity = 'population/identity-verification'
const record = 'population/citizen-record'
const recordEnvelope = {
  purpose: 'social-insurance-enrolment',
  procedure: '1.002759',
  request: { personalId: '026701599619' },
}
const wrong = { ...goodEnvelope, request: { ...goodEnvelope.request, fullName: 'Nguyễn Thị Thư' } }

const ledger = await startScriptedLedger()
afterAll(() => ledger.stop())

let world: World
beforeEach(() => {
  ledger.forgetAll()
  ledger.isBroken = false
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

/** Asked without waiting, and settled; the ledger does not know of it yet. */
async function askSettled(service: string, envelope: object): Promise<ExchangeStatus> {
  const accepted = await world.ask(service, envelope, { headers: { prefer: 'respond-async' } })
  expect(accepted.status).toBe(202)
  return settled(String(accepted.body.exchangeId))
}

async function settled(exchangeId: string): Promise<ExchangeStatus> {
  let status = await recordedStatus(world, exchangeId)
  await until('it is settled', async () => {
    status = await recordedStatus(world, exchangeId)
    return status.state !== 'accepted'
  })
  return status
}

const read = ({ exchangeId }: { exchangeId: string }, headers: Record<string, string> = {}): Promise<Answered> =>
  world.get(`/v1/exchanges/${exchangeId}`, { headers })

const iso = (ms: number | undefined): string => new Date(ms ?? 0).toISOString()
const standingOf = ({ exchangeId, service, acceptedMs, deadlineMs, settledMs }: ExchangeStatus) => ({
  exchangeId,
  service,
  acceptedAt: iso(acceptedMs),
  deadline: iso(deadlineMs),
  ...(settledMs === undefined ? {} : { settledAt: iso(settledMs) }),
})

describe('an exchange that was answered', () => {
  test('shows its reply, with the granted fields, each time, and each time it is noted', async () => {
    await start()
    const status = await askSettled(record, recordEnvelope)
    ledger.know(status)
    const synchronous = await world.ask(record, recordEnvelope)
    const first = await read(status)
    expect(first.body).toEqual({ ...standingOf(status), outcome: 'answered', reply: synchronous.body.reply })
    expect([first.status, first.headers.get('cache-control'), first.headers.get('retry-after')]).toEqual([
      200,
      'no-store',
      null,
    ])
    expect((await read(status)).body).toEqual(first.body)
    const delivered = (await notesOf(world)).filter(({ exchangeId }) => exchangeId === status.exchangeId)
    expect(delivered.map(({ kind, facts }) => [kind, facts['fields'], facts['reply']])).toEqual(
      Array(2).fill(['delivered', status.fields, Object.values(status.reply ?? {}).join('/')]),
    )
    expect(world.lines().filter(line => line['first'] === status.exchangeId)).toEqual(
      Array(2).fill(expect.objectContaining({ event: 'exchange', outcome: 'answered', client: 'social-insurance' })),
    )
  })

  test('shows only what is granted still', async () => {
    await start({ handlers: { [record]: () => ({ found: true, fullName: 'Trần Văn Ân', maritalStatus: 'single' }) } })
    const incidents = () => world.lines().filter(({ event }) => event === 'incident').length
    const status = await askSettled(record, recordEnvelope)
    ledger.know({ ...status, fields: [...(status.fields ?? []), 'maritalStatus', 'unheard-of'] })
    const { body } = await read(status)
    expect(body.reply).toEqual({ found: true, fullName: 'Trần Văn Ân' })
    expect(incidents()).toBe(1)
    ledger.know({ ...status, agreement: 'withdrawn@1' })
    expectProblem(await read(status), 'NDX_SERVICE_NOT_GRANTED', {
      detail: 'The grant under which this was asked is no longer in the agreement.',
      agreement: 'social-insurance',
      legalBasis: world.service(record).contract.legalBasis,
    })
  })

  test('says that its reply is gone when the record is, is another, or its contract is', async () => {
    await start()
    const recent = await askSettled(record, recordEnvelope)
    const status = { ...recent, settledMs: Date.now() - 60_000 }
    const other = await askSettled(record, recordEnvelope)
    const place = status.reply as NonNullable<ExchangeStatus['reply']>
    for (const changed of [
      { reply: { ...place, offset: '999' } },
      { reply: other.reply as typeof place },
      { contractHash: 'x' },
    ]) {
      ledger.know({ ...status, ...changed })
      expect((await read(status)).body).toEqual({ ...standingOf(status), outcome: 'answered', replyGone: true })
    }
  })

  test('is a failure when the reply breaks its contract, and an incident', async () => {
    await start()
    const { reply: place, ...status } = await askSettled(record, recordEnvelope)
    const other = await askSettled(identity, goodEnvelope)
    ledger.know({ ...other, contractHash: status.contractHash as string, agreement: status.agreement as string })
    expect((await read(other)).body).toEqual({ ...standingOf(other), outcome: 'failed', code: 'NDX_REPLY_INVALID' })
    expect(world.lines().filter(({ event }) => event === 'incident')).toHaveLength(1)
    expect(place).toBeDefined()
  })
})

describe('an exchange without an answer', () => {
  test('shows why it failed: the contract’s code, or none of the host’s', async () => {
    const codes = ['register-unavailable', 'INNER']
    await start({
      handlers: {
        [identity]: () => {
          throw new AdapterFailure(codes.shift() ?? '')
        },
      },
    })
    const failed = await askSettled(identity, goodEnvelope)
    ledger.know(failed)
    expect((await read(failed)).body).toEqual({
      ...standingOf(failed),
      outcome: 'failed',
      code: 'NDX_PROVIDER_FAILED',
      providerCode: 'register-unavailable',
    })
    const inner = await askSettled(identity, goodEnvelope)
    ledger.know(inner)
    expect((await read(inner)).body).toEqual({ ...standingOf(inner), outcome: 'failed', code: 'NDX_PROVIDER_FAILED' })
  })

  test('shows that it expired, was refused, or that nobody answered', async () => {
    await start()
    const status = await askSettled(identity, goodEnvelope)
    const shows = async (changed: Partial<ExchangeStatus>, shown: object): Promise<void> => {
      ledger.know({ ...status, ...changed })
      expect((await read(status)).body).toEqual({ ...standingOf(status), ...shown })
    }
    await shows({ state: 'expired' }, { outcome: 'expired', code: 'NDX_REQUEST_EXPIRED' })
    await shows({ state: 'refused', code: 'NDX_RATE_EXCEEDED' }, { outcome: 'refused', code: 'NDX_RATE_EXCEEDED' })
    await shows(
      { state: 'failed', code: 'UNANSWERED', isLate: true, isDeferred: true },
      { outcome: 'failed', code: 'NDX_REPLY_TIMEOUT', late: true, deferred: true },
    )
  })

  test('is open until the ledger says otherwise, and known as accepted before the ledger has read of it', async () => {
    await start({ silent: ['population', 'business-registration'] })
    const { body, headers } = await world.ask(identity, goodEnvelope, { headers: { prefer: 'respond-async' } })
    const seen = await world.get(String(headers.get('location')))
    expect([seen.status, seen.body]).toEqual([200, { exchangeId: body.exchangeId, outcome: 'accepted' }])
    expect(seen.headers.get('retry-after')).toBe('1')
    const status = await recordedStatus(world, String(body.exchangeId))
    ledger.know({ ...status, isDeferred: true })
    const deferred = await world.get(String(headers.get('location')))
    expect(deferred.body).toEqual({ ...standingOf(status), outcome: 'accepted', deferred: true })
    expect(deferred.headers.get('retry-after')).toBe('30')
  })

  test('is waited for as long as the client wishes', async () => {
    await start({ silent: ['population', 'business-registration'] })
    const { body } = await world.ask(identity, goodEnvelope, { headers: { prefer: 'respond-async' } })
    const status = await recordedStatus(world, String(body.exchangeId))
    ledger.know(status)
    const startedMs = performance.now()
    const open = await read(status, { prefer: 'wait=1' })
    expect([open.body.outcome, open.headers.get('preference-applied')]).toEqual(['accepted', 'wait=1'])
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(999)
    const asked = ledger.asked.length
    const waiting = read(status, { prefer: 'wait=99' })
    await until('it is waited for', () => ledger.asked.length >= asked + 2)
    ledger.know({ ...status, state: 'expired' })
    const expired = await waiting
    expect([expired.body.outcome, expired.headers.get('preference-applied')]).toEqual(['expired', 'wait=30'])
  })

  test('is not waited for by a gateway that stops', async () => {
    await start({ silent: ['population', 'business-registration'] })
    const { body } = await world.ask(identity, goodEnvelope, { headers: { prefer: 'respond-async' } })
    const status = await recordedStatus(world, String(body.exchangeId))
    ledger.know(status)
    const asked = ledger.asked.length
    const waiting = read(status, { prefer: 'wait=30' })
    await until('it is waited for', () => ledger.asked.length >= asked + 2)
    await world.gateway.stop()
    expect((await waiting).body.outcome).toBe('accepted')
  })
})

describe('an exchange of another', () => {
  test('looks like one that never was, in every way, and is not waited for', async () => {
    await start()
    const status = await askSettled(identity, goodEnvelope)
    const unread = await world.ask(identity, goodEnvelope, { headers: { prefer: 'respond-async' } })
    ledger.know({ ...status, state: 'accepted' })
    const paths = [
      `/v1/exchanges/${status.exchangeId}`,
      `/v1/exchanges/${unread.body.exchangeId}`,
      '/v1/exchanges/0198c7a0-0000-7000-8000-000000000009',
      '/v1/exchanges/x',
      '/v1/exchanges/..%2f..%2fhealth',
    ]
    const waits = ledger.waitedFor.length
    const answers = await Promise.all(
      paths
        .flatMap(path => [path, `${path}/events`])
        .map(path => world.get(path, { client: 'bank', headers: { prefer: 'wait=30' } })),
    )
    expect(ledger.waitedFor.slice(waits)).toEqual([])
    for (const answered of answers) expectProblem(answered, 'NDX_EXCHANGE_UNKNOWN')
    const shapes = answers.map(({ headers }) => [...headers.keys()].sort().join())
    expect(new Set(shapes).size).toBe(1)
  })
})

describe('a mismatch told later', () => {
  const budget = 5

  test('is counted once, however often it is told', async () => {
    await start()
    const status = await askSettled(identity, wrong)
    ledger.know(status)
    for (let i = 0; i <= budget; i++) expect((await read(status)).body.reply).toEqual({ matched: false })
    expect((await world.ask(identity)).status).toBe(200)
  })

  test('is told within the budget, and beyond it neither no nor yes', async () => {
    await start()
    const guesses = []
    for (let i = 0; i <= budget; i++) guesses.push(await askSettled(identity, wrong))
    const right = await askSettled(identity, goodEnvelope)
    const late = await askSettled(identity, goodEnvelope)
    for (const status of [...guesses, right, late]) ledger.know(status)
    expect((await read(right)).body.reply).toEqual({ matched: true })
    for (const status of guesses.slice(0, budget)) expect((await read(status)).body.reply).toEqual({ matched: false })
    const detail = 'The contract allows 5 mismatches a day for one subject.'
    expectProblem(await read(guesses[budget] as ExchangeStatus), 'NDX_GUESSES_EXCEEDED', { detail })
    expectProblem(await read(late), 'NDX_GUESSES_EXCEEDED', { detail })
    expectProblem(await world.ask(identity), 'NDX_GUESSES_EXCEEDED', { detail })
  })
})

describe('server-sent events', () => {
  const eventsOf = async ({ exchangeId }: { exchangeId: string }, headers: Record<string, string> = {}) =>
    fetch(`${world.url}/v1/exchanges/${exchangeId}/events`, {
      headers: { authorization: `Bearer ${await world.token()}`, ...headers },
    })
  const parse = (text: string): [string, object][] =>
    text
      .split('\n\n')
      .map(block => /^event: (.*)\ndata: (.*)$/.exec(block))
      .flatMap(match => (match === null ? [] : [[match[1] as string, JSON.parse(match[2] as string) as object]]))

  test('say how it stands, then its outcome, and end', async () => {
    await start()
    const status = await askSettled(identity, goodEnvelope)
    const { settledMs: _, reply: __, ...open } = status
    ledger.know({ ...open, state: 'accepted' })
    const asked = ledger.asked.length
    const response = await eventsOf(status, { 'last-event-id': 'whatever' })
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ])
    const text = response.text()
    await until('it is waited for', () => ledger.asked.length >= asked + 3)
    ledger.know({ ...open, state: 'accepted', isDeferred: true })
    ledger.know(status)
    expect(parse(await text)).toEqual([
      ['accepted', { ...standingOf(open), outcome: 'accepted' }],
      ['answered', { ...standingOf(status), outcome: 'answered', reply: { matched: true } }],
    ])
    await until('the stream is closed', async () =>
      (await world.operations('/metrics')).text.includes('\nndx_streams 0\n'),
    )
  })

  test('say that the provider has deferred it', async () => {
    await start()
    const status = await askSettled(identity, goodEnvelope)
    ledger.know({ ...status, state: 'accepted', isDeferred: true })
    const asked = ledger.asked.length
    const text = (await eventsOf(status)).text()
    await until('it is waited for', () => ledger.asked.length >= asked + 3)
    ledger.know({ ...status, state: 'expired' })
    expect(parse(await text).map(([event]) => event)).toEqual(['deferred', 'expired'])
  })

  test('end with the problem when an answer may not be told, and leave its line', async () => {
    await start()
    const status = await askSettled(record, recordEnvelope)
    ledger.know({ ...status, agreement: 'withdrawn@1' })
    const events = parse(await (await eventsOf(status)).text())
    expect(events).toEqual([['problem', expect.objectContaining({ code: 'NDX_SERVICE_NOT_GRANTED', status: 403 })]])
    expect(world.lines().filter(({ code }) => code === 'NDX_SERVICE_NOT_GRANTED')).toHaveLength(1)
  })

  test('end when the gateway stops, without an outcome', async () => {
    await start()
    const status = await askSettled(identity, goodEnvelope)
    ledger.know({ ...status, state: 'accepted' })
    const asked = ledger.asked.length
    const text = (await eventsOf(status)).text()
    await until('it is waited for', () => ledger.asked.length >= asked + 3)
    await world.gateway.stop()
    expect(parse(await text).map(([event]) => event)).toEqual(['accepted'])
  })

  test('are no longer held for a client that has left', async () => {
    await start()
    const status = await askSettled(identity, goodEnvelope)
    ledger.know({ ...status, state: 'accepted' })
    const authorization = `Bearer ${await world.token()}`
    const leaving = get(`${world.url}/v1/exchanges/${status.exchangeId}/events`, { headers: { authorization } })
    leaving.on('error', () => {})
    const open = async (count: number) => (await world.operations('/metrics')).text.includes(`\nndx_streams ${count}\n`)
    await until('it is open', () => open(1))
    leaving.destroy()
    await until('it is closed', () => open(0))
  })
})
