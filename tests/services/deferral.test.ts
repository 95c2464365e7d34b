// A handler that defers: the host notes it, commits and sends nothing; the register settles it later with the ticket it was given,
// held to the contract like any reply.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { defer, type Settlement, type Ticket } from '#services/adapter.ts'
import { until } from '#tests/bus/until.ts'
import { counted, HostHarness, question, service } from './host-harness.ts'

let harness: HostHarness
let tickets: Ticket[]

afterEach(() => harness.stop())

async function start(options: Parameters<typeof HostHarness.start>[1] = {}): Promise<void> {
  tickets = []
  harness = await HostHarness.start((_, { ticket }) => {
    tickets.push(ticket)
    return defer()
  }, options)
}

/** As a register does: written down, read again. */
const settle = (ticket: Ticket, settlement: Settlement): Promise<void> =>
  harness.kit.tools.settle(JSON.parse(JSON.stringify(ticket)) as Ticket, settlement)

test('a question that is deferred is noted and gets no reply', async () => {
  await start()
  const message = question()
  await harness.ask(message)
  await until('the note is there', () => harness.notes.length === 1)
  expect(harness.notes).toEqual([
    {
      kind: 'deferred',
      exchangeId: message.exchangeId,
      notedMs: expect.any(Number),
      facts: { provider: 'population', service: 'population/identity-verification' },
    },
  ])
  expect([harness.replies, harness.host.counts]).toEqual([[], counted({ deferred: 1 })])
})

test('its ticket is all that the reply needs, which comes where the question wanted it', async () => {
  await start()
  const message = question({ replyPartition: 5 })
  await harness.ask(message)
  await until('it is deferred', () => harness.notes.length === 1)
  await settle(tickets[0]!, { reply: { matched: true } })
  await harness.repliesTo(1)
  expect(harness.replies[0]).toMatchObject({
    partition: 5,
    headers: { kafka_correlationId: message.exchangeId, traceparent: message.traceparent },
    event: {
      id: message.exchangeId,
      type: service.replyType,
      ndxcontract: service.hash,
      ndxoutcome: 'answered',
      ndxhandledms: expect.stringMatching(/^\d+$/),
      data: { matched: true },
    },
  })
})

test.each<[string, Settlement, string, (ticket: Ticket) => Ticket]>([
  ['a code of the contract', { failure: 'register-unavailable' }, 'register-unavailable', as],
  ['a code of nobody’s', { failure: 'other' }, 'HANDLER_FAILED', as],
  ['a reply that breaks the contract', { reply: { matched: 'yes' } }, 'REPLY_INVALID', as],
  [
    'a reply to a contract that is no more',
    { reply: { matched: true } },
    'CONTRACT_UNKNOWN',
    ticket => ({ ...ticket, contractHash: 'other' }),
  ],
])('%s settles it as failed', async (_, settlement, code, change) => {
  await start()
  await harness.ask(question())
  await until('it is deferred', () => tickets.length === 1)
  await settle(change(tickets[0]!), settlement)
  await harness.repliesTo(1)
  expect(harness.replies[0]?.event).toMatchObject({ ndxoutcome: 'failed', ndxcode: code })
  expect(harness.replies[0]?.event).not.toHaveProperty('data')
})

test('past the deadline it is sent all the same, and the log says that it is late', async () => {
  let nowMs = Date.now()
  await start({ now: () => nowMs })
  await harness.ask(question({ deadlineMs: nowMs + 1000 }))
  await until('it is deferred', () => tickets.length === 1)
  nowMs += 5000
  await settle(tickets[0]!, { reply: { matched: true } })
  await harness.repliesTo(1)
  expect(harness.replies[0]?.event).toMatchObject({ ndxoutcome: 'answered', ndxhandledms: '5000' })
  expect(harness.logged.filter(line => line.includes('"event":"late"'))).toEqual([
    expect.stringContaining('"lateMs":4000'),
  ])
})

test('a record delivered again is the register’s to know: the handler is asked again', async () => {
  await start()
  const message = question()
  await harness.ask(message)
  await until('it is deferred', () => harness.notes.length === 1)
  await harness.ask(message)
  await until('it is deferred again', () => harness.notes.length === 2)
  expect(tickets.map(({ exchangeId }) => exchangeId)).toEqual([message.exchangeId, message.exchangeId])
})

describe('a register', () => {
  test('that settles while the road is closed is told, and tries again', async () => {
    await start()
    await harness.ask(question())
    await until('it is deferred', () => tickets.length === 1)
    await harness.host.stop()
    await harness.bus.close()
    await expect(settle(tickets[0]!, { reply: { matched: true } })).rejects.toThrow('the bus is closed')
  })

  test('has a folder of its own once it asks for it', async () => {
    await start()
    const folder = join(harness.dataDir, 'registers')
    expect(existsSync(folder)).toBe(false)
    expect([harness.kit.tools.dataDir, existsSync(folder)]).toEqual([folder, true])
  })

  test('is stopped after the reading, while the road is open, whatever another one throws', async () => {
    await start()
    const stopped: string[] = []
    harness.kit.tools.onStop(async () => {
      await harness.bus.publish('ndx.note', { key: null, partition: 0, headers: {}, value: '' }).catch(() => {})
      stopped.push('first')
    })
    harness.kit.tools.onStop(() => {
      stopped.push('last')
      throw new Error('x')
    })
    await harness.host.stop()
    expect(stopped).toEqual(['last', 'first'])
  })
})

function as(ticket: Ticket): Ticket {
  return ticket
}
