// Nobody is told before it is written down, and an answer that cannot be is not told.
import { beforeEach, expect, test } from 'vitest'
import { type ExchangeId } from '#bus/message.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { createAuditLog } from '#gateway/audit-log.ts'
import { type Trail } from '#gateway/exchange/trail.ts'
import { createLog } from '#runtime/log.ts'

let noted: { kind: string; end(isWritten: boolean): void }[]
let counted: string[]
let lines: string[]
beforeEach(() => {
  noted = []
  counted = []
  lines = []
})

const note = (kind: string): Promise<boolean> => {
  const { promise, resolve: end } = Promise.withResolvers<boolean>()
  noted.push({ kind, end })
  return promise
}
const auditLog = createAuditLog({
  log: createLog({ level: 'info', instance: 'test', stream: { write: line => void lines.push(line) } }),
  metrics: { exchange: ({ outcome }: Trail) => void counted.push(outcome ?? '-') },
  counters: { count: () => {} },
  notes: { note: ({ kind }) => note(kind), refuse: code => ({ nth: 11, written: note(code) }) },
  now: () => 0,
  clock: () => 0,
})
const trail = (more: Partial<Trail> = {}): Trail => ({
  exchangeId: '0198c7a0-0000-7000-8000-000000000001' as ExchangeId,
  traceparent: '',
  receivedMs: 0,
  startedMs: 0,
  route: '-',
  client: 'bank' as never,
  outcome: 'answered',
  ...more,
})
/** What it has come to when all that is due has run. */
async function stateOf(promise: Promise<void>): Promise<string> {
  let state = 'waiting'
  promise.then(
    () => (state = 'told'),
    ({ code }) => (state = String(code)),
  )
  await new Promise(resolve => setImmediate(resolve))
  return state
}

test('an answer waits for its note', async () => {
  const told = auditLog.conclude(trail(), 200)
  expect([await stateOf(told), noted[0]?.kind, counted]).toEqual(['waiting', 'delivered', []])
  noted[0]?.end(true)
  expect([await stateOf(told), counted, lines.length]).toEqual(['told', ['answered'], 1])
})

test.each([
  ['that was asked for now is unknown', { dispatched: true }, 'NDX_REPLY_TIMEOUT', 'timed-out'],
  ['that is told again is refused', {}, 'NDX_EVIDENCE_UNAVAILABLE', 'undelivered'],
] as const)('an answer that cannot be written down and %s', async (_, more, code, kind) => {
  const open = trail(more)
  const told = auditLog.conclude(open, 200)
  noted[0]?.end(false)
  expect([await stateOf(told), counted, lines]).toEqual([code, [], []])
  const concluded = auditLog.conclude(open, 503, new ExchangeError(code))
  noted[1]?.end(false)
  expect([await stateOf(concluded), noted[1]?.kind, counted.length, lines.length]).toEqual(['told', kind, 1, 1])
})

test('an answer told at its status waits for its note too', async () => {
  const one = auditLog.tellAgain(trail())
  expect([await stateOf(one), noted[0]?.kind]).toEqual(['waiting', 'delivered'])
  const other = auditLog.tellAgain(trail())
  noted[0]?.end(true)
  noted[1]?.end(false)
  expect(await Promise.all([stateOf(one), stateOf(other)])).toEqual(['told', 'NDX_EVIDENCE_UNAVAILABLE'])
})

test('a refusal waits, and is told even when it could not be written', async () => {
  const told = auditLog.conclude(trail({ outcome: undefined } as never), 429, new ExchangeError('NDX_RATE_EXCEEDED'))
  expect([await stateOf(told), noted[0]?.kind]).toEqual(['waiting', 'refused'])
  noted[0]?.end(false)
  expect(await stateOf(told)).toBe('told')
})

test('a refusal of nobody in particular is counted, and past so many in a second has no line', async () => {
  const { client: _, ...nobody } = trail()
  const told = auditLog.conclude(nobody, 404, new ExchangeError('NDX_ROUTE_UNKNOWN'))
  noted[0]?.end(true)
  expect([await stateOf(told), noted[0]?.kind, counted, lines]).toEqual(['told', 'NDX_ROUTE_UNKNOWN', ['refused'], []])
})
