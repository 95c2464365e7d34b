// Each check can fail: from evidence in which all is well, one thing is made wrong at a time, and exactly the rule that is for it
// must say so.
import { describe, expect, test } from 'vitest'
import { type LedgerEvent } from '#ledger/event.ts'
import { check, rules } from './checks.ts'
import { type StatusReading } from './client.ts'
import { type Attempt } from './client-ledger.ts'
import { type Evidence } from './evidence.ts'
import { registrationOf } from './questions.ts'
import { type Execution } from './services/executions.ts'
import { type Effect } from './services/population/residence-registration.ts'
import { readTrace, writeTrace } from './traces.ts'

const effect = 'population/residence-registration'
const match = 'population/identity-verification'

type Mutable = { -readonly [Name in keyof Evidence]: Evidence[Name] } & {
  attempts: Attempt[]
  readings: StatusReading[]
  events: LedgerEvent[]
  executions: Execution[]
  effects: Effect[]
}

const attemptOf = (n: number, facts: Partial<Attempt>): Attempt => ({
  n,
  attempt: 1,
  service: effect,
  gateway: 'gateway-1',
  key: `key-${n}`,
  isAsync: false,
  sentMs: n,
  round: 1,
  endedMs: n + 1,
  ...facts,
})

const eventOf = (kind: string, exchange: string, facts: Record<string, string> = {}): LedgerEvent =>
  ({ kind, exchange, at: 1, source: '/gateway/gateway-1', origin: 'road:topic/0/0', ...facts }) as LedgerEvent

const acceptedBy = (exchange: string, question: number, attempt = 1): LedgerEvent =>
  eventOf('accepted', exchange, { traceparent: writeTrace({ question, attempt }) })

const executionOf = (exchangeId: string, question: number, service = effect): Execution => ({
  exchangeId,
  service,
  traceparent: writeTrace({ question, attempt: 1 }),
  pid: 7,
  atMs: 1,
})

const effectOf = (exchangeId: string, n: number): Effect => ({
  exchangeId,
  registration: registrationOf(n),
  receipt: `receipt of ${exchangeId}`,
})

/**
 * Question 1: an effect, cut off at first, answered when asked again. 2: accepted, answered later. 3: refused. 4: expired. 5:
 * unknown, then settled as unanswered. 6: a match, answered. 7: unknown, and never on the road. 18: refused by a gateway that stops.
 */
const allIsWell = (): Mutable => ({
  attempts: [
    attemptOf(1, { ending: 'unknown', code: 'ECONNRESET' }),
    attemptOf(1, { attempt: 2, ending: 'answered', status: 200, exchangeId: 'e1', isReplayed: true, ...reply(1) }),
    attemptOf(2, { ending: 'accepted', status: 202, exchangeId: 'e2', isAsync: true }),
    attemptOf(3, { ending: 'refused', status: 503, exchangeId: 'e3', code: 'NDX_BUS_UNAVAILABLE' }),
    attemptOf(4, { ending: 'expired', status: 504, exchangeId: 'e4' }),
    attemptOf(5, { ending: 'unknown', status: 504, exchangeId: 'e5' }),
    attemptOf(6, { ending: 'answered', status: 200, exchangeId: 'e6', service: match, ...reply(6) }),
    attemptOf(7, { ending: 'unknown', status: 504, exchangeId: 'e7', service: match }),
    attemptOf(18, { ending: 'refused', status: 503, exchangeId: 'e18', code: 'NDX_GATEWAY_STOPPING' }),
  ],
  readings: [
    { exchangeId: 'e2', status: 200, outcome: 'answered', commitment: '202611.reply2' },
    { exchangeId: 'e5', status: 200, outcome: 'failed', code: 'NDX_REPLY_TIMEOUT' },
    { exchangeId: 'e7', status: 404, code: 'NDX_EXCHANGE_UNKNOWN' },
  ],
  events: [
    ...[1, 2, 4, 5, 6].map(n => acceptedBy(`e${n}`, n)),
    ...[1, 2, 6].map(n => eventOf('answered', `e${n}`, { reply: `202611.reply${n}` })),
    eventOf('refused', 'e3', { code: 'NDX_BUS_UNAVAILABLE' }),
    ...[1, 2, 6].map(n => eventOf('delivered', `e${n}`)),
    eventOf('unidentified', '', { code: 'NDX_GATEWAY_STOPPING', count: '2' }),
    eventOf('expired', 'e4'),
    eventOf('failed', 'e5', { code: 'UNANSWERED' }),
    eventOf('late', 'e5'),
    eventOf('repeated', 'e6'),
    eventOf('timed-out', 'e7'),
  ],
  executions: [1, 1, 2, 5].map(n => executionOf(`e${n}`, n)).concat(executionOf('e6', 6, match)),
  effects: [1, 2, 5].map(n => effectOf(`e${n}`, n)),
  reconciliation: { open: 0, overdue: 0, gaps: [] },
  exportFault: '',
  settledBefore: new Map([['before', 'answered']]),
})

const reply = (n: number): Partial<Attempt> => ({ commitment: `202611.reply${n}`, isRight: true })

const drop = (evidence: Mutable, kind: string, exchange: string): void => {
  evidence.events = evidence.events.filter(event => event.kind !== kind || event.exchange !== exchange)
}

const told = (evidence: Mutable, exchangeId: string): Attempt =>
  evidence.attempts.find(attempt => attempt.exchangeId === exchangeId) as Attempt

const planted: [rule: string, what: string, plant: (evidence: Mutable) => unknown][] = [
  ['an accepted exchange has an outcome', 'none', evidence => drop(evidence, 'failed', 'e5')],
  ['an exchange has one outcome', 'two', evidence => evidence.events.push(eventOf('answered', 'e4'))],
  ['an exchange has one outcome', 'one more, of before', evidence => evidence.events.push(eventOf('failed', 'before'))],
  ['an exchange has one outcome', 'accepted twice', evidence => evidence.events.push(acceptedBy('e1', 1))],
  ['what a client was told is in the log', 'a 200 without one', evidence => drop(evidence, 'answered', 'e6')],
  ['what a client was told is in the log', 'a 202 without one', evidence => drop(evidence, 'accepted', 'e2')],
  [
    'each time that a client was given an answer is in the log',
    'the second time is not',
    evidence => evidence.attempts.push(attemptOf(6, { ...told(evidence, 'e6'), attempt: 2 })),
  ],
  [
    'each time that a client was given an answer is in the log',
    'at its status is not',
    evidence => drop(evidence, 'delivered', 'e2'),
  ],
  ['each refusal that a client heard is in the log, with its code', 'no', evidence => drop(evidence, 'refused', 'e3')],
  [
    'each refusal that a client heard is in the log, with its code',
    'another code',
    evidence => Object.assign(told(evidence, 'e3'), { code: 'NDX_RATE_EXCEEDED' }),
  ],
  [
    'refusals before anybody was identified are in the log by their number',
    'one more was told',
    evidence => {
      for (const attempt of [2, 3]) evidence.attempts.push(attemptOf(18, { ...told(evidence, 'e18'), attempt }))
    },
  ],
  [
    'the answer told is the answer in the log',
    'another',
    evidence => Object.assign(told(evidence, 'e6'), { commitment: '202611.other' }),
  ],
  [
    'an answer belongs to its question',
    'it is wrong',
    evidence => Object.assign(told(evidence, 'e6'), { isRight: false }),
  ],
  [
    'an answer belongs to its question',
    'it is another’s',
    evidence => Object.assign(told(evidence, 'e6'), { exchangeId: 'e1', ...reply(1) }),
  ],
  ['what was refused was not accepted', 'it was', evidence => evidence.events.push(acceptedBy('e3', 3))],
  [
    'a failure told is the failure in the log',
    'it was answered',
    evidence => Object.assign(told(evidence, 'e6'), { ending: 'failed' }),
  ],
  [
    'what nobody knows is not told as a failure',
    'it was',
    evidence => Object.assign(told(evidence, 'e5'), { ending: 'failed' }),
  ],
  ['what expired was not executed', 'it was', evidence => evidence.executions.push(executionOf('e4', 4))],
  ['what was executed had been accepted', 'it had not', evidence => evidence.executions.push(executionOf('e9', 9))],
  ['what was accepted had been asked', 'nobody did', evidence => evidence.events.push(acceptedBy('e8', 8))],
  ['a key has one effect', 'two', evidence => evidence.effects.push(effectOf('e1b', 1))],
  [
    'a key has one effect',
    'one in each of two exchanges',
    evidence => {
      evidence.events.push(acceptedBy('e1b', 1, 2), eventOf('answered', 'e1b'))
      evidence.executions.push(executionOf('e1b', 1))
    },
  ],
  [
    'a key has one answer',
    'two',
    evidence =>
      evidence.attempts.push(
        attemptOf(1, { attempt: 3, ending: 'answered', exchangeId: 'e1', commitment: '202611.other', isRight: true }),
      ),
  ],
  [
    'an exchange can be read at its status URL afterwards',
    'unknown',
    evidence => Object.assign(evidence.readings[1] as StatusReading, { status: 404, outcome: undefined }),
  ],
  [
    'an exchange can be read at its status URL afterwards',
    'still open',
    evidence => Object.assign(evidence.readings[0] as StatusReading, { outcome: 'accepted' }),
  ],
  [
    'a status tells what the log says',
    'another outcome',
    evidence => Object.assign(evidence.readings[1] as StatusReading, { outcome: 'expired' }),
  ],
  [
    'a status tells what the log says',
    'another answer',
    evidence => Object.assign(evidence.readings[0] as StatusReading, { commitment: '202611.other' }),
  ],
  [
    'a status tells what the log says',
    'accepted, though it never was',
    evidence => Object.assign(evidence.readings[2] as StatusReading, { status: 200, outcome: 'accepted' }),
  ],
  [
    'the books balance',
    'one is open',
    evidence => Object.assign(evidence, { reconciliation: { open: 1, overdue: 0, gaps: [] } }),
  ],
  [
    'the books balance',
    'a gap',
    evidence =>
      Object.assign(evidence, {
        reconciliation: { open: 0, overdue: 0, gaps: [{ exchange: 'e1', kind: 'delivered-another', detail: '' }] },
      }),
  ],
  [
    'the export verifies offline',
    'it does not',
    evidence => Object.assign(evidence, { exportFault: 'line 7: another root' }),
  ],
]

describe('the checks', () => {
  test('find nothing where all is well', () => {
    expect(check(allIsWell())).toEqual([])
  })

  test.each(planted)('%s: %s', (rule, _, plant) => {
    const evidence = allIsWell()
    plant(evidence)
    expect(check(evidence).map(violation => violation.rule)).toContain(rule)
  })

  test('are all planted', () => {
    const names = new Set(planted.map(([rule]) => rule))
    expect(rules.map(({ rule }) => rule).filter(rule => !names.has(rule))).toEqual([])
  })

  test('leave a question that may be asked twice its two exchanges, but not two answers', () => {
    const again = attemptOf(6, { attempt: 2, ending: 'answered', exchangeId: 'e6b', service: match, ...reply(6) })
    const evidence = allIsWell()
    evidence.attempts.push({ ...again, commitment: '202611.reply6b' })
    evidence.events.push(
      acceptedBy('e6b', 6, 2),
      eventOf('answered', 'e6b', { reply: '202611.reply6b' }),
      eventOf('delivered', 'e6b'),
    )
    expect(check(evidence)).toEqual([])
  })
})

test('a trace names its question and attempt, and holds no digits that could be somebody’s number', () => {
  for (const trace of [
    { question: 0, attempt: 1 },
    { question: 599_999, attempt: 41 },
  ]) {
    expect(readTrace(writeTrace(trace))).toEqual(trace)
    expect(writeTrace(trace)).toMatch(/^00-[a-f]{32}-[a-f]{16}-01$/)
  }
  expect(readTrace('00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01')).toBeUndefined()
})
