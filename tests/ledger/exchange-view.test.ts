// What the ledger makes of an exchange's records, in every order that a road may bring them.
import { describe, expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { decodeEntry, encodeEntry, encodeEvent, type LedgerEvent } from '#ledger/event.ts'
import { eventsOf } from '#ledger/exchange-events.ts'
import { type ExchangeView, emptyView, evolve, gapOf, stateOf, viewOf } from '#ledger/exchange-view.ts'
import { readEntry } from '#ledger/proof/entry.ts'
import { type Reading, readRecord } from '#ledger/reading.ts'
import { exchangeIdOf, Records, someMs, tools } from './records.ts'

const readingsOf = (record: IncomingRecord): readonly Reading[] => {
  const read = readRecord(record, tools)
  return read.is === 'sheet' ? read.notes : [read]
}

/** As a batch does, but for numbers of notes. */
function apply(records: readonly IncomingRecord[]): { view: ExchangeView; events: LedgerEvent[] } {
  const view = emptyView(exchangeIdOf(1), someMs)
  const events = records.flatMap(readingsOf).flatMap(reading => {
    const news = eventsOf(view, reading)
    for (const event of news) evolve(view, event)
    return news
  })
  return { view, events }
}

const kinds = (events: readonly LedgerEvent[]): string[] => events.map(event => event.kind)

describe('the outcome', () => {
  test('is the first terminal record of the partition that the request named', () => {
    const records = new Records()
    const { view, events } = apply([
      records.request(1),
      records.reply(1, { outcome: 'failed', code: 'UNANSWERED' }),
      records.reply(1),
    ])
    expect(stateOf(view)).toBe('failed')
    expect(view.outcome).toMatchObject({ outcome: 'failed', code: 'UNANSWERED', partition: 3, offset: '0' })
    expect(view.isLate).toBe(true)
    expect(kinds(events)).toEqual(['accepted', 'failed', 'late'])
  })

  test('is the same when replies are read before the request', () => {
    const records = new Records()
    const [request, first, second] = [records.request(1), records.reply(1), records.reply(1)] as const
    const before = apply([first, second])
    expect([stateOf(before.view), kinds(before.events)]).toEqual(['stray', ['early', 'early']])
    expect(gapOf(before.view)).toBe('stray')
    const { view, events } = apply([first, second, request])
    expect(stateOf(view)).toBe('answered')
    expect(view.outcome?.offset).toBe('0')
    expect(kinds(events)).toEqual(['early', 'early', 'accepted', 'answered', 'late'])
    expect(gapOf(view)).toBeUndefined()
  })

  test('is not a reply in another partition', () => {
    const records = new Records()
    const { view, events } = apply([records.request(1), records.reply(1, {}, 4), records.reply(1)])
    expect(view.outcome).toMatchObject({ partition: 3, offset: '0' })
    expect(view.isLate).toBeUndefined()
    expect(events.map(({ kind, misplaced }) => [kind, misplaced])).toEqual([
      ['accepted', undefined],
      ['late', true],
      ['answered', undefined],
    ])
  })

  test.each([
    ['made to another contract', { contractHash: 'another' }],
    ['of another service', { type: 'ndx.reply.population.citizen-record.v1' }],
    ['that breaks its contract', { data: { matched: 'yes' } }],
    ['without data', { data: undefined as never }],
  ])('is a failure when the reply is one %s', (_, changes) => {
    const records = new Records()
    const { view } = apply([records.request(1), records.reply(1, changes), records.reply(1)])
    expect(view.outcome).toMatchObject({ outcome: 'failed', code: 'REPLY_INVALID', offset: '0' })
  })

  test('is a failure when the record is garbage that names its exchange', () => {
    const records = new Records()
    const reply = { ...records.reply(1), value: Buffer.from('{') }
    expect(apply([records.request(1), reply]).view.outcome).toMatchObject({ outcome: 'failed', code: 'REPLY_INVALID' })
  })
})

describe('what is repeated', () => {
  test('counts once: a request whose acknowledgement was lost', () => {
    const records = new Records()
    const { view, events } = apply([records.request(1), records.request(1, { replyPartition: 5 }), records.reply(1)])
    expect(kinds(events)).toEqual(['accepted', 'repeated', 'answered'])
    expect(view.request?.replyPartition).toBe(3)
  })

  test('is an answer told again: what a gateway numbers is news each time, in the same millisecond too', () => {
    const records = new Records()
    const { view, events } = apply([
      records.request(1),
      records.reply(1),
      records.note(1, 'delivered', { reply: 'ndx.reply.population/3/0' }),
      records.note(1, 'delivered', { reply: 'ndx.reply.population/3/0' }),
    ])
    expect(kinds(events)).toEqual(['accepted', 'answered', 'delivered', 'delivered'])
    expect([view.told, gapOf(view)]).toEqual([['delivered'], undefined])
  })

  test('gives no second event: a note that a host writes again', () => {
    const records = new Records()
    const deferral = { provider: 'population', service: 'population/identity-verification' }
    const { events } = apply([records.note(1, 'deferred', deferral), records.note(1, 'deferred', deferral)])
    expect(kinds(events)).toEqual(['deferred'])
  })
})

test('a view made again from its events is the same', () => {
  const records = new Records()
  const { view, events } = apply([
    records.reply(1),
    records.note(1, 'timed-out', { code: 'NDX_REPLY_TIMEOUT', sent: true }),
    records.request(1, { callback: true, parent: exchangeIdOf(9) }),
    records.reply(1),
    records.note(1, 'delivered', { reply: 'ndx.reply.population/3/0' }),
  ])
  expect(viewOf(events, [])).toEqual({ ...view, firstMs: expect.any(Number) })
})

describe('a gap', () => {
  test.each([
    ['stray', (records: Records) => [records.note(1, 'delivered')]],
    [
      'refused-yet-accepted',
      (records: Records) => [records.note(1, 'refused', { code: 'NDX_RATE_EXCEEDED' }), records.request(1)],
    ],
    [
      'refused-yet-accepted',
      (records: Records) => [
        records.request(1),
        records.note(1, 'undelivered', { sent: false, code: 'NDX_BUS_UNAVAILABLE' }),
      ],
    ],
    [
      'delivered-yet-not-answered',
      (records: Records) => [
        records.request(1),
        records.reply(1, { outcome: 'expired' }),
        records.note(1, 'delivered'),
      ],
    ],
    [
      'delivered-another',
      (records: Records) => [
        records.request(1),
        records.reply(1),
        records.note(1, 'delivered', { reply: 'ndx.reply.population/3/7' }),
      ],
    ],
    [
      undefined,
      (records: Records) => [
        records.request(1),
        records.reply(1),
        records.note(1, 'delivered', { reply: 'ndx.reply.population/3/0' }),
      ],
    ],
    [
      undefined,
      (records: Records) => [
        records.request(1),
        records.reply(1),
        records.note(1, 'delivered', { reply: 'ndx.reply.population/3/0' }),
        records.note(1, 'delivered'),
      ],
    ],
    [undefined, (records: Records) => [records.note(1, 'refused', { code: 'NDX_RATE_EXCEEDED' })]],
    [undefined, (records: Records) => [records.note(1, 'timed-out')]],
    ['stray', (records: Records) => [records.note(1, 'timed-out'), records.reply(1)]],
    [undefined, (records: Records) => [records.request(1), records.note(1, 'undelivered', { sent: true })]],
  ])('%s is seen', (gap, make) => {
    expect(gapOf(apply(make(new Records())).view)).toBe(gap)
  })
})

test('no event holds a value of a request or a reply', () => {
  const records = new Records()
  const { events } = apply([
    records.request(1),
    records.reply(1, { data: { matched: true, personalId: '026701599619' } }),
    { ...records.request(2), value: Buffer.from('{"personalId":"026701599619"') },
  ])
  const text = events.map(encodeEvent).join('\n')
  expect(events).toHaveLength(3)
  expect(text).not.toMatch(/026701599619|Huỳnh|2001-11-27|personalId/)
})

test.each([
  ['that is not one of its kind', { kind: 'answered' }],
  ['that is an object', { client: { fullName: 'Huỳnh Thị Phương Hương' } }],
  ['that is not of its form', { client: 'Huỳnh Thị Phương Hương' }],
  ['that is too long', { fields: Array.from({ length: 101 }, () => 'matched') }],
])('a note with a fact %s is unreadable, and nothing of it is kept', (_, facts) => {
  const records = new Records()
  const { events } = apply([records.note(1, 'timed-out', facts as never)])
  expect(kinds(events)).toEqual(['unreadable'])
  expect(events[0]).toMatchObject({ origin: 'road-1:ndx.note/0/0#0', exchange: '' })
  expect(JSON.stringify(events)).not.toMatch(/Huỳnh|answered|matched/)
})

test('how a match came out does not show in how long its reply was, nor in which fields it had', () => {
  const records = new Records()
  const answers = [
    { matched: true },
    { matched: false, attributes: { personalId: true, fullName: false, dateOfBirth: true } },
  ]
  const told = answers.map(data => {
    const { events } = apply([records.request(1), records.reply(1, { data })])
    const { reply, origin, ...rest } = events[1] as LedgerEvent
    return rest
  })
  expect(told[0]).toEqual(told[1])
})

test('an entry has one canonical form, and gives its events again', () => {
  const records = new Records()
  const { events } = apply([records.request(1), records.reply(1)])
  const entry = encodeEntry(events as [LedgerEvent])
  expect(entry).not.toContain('\n')
  expect(decodeEntry(entry)).toEqual(events)
  expect(readEntry(entry)).toEqual({ events })
  const [event] = JSON.parse(entry).events
  expect(Object.keys(event)).toEqual(Object.keys(event).sort())
  expect(readEntry(entry.replace('"kind"', ' "kind"'))).toEqual({ why: expect.stringContaining('one form') })
})

test('an entry of the format before is read too', () => {
  const entry =
    '{"at":1,"client":"bank","exchange":"","kind":"refused","origin":"r:ndx.note/0/0","source":"/gateway/g1","v":1,"waitedMs":2}'
  expect(decodeEntry(entry)).toMatchObject([{ kind: 'refused', client: 'bank', at: 1 }])
  expect(readEntry(entry)).toMatchObject({ events: [{ kind: 'refused' }] })
})

test.each(['say "no"', 'back\\slash', 'two\nlines', '\u0000', '\u001f', '\ud800 alone', 'Huỳnh 😀', '\u2028'])(
  'a detail is encoded as JSON has it: %j',
  code => {
    const event = { at: 1, code, exchange: '', kind: 'failed', origin: '', source: '' } as const
    const { exchange, ...members } = event
    expect(encodeEvent(event)).toBe(JSON.stringify(members))
  },
)
