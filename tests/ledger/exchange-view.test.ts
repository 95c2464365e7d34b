// What the ledger makes of an exchange's records, in every order that a road may bring them.
import { describe, expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { encodeEvent, type LedgerEvent } from '#ledger/event.ts'
import { applyReading, type ExchangeView, emptyView, gapOf, stateOf } from '#ledger/exchange-view.ts'
import { readRecord } from '#ledger/reading.ts'
import { exchangeIdOf, Records, someMs, tools } from './records.ts'

function apply(records: readonly IncomingRecord[]): { view: ExchangeView; events: LedgerEvent[] } {
  return records.reduce(
    ({ view, events }, record) => {
      const applied = applyReading(view, readRecord(record, tools))
      return { view: applied.view, events: [...events, ...applied.events] }
    },
    { view: emptyView(exchangeIdOf(1), someMs), events: [] as LedgerEvent[] },
  )
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
    expect([stateOf(before.view), kinds(before.events), gapOf(before.view)]).toEqual(['stray', [], 'stray'])
    const { view, events } = apply([first, second, request])
    expect(stateOf(view)).toBe('answered')
    expect(view.outcome?.offset).toBe('0')
    expect(kinds(events)).toEqual(['accepted', 'answered', 'late'])
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

  test('is an answer told again: each is an event, a note written twice is not', () => {
    const records = new Records()
    const once = records.note(1, 'delivered', { reply: 'ndx.reply.population/3/0' })
    const again = {
      ...records.note(1, 'delivered'),
      value: Buffer.from(once.value.toString().replace(':05.698Z', ':09.698Z')),
    }
    const { view, events } = apply([records.request(1), records.reply(1), once, once, again])
    expect(kinds(events)).toEqual(['accepted', 'answered', 'delivered', 'delivered'])
    expect([view.told, gapOf(view)]).toEqual([['delivered'], undefined])
  })

  test('gives no second event: a note', () => {
    const records = new Records()
    const { events } = apply([
      records.note(1, 'delivered'),
      records.note(1, 'delivered'),
      records.note(1, 'incident', { incident: 'ungranted-fields' }),
      records.note(1, 'incident', { incident: 'invalid-reply' }),
      records.note(1, 'incident', { incident: 'invalid-reply' }),
    ])
    expect(kinds(events)).toEqual(['delivered', 'incident', 'incident'])
  })
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
        records.note(1, 'delivered', { when: 'again' }),
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

test('a note cannot pass for another event', () => {
  const records = new Records()
  const { events } = apply([records.note(1, 'timed-out', { kind: 'answered', origin: 'x', v: 9, at: 1 })])
  expect(events[0]).toMatchObject({ v: 1, kind: 'timed-out', at: someMs + 20, origin: 'road-1:ndx.note/0/0' })
})

test('an event has one canonical form', () => {
  const records = new Records()
  const [event] = apply([records.reply(1), records.request(1)]).events
  const line = encodeEvent(event as LedgerEvent)
  expect(line).not.toContain('\n')
  expect(encodeEvent(JSON.parse(line))).toBe(line)
  expect(Object.keys(JSON.parse(line))).toEqual(Object.keys(JSON.parse(line)).sort())
})

test.each(['say "no"', 'back\\slash', 'two\nlines', '\u0000', '\u001f', '\ud800 alone', 'Huỳnh 😀', '\u2028'])(
  'a detail is encoded as JSON has it: %j',
  code => {
    const event = { at: 1, code, exchange: '', kind: 'failed', origin: '', source: '', v: 1 } as const
    expect(encodeEvent(event)).toBe(JSON.stringify(event))
  },
)
