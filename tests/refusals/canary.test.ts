// One name and one number, put wherever a client or a provider can put text, must turn up nowhere but where they belong: in
// the data of requests and replies, and in the answer to who may have it. Searched: log, metrics, audit counters, response
// heads, problems, and on the bus keys, headers, attributes and notes. Not searched: memory, and spellings other than these
// (a number in hexadecimal, say).
import { afterAll, describe, expect, test } from 'vitest'
import { AdapterFailure } from '#services/adapter.ts'
import { goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { startWorld } from '#tests/world.ts'

/** Letters alone and digits alone, so that no form we ask for keeps them out by its spelling. */
const name = 'Canaryvanoanh'
const number = '026701599619'
const identity = 'population/identity-verification'
const record = 'population/citizen-record'

type Misbehaviour = 'answer' | 'fail' | 'throw' | 'throw-code' | 'unknown-member' | 'wrong-kind'
let behaviour: Misbehaviour = 'answer'
const world = await startWorld({
  silent: ['business-registration'],
  handlers: {
    [identity]: () => misbehave(),
    [record]: (_, { fields }) =>
      behaviour === 'answer' && fields.has('fullName') ? { found: true, fullName: name, ethnicity: name } : misbehave(),
  },
})
afterAll(() => world.stop())

function misbehave() {
  if (behaviour === 'fail') throw new AdapterFailure('register-unavailable', { cause: new Error(`${name} ${number}`) })
  if (behaviour === 'throw') throw Object.assign(new Error(`no ${name} under ${number}`), { name, number })
  if (behaviour === 'throw-code') throw new AdapterFailure(`${name}-${number}`)
  if (behaviour === 'unknown-member') return { matched: true, [name]: number, [number]: name }
  if (behaviour === 'wrong-kind') return { matched: `${name} ${number}` }
  return { matched: true }
}

/** Heads of everything answered, and bodies of what was no answer. */
const answered: string[] = []
const keep = (one: { status: number; headers: Headers; text: string }): number => {
  answered.push(JSON.stringify([...one.headers]), one.status === 200 ? '' : one.text)
  return one.status
}
const textHeaders = (text: string): Record<string, string> => ({
  'user-agent': text,
  'idempotency-key': text,
  'x-request-id': text,
  'x-forwarded-for': text,
  traceparent: text,
  tracestate: `a=${text}`,
  baggage: `a=${text}`,
  accept: `text/${text}`,
  cookie: `a=${text}`,
  referer: `http://${text}/`,
  origin: `http://${text}`,
  prefer: text,
  'ndx-service-version': text,
  'exchange-id': text,
  'ndx-parent': text,
  from: text,
})

describe.each([name, number])('%s', text => {
  test('in the headers', async () => {
    for (const [header, value] of Object.entries(textHeaders(text)))
      keep(await world.ask(identity, undefined, { headers: { [header]: value } }))
    for (const traceparent of [
      `00-${number}${'a'.repeat(20)}-${'b'.repeat(16)}-01`,
      `00-${'a'.repeat(32)}-${number}abcd-01`,
      `00-${'a'.repeat(20)}026301599619-${'b'.repeat(16)}-01`,
    ])
      expect(keep(await world.ask(identity, undefined, { headers: { traceparent } }))).toBe(200)
    const parent = `0198c7a0-0000-7000-8000-${number}`
    expect(keep(await world.ask(identity, undefined, { headers: { 'ndx-parent': parent } }))).toBe(400)
    keep(await world.ask(identity, undefined, { headers: { 'content-type': `application/${text}` } }))
    keep(await world.ask(identity, undefined, { headers: { 'content-type': `application/json; charset=${text}` } }))
    for (const value of [`Bearer ${text}`, text, `Basic ${text}`])
      keep(await world.ask(identity, undefined, { token: null, headers: { authorization: value } }))
  })

  test('in the address', async () => {
    for (const path of [
      `/${text}`,
      `/v1/exchanges/${text}`,
      `/v1/exchanges/${text}/events`,
      `/v1/services/${text}/${text}`,
      `/v1/services?${text}=${text}`,
      `/problems/${text}`,
      `/%${text}`,
    ])
      keep(await world.get(path))
    keep(await world.ask(`${identity}?${text}=${text}`))
    keep(await world.send(`/v1/services/${text}`, { method: 'DELETE' }))
  })

  test('in the envelope and the request', async () => {
    const { request } = goodEnvelope
    const envelopes: object[] = [
      { ...goodEnvelope, purpose: text },
      { ...goodEnvelope, procedure: text },
      { ...goodEnvelope, officer: text.toUpperCase() },
      { ...goodEnvelope, fields: [text] },
      { ...goodEnvelope, fields: { [text]: text } },
      { ...goodEnvelope, [text]: text },
      { ...goodEnvelope, request: { ...request, [text]: text } },
      { ...goodEnvelope, request: { ...request, fullName: text } },
      { ...goodEnvelope, request: { ...request, dateOfBirth: text } },
      { ...goodEnvelope, request: { ...request, personalId: text } },
      { ...goodEnvelope, request: text },
      [text],
    ]
    for (const envelope of envelopes) keep(await world.ask(identity, envelope))
    for (const raw of [`{"${text}":1,"${text}":2}`, `{"${text}"`, text, `{"a":"${text}\\ud800"}`])
      keep(await world.ask(identity, undefined, { raw }))
  })

  test('in a token and at the token endpoint', async () => {
    for (const claim of ['iss', 'aud', 'sub', 'client_id', 'jti', 'scope', 'iat', 'exp', 'nbf', text])
      keep(await world.ask(identity, undefined, { token: world.forge({ claims: { [claim]: text } }) }))
    for (const header of [{ kid: text }, { alg: text }, { typ: text }, { crit: [text], [text]: text }])
      keep(await world.ask(identity, undefined, { token: world.forge({ header }) }))
    for (const claim of ['iss', 'sub', 'aud', 'jti', 'exp', 'iat', 'nbf', text])
      keep(
        await world.requestToken('bank', {
          client_assertion: world.assertion({ client: 'bank', claims: { [claim]: text } }),
        }),
      )
    for (const header of [{ kid: text }, { alg: text }, { crit: [text], [text]: text }])
      keep(await world.requestToken('bank', { client_assertion: world.assertion({ client: 'bank', header }) }))
    for (const field of ['grant_type', 'client_assertion_type', 'client_assertion', 'scope', 'client_id', text])
      keep(await world.requestToken('bank', { [field]: text }))
    keep(await world.revoke('bank', text))
  })
})

test.each(['fail', 'throw', 'throw-code', 'unknown-member', 'wrong-kind'] as const)(
  'in what a provider says: %s',
  async how => {
    behaviour = how
    expect(keep(await world.ask(identity))).toBe(502)
    behaviour = 'answer'
  },
)

test('the one who was granted the name gets it, without the field that was not granted', async () => {
  const granted = await world.ask(record, {
    purpose: 'social-insurance-enrolment',
    procedure: '1.002759',
    fields: ['fullName'],
    request: { personalId: number },
  })
  expect(granted.body).toEqual({
    exchangeId: granted.headers.get('exchange-id'),
    service: record,
    outcome: 'answered',
    reply: { found: true, fullName: name },
  })
  keep(granted)
})

test('neither is found where it does not belong', async () => {
  await until('all is logged', () => world.lines().some(({ event }) => event === 'exchange'))
  const places = {
    log: world.logText(),
    answers: answered.join('\n'),
    metrics: (await world.operations('/metrics')).text,
    counters: (await world.operations('/counters')).text,
    keysAndHeaders: JSON.stringify(world.published.map(({ topic, record: { key, headers } }) => [topic, key, headers])),
    attributes: JSON.stringify(
      world.published
        .filter(({ record: { value } }) => value !== '')
        .map(({ record: { value } }) => {
          const event = JSON.parse(value) as Record<string, unknown>
          return String(event['type']).startsWith('ndx.note') ? event : { ...event, data: undefined }
        }),
    ),
  }
  for (const [place, text] of Object.entries(places)) {
    expect([place, text.length > 100]).toEqual([place, true])
    for (const canary of [name, number, '026301599619']) expect([place, contextsOf(text, canary)]).toEqual([place, []])
  }
})

test('a pseudonym stands in their place, the same for the same person', () => {
  const requests = world.published.filter(({ topic }) => topic === 'ndx.request.population')
  const subjects = new Set(requests.map(({ record: { value } }) => JSON.parse(value).subject))
  expect([...subjects]).toEqual([expect.stringMatching(/^\d{6}\.[\w-]{22}$/)])
})

const contextsOf = (text: string, canary: string): string[] =>
  [...text.toLowerCase().matchAll(new RegExp(`.{0,80}${canary.toLowerCase()}.{0,20}`, 'g'))].map(([found]) => found)
