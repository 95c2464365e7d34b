// The register that issues personal numbers: one number a registration and one outcome an exchange, whatever is delivered twice;
// numbers that are nobody else's; and what was taken on before the adapter died is settled after it starts again.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ProviderId } from '#contracts/contract.ts'
import { parsePersonalId } from '#contracts/personal-id.ts'
import { createNation } from '#nation/nation.ts'
import { createLog } from '#runtime/log.ts'
import {
  AdapterFailure,
  type AdapterTools,
  deferral,
  type Handler,
  type Question,
  type Settlement,
} from '#services/adapter.ts'
import { createIssuance } from '#services/population/personal-id-issuance.ts'
import { type BirthRegistration, choosePersonalId } from '#services/population/personal-number.ts'
import { createWorkStore, openRegister } from '#services/work-store.ts'
import { until } from '#tests/bus/until.ts'

const nation = createNation({ seed: 1 })
const birth: BirthRegistration = {
  birthRegistration: 'TP.079/2026-0000001',
  fullName: 'Trần Gia Bảo',
  dateOfBirth: '2026-02-01',
  sex: 'male',
  provinceCode: '079',
}
const nowMs = Date.UTC(2026, 1, 3, 20)
const later = { birthRegistration: 'TP.079/2026-0000002', fullName: 'Lê An' }

let dataDir: string
let settled: { exchangeId: string; settlement: Settlement }[]
let isRoadOpen: boolean
let stops: (() => void | Promise<void>)[]

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ndx-issuance-'))
  settled = []
  isRoadOpen = true
  stops = []
})

afterEach(async () => {
  await stop()
  rmSync(dataDir, { recursive: true })
})

/** An adapter process, as far as the handler sees of it. */
function start({ workMs = 0, startedMs = performance.now() } = {}): Handler {
  const tools = {
    provider: 'population' as ProviderId,
    nation,
    dataDir,
    log: createLog({ level: 'silent', instance: 'test' }),
    now: () => nowMs + performance.now() - startedMs,
    async settle({ exchangeId }, settlement) {
      if (!isRoadOpen) throw new Error('the road is away')
      settled.push({ exchangeId, settlement })
    },
    onStop: stopOne => void stops.push(stopOne),
  } as AdapterTools
  return createIssuance(tools, { workMs })
}

async function stop(): Promise<void> {
  for (const stopOne of stops.splice(0)) await stopOne()
}

const questionOf = (exchangeId: string): Question =>
  ({ exchangeId, fields: new Set(['personalId', 'issuedOn']), ticket: { exchangeId } }) as unknown as Question
const ask = (handler: Handler, exchangeId: string, changes: Partial<BirthRegistration> = {}): unknown =>
  handler({ ...birth, ...changes }, questionOf(exchangeId))

const settledTo = (count: number): Promise<void> => until(`${count} are settled`, () => settled.length >= count)
const replyOf = (at: number): Record<string, unknown> =>
  (settled[at]!.settlement as { reply: Record<string, unknown> }).reply

test('a registration is deferred, then gets a number of its province, sex and year', async () => {
  const handler = start()
  expect(ask(handler, 'x1')).toBe(deferral)
  await settledTo(1)
  expect(settled).toEqual([
    { exchangeId: 'x1', settlement: { reply: { personalId: expect.any(String), issuedOn: '2026-02-04' } } },
  ])
  expect(parsePersonalId(String(replyOf(0)['personalId']), 'simulated')).toMatchObject({
    province: '079',
    sex: 'male',
    birthYear: 2026,
  })
})

test('the same exchange again is not worked on twice, and once settled has its answer at once', async () => {
  const handler = start({ workMs: 30 })
  expect([ask(handler, 'x1'), ask(handler, 'x1')]).toEqual([deferral, deferral])
  await settledTo(1)
  await until('it is marked', () => ask(handler, 'x1') !== deferral)
  expect(ask(handler, 'x1')).toEqual(replyOf(0))
  expect(settled).toHaveLength(1)
})

test('the same registration in another exchange has the same number', async () => {
  const handler = start({ workMs: 20 })
  expect([ask(handler, 'x1'), ask(handler, 'x2')]).toEqual([deferral, deferral])
  await settledTo(2)
  expect(replyOf(1)).toEqual(replyOf(0))
  expect(ask(handler, 'x3', { fullName: '  TRẦN gia  bảo' })).toEqual(replyOf(0))
})

test.each<[string, Partial<BirthRegistration>]>([
  ['name', { fullName: 'Trần Gia Bao' }],
  ['date of birth', { dateOfBirth: '2026-02-02' }],
  ['sex', { sex: 'female' }],
  ['province', { provinceCode: '001' }],
])('the same registration with another %s fails, at once or later', async (_, changes) => {
  const handler = start({ workMs: 20 })
  ask(handler, 'x1')
  ask(handler, 'x2', changes)
  await settledTo(2)
  expect(settled[1]).toEqual({ exchangeId: 'x2', settlement: { failure: 'already-registered-differently' } })
  expect(() => ask(handler, 'x3', changes)).toThrow(new AdapterFailure('already-registered-differently'))
})

test('a birth of tomorrow is refused, one of today is not, by the date in Vietnam', () => {
  const handler = start({ workMs: 60_000 })
  expect(() => ask(handler, 'x1', { dateOfBirth: '2026-02-05' })).toThrow(new AdapterFailure('birth-in-the-future'))
  expect(ask(handler, 'x2', { dateOfBirth: '2026-02-04' })).toBe(deferral)
})

describe('what was taken on', () => {
  test('before the adapter died is settled after it starts again', async () => {
    expect(ask(start({ workMs: 60_000 }), 'x1')).toBe(deferral)
    await stop()
    expect(settled).toEqual([])
    start({ startedMs: performance.now() - 60_000 })
    await settledTo(1)
    expect(settled[0]?.exchangeId).toBe('x1')
  })

  test('is settled when the road is back, with the number it had', async () => {
    isRoadOpen = false
    const handler = start()
    ask(handler, 'x1')
    const db = openRegister(join(dataDir, 'population.sqlite'), '')
    const store = createWorkStore(db)
    const numberOf = db.prepare('SELECT reply FROM issued')
    await until('the number is issued', () => numberOf.get() !== undefined)
    const issued = { reply: JSON.parse(String(numberOf.get()?.['reply'])) }
    expect(store.find('x1')).toBe('open')
    isRoadOpen = true
    await settledTo(1)
    expect(settled).toEqual([{ exchangeId: 'x1', settlement: issued }])
    await until('it is marked', () => store.find('x1') !== 'open')
    expect([store.find('x1'), store.nextDueMs()]).toEqual([issued, undefined])
    db.close()
  })

  test('is done by one of two adapters that share the store', async () => {
    const [one, other] = [start({ workMs: 40 }), start({ workMs: 40 })]
    for (let i = 0; i < 30; i++) {
      const changes = { birthRegistration: `TP.079/2026-${1000 + i}` }
      ask(i % 2 === 0 ? one : other, `x${i}`, changes)
    }
    await settledTo(30)
    await stop()
    expect(new Set(settled.map(({ exchangeId }) => exchangeId)).size).toBe(30)
    expect(settled).toHaveLength(30)
    expect(new Set(settled.map((_, at) => replyOf(at)['personalId'])).size).toBe(30)
  })
})

describe('a number', () => {
  test('is the same for a registration wherever it is drawn, and the next one when it is somebody’s', () => {
    const first = choosePersonalId(birth, () => false)
    expect(choosePersonalId(birth, () => false)).toBe(first)
    const second = choosePersonalId(birth, id => id === first)
    expect(second).not.toBe(first)
    expect(choosePersonalId({ ...birth, ...later }, () => false)).not.toBe(first)
  })

  test('is nobody’s of the nation', async () => {
    const living = nation.person(4711)
    const taken: string[] = []
    const chosen = choosePersonalId({ ...birth, dateOfBirth: '2010-01-01' }, id => {
      taken.push(id)
      return taken.length < 5 || nation.findPerson(id) !== undefined
    })
    expect([nation.findPerson(chosen), nation.findPerson(living.personalId)]).toEqual([undefined, living])
  })

  test('that cannot be found is a fault, not a wait for ever', () => {
    expect(() => choosePersonalId(birth, () => true)).toThrow(new RangeError('no number is free'))
  })
})
