// Refusals of a body: 400 for what is not strict JSON, 413 past either limit, 415 for another media type, 422 with a pointer
// for each fault. The borders are asked at the limit and one past it.
import { afterAll, describe, expect, test } from 'vitest'
import { goodEnvelope } from '#tests/asker.ts'
import { expectProblem } from '#tests/refusals/expect-problem.ts'
import { startWorld } from '#tests/world.ts'

const identity = 'population/identity-verification'
const seeContract = 'See the contract: GET /v1/services/population/identity-verification'
const world = await startWorld({ silent: ['business-registration'] })
afterAll(() => world.stop())
const send = (raw: string | Buffer, headers: Record<string, string> = {}) =>
  world.ask(identity, undefined, { raw, headers })
const good = JSON.stringify(goodEnvelope)
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const withMember = (member: string): string => `${good.slice(0, -1)},${member}}`

describe('strict JSON', () => {
  test.each([
    ['no bytes', '', 'the body is empty'],
    ['no JSON', '{', 'the body is not JSON at character 1'],
    ['a trailing comma', `${good.slice(0, -1)},}`, /^the body is not JSON( at character \d+)?$/],
    ['two values', `${good}${good}`, `the body is not JSON at character ${good.length}`],
    ['a byte order mark', `\uFEFF${good}`, 'the body is not JSON'],
    ['NaN', '{"purpose":NaN}', 'the body is not JSON'],
    ['a raw control character', good.replace('Hương', 'H\u0001'), /^the body is not JSON( at character \d+)?$/],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'the body is not UTF-8'],
    ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'the body is not UTF-8'],
    ['a surrogate encoded as bytes', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'the body is not UTF-8'],
    ['an escaped lone surrogate', good.replace('Hương', '\\ud800'), 'a string holds a lone surrogate'],
    ['an escaped lone low surrogate', good.replace('Hương', '\\udc00x'), 'a string holds a lone surrogate'],
    ['a lone surrogate in a name', withMember('"\\udbff":1'), 'a string holds a lone surrogate'],
    ['a duplicate name', withMember('"purpose":"x"'), 'an object names a member twice'],
    ['a duplicate name, one escaped', withMember('"purpos\\u0065":"x"'), 'an object names a member twice'],
    ['a duplicate name inside', '{"request":{"a":[{"b":1,"b":2}]}}', 'an object names a member twice'],
    ['a duplicate __proto__', withMember('"__proto__":1,"__proto__":2'), 'an object names a member twice'],
    ['a depth past the limit', nested(33), 'the body is nested deeper than 32'],
  ])('refuses %s', async (_, raw, detail) => {
    expectProblem(await send(raw), 'NDX_BODY_MALFORMED', {
      detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
    })
  })

  test('reads a depth at the limit', async () => {
    expectProblem(await send(nested(32)), 'NDX_REQUEST_INVALID', {
      detail: seeContract,
      errors: [{ pointer: '', detail: 'must be object' }],
    })
  })

  test('refuses a request without a body', async () => {
    const token = await world.token()
    const none = await world.send(`/v1/services/${identity}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    })
    expectProblem(none, 'NDX_BODY_MALFORMED', { detail: 'A JSON body is required.' })
  })

  test('answers a body with an escaped pair of surrogates', async () => {
    const answered = await send(good.replace('Hương', '\\ud83d\\ude00'))
    expect(answered.body).toEqual({
      exchangeId: answered.headers.get('exchange-id'),
      service: identity,
      outcome: 'answered',
      reply: { matched: false },
    })
  })
})

describe('the media type', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'text/json',
    'application/jsonp',
    '*/*',
  ])('refuses %s', async type =>
    expectProblem(await send(good, { 'content-type': type }), 'NDX_MEDIA_TYPE_UNSUPPORTED'),
  )

  test.each(['application/json; charset=utf-16', 'application/json;charset="ISO-8859-1"'])('refuses %s', async type => {
    const refused = await send(good, { 'content-type': type })
    expectProblem(refused, 'NDX_MEDIA_TYPE_UNSUPPORTED', { detail: 'JSON is UTF-8 and nothing else.' })
  })

  test.each(['application/json; charset=utf-8', 'application/json;charset=UTF-8', 'APPLICATION/JSON'])(
    'reads %s',
    async type => expect((await send(good, { 'content-type': type })).status).toBe(200),
  )

  test('refuses a compressed body', async () => {
    const zipped = Buffer.from([
      0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0,
    ])
    const refused = await send(zipped, { 'content-encoding': 'gzip' })
    expectProblem(refused, 'NDX_BODY_MALFORMED', { detail: 'the body is not UTF-8' })
  })
})

describe('the size', () => {
  const padded = (bytes: number): string => good + ' '.repeat(bytes - Buffer.byteLength(good))

  test('answers a body at the contract’s limit and refuses one byte more', async () => {
    expect((await send(padded(4096))).status).toBe(200)
    expectProblem(await send(padded(4097)), 'NDX_BODY_TOO_LARGE', { detail: 'The contract allows 4096 bytes.' })
  })

  test('reads a body at the gateway’s limit and refuses one byte more unread', async () => {
    expectProblem(await send(padded(65_536)), 'NDX_BODY_TOO_LARGE', { detail: 'The contract allows 4096 bytes.' })
    expectProblem(await send(padded(65_537)), 'NDX_BODY_TOO_LARGE')
  })

  test('refuses a body that grows past the limit without saying how long it is', async () => {
    const token = await world.token()
    const chunked = await world.send(`/v1/services/${identity}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: new Blob([padded(70_000)]).stream(),
      duplex: 'half',
    } as RequestInit)
    expectProblem(chunked, 'NDX_BODY_TOO_LARGE')
  })
})

describe('the contract', () => {
  const errorsOf = async (envelope: object | string): Promise<unknown> => {
    const refused = await send(typeof envelope === 'string' ? envelope : JSON.stringify(envelope))
    expectProblem(refused, 'NDX_REQUEST_INVALID', { detail: seeContract, errors: refused.body.errors })
    return refused.body.errors
  }
  const withRequest = (changes: object): object => ({
    ...goodEnvelope,
    request: { ...goodEnvelope.request, ...changes },
  })
  const envelopeKnows =
    'has a member that the contract does not know; it knows purpose, procedure, officer, fields, request'
  const requestKnows = 'has a member that the contract does not know; it knows personalId, fullName, dateOfBirth'

  test.each([
    [
      'an empty object',
      {},
      [
        ['/purpose', 'is required'],
        ['/request', 'is required'],
      ],
    ],
    ['a list', [], [['', 'must be object']]],
    ['an unknown member', { ...goodEnvelope, reason: 'x' }, [['', envelopeKnows]]],
    ['a member named constructor', { ...goodEnvelope, constructor: {} }, [['', envelopeKnows]]],
    ['a member named __proto__', withMember('"__proto__":{"purpose":"x"}'), [['', envelopeKnows]]],
    ['a request of another kind', { ...goodEnvelope, request: [] }, [['/request', 'must be object']]],
    [
      'a purpose that is no code',
      { ...goodEnvelope, purpose: 'a b' },
      [['/purpose', 'must match pattern "^[A-Za-z0-9][A-Za-z0-9._-]*$"']],
    ],
    [
      'a procedure that is no code',
      { ...goodEnvelope, procedure: 'x' },
      [['/procedure', 'must match format "procedure-code"']],
    ],
    [
      'an officer that is no code',
      { ...goodEnvelope, officer: 'nguyễn' },
      [['/officer', 'must match format "officer-code"']],
    ],
    ['no fields at all', { ...goodEnvelope, fields: [] }, [['/fields', 'must NOT have fewer than 1 items']]],
    [
      'a number in place of a text',
      withRequest({ personalId: 26_701_599_619 }),
      [['/request/personalId', 'must be string']],
    ],
    ['null in place of a text', withRequest({ fullName: null }), [['/request/fullName', 'must be string']]],
    [
      'a number of the real scheme',
      withRequest({ personalId: '026301599619' }),
      [
        ['/request/personalId', 'must match format "personal-id"'],
        ['/request', 'the personal number does not agree with the date of birth or the sex'],
      ],
    ],
    [
      'a date that is none',
      withRequest({ dateOfBirth: '2001-02-30' }),
      [
        ['/request/dateOfBirth', 'must match format "birth-date"'],
        ['/request', 'the personal number does not agree with the date of birth or the sex'],
      ],
    ],
    [
      'a year that is not the number’s',
      withRequest({ dateOfBirth: '1999' }),
      [['/request', 'the personal number does not agree with the date of birth or the sex']],
    ],
    ['an unknown member of the request', withRequest({ phone: '1' }), [['/request', requestKnows]]],
    [
      'faults of the envelope and of the request',
      { purpose: 1, request: { personalId: '1' } },
      [
        ['/purpose', 'must be string'],
        ['/request/fullName', 'is required'],
        ['/request/dateOfBirth', 'is required'],
        ['/request/personalId', 'must NOT have fewer than 12 characters'],
        ['/request/personalId', 'must match format "personal-id"'],
        ['/request', 'the personal number does not agree with the date of birth or the sex'],
      ],
    ],
  ])('refuses %s', async (_, envelope, faults) => {
    const expected = (faults as [string, string][]).map(([pointer, detail]) => ({ pointer, detail }))
    const errors = (await errorsOf(envelope)) as object[]
    expect(errors).toEqual(expect.arrayContaining(expected))
    expect(errors).toHaveLength(expected.length)
  })

  test('names ten faults at most', async () => {
    const nine = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`m${i}`, i]))
    expect(await errorsOf({ ...goodEnvelope, ...nine, purpose: 1 })).toHaveLength(10)
    expect(await errorsOf({ ...goodEnvelope, ...nine, m9: 9, m10: 10 })).toHaveLength(10)
  })
})
