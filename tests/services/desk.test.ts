// The desk and the store that every register which answers later shares: claims, memory, numbers given once, fields told as granted.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ProviderId } from '#contracts/contract.ts'
import { createLog } from '#runtime/log.ts'
import {
  type AdapterTools,
  deferral,
  type Handler,
  type Question,
  type Settlement,
  type Ticket,
} from '#services/adapter.ts'
import { drawNumber } from '#services/drawn-number.ts'
import { createIssuingDesk, type Decision } from '#services/issuing-desk.ts'
import { localDateOf } from '#services/local-date.ts'
import { createWorkStore, openRegister, type Work, type WorkStore } from '#services/work-store.ts'
import { until } from '#tests/bus/until.ts'

interface Permit {
  file: string
  holder: string
}

const hourMs = 3_600_000
let dataDir: string
let nowMs: number
let settled: { exchangeId: string; settlement: Settlement }[]
let logged: string[]
let stops: (() => void | Promise<void>)[]
let decided: number

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ndx-desk-'))
  nowMs = Date.UTC(2026, 0, 12)
  settled = []
  logged = []
  stops = []
  decided = 0
})

afterEach(async () => {
  await stop()
  rmSync(dataDir, { recursive: true })
})

async function stop(): Promise<void> {
  for (const stopOne of stops.splice(0)) await stopOne()
}

const permit = (holder: string): Decision => ({
  number: `P-${holder}`,
  reply: { number: `P-${holder}`, secret: holder },
})

function start(decide: (asked: Permit) => Decision = ({ holder }) => permit(holder), workMs = 0): Handler {
  const tools = {
    provider: 'permits' as ProviderId,
    dataDir,
    log: createLog({ level: 'warn', instance: 'test', stream: { write: line => void logged.push(line) } }),
    now: () => nowMs,
    settle: async ({ exchangeId }, settlement) => void settled.push({ exchangeId, settlement }),
    onStop: stopOne => void stops.push(stopOne),
  } as AdapterTools
  return createIssuingDesk<Permit>(tools, {
    file: 'permit.sqlite',
    workMs,
    keyOf: ({ file }) => file,
    isSame: (before, asked) => before.holder === asked.holder,
    otherwise: 'file-used-otherwise',
    decide: asked => {
      decided++
      return decide(asked)
    },
  })
}

const questionOf = (exchangeId: string, fields: readonly string[]): Question =>
  ({ exchangeId, fields: new Set(fields), ticket: { exchangeId } }) as unknown as Question
const ask = (handler: Handler, exchangeId: string, request: Permit, fields = ['number']): unknown =>
  handler({ ...request }, questionOf(exchangeId, fields))
const settledTo = (count: number): Promise<void> => until(`${count} are settled`, () => settled.length >= count)

const isThrown = (act: () => unknown): boolean => {
  try {
    act()
    return false
  } catch {
    return true
  }
}

const lan = { file: 'F-1', holder: 'Lan' }

describe('a desk', () => {
  test('releases to each asker the fields it was granted, later and at once', async () => {
    const handler = start()
    expect(ask(handler, 'x1', lan)).toBe(deferral)
    expect(ask(handler, 'x2', lan, ['number', 'secret'])).toBe(deferral)
    await settledTo(2)
    expect(new Map(settled.map(({ exchangeId, settlement }) => [exchangeId, settlement]))).toEqual(
      new Map([
        ['x1', { reply: { number: 'P-Lan' } }],
        ['x2', { reply: { number: 'P-Lan', secret: 'Lan' } }],
      ]),
    )
    expect(ask(handler, 'x3', lan, ['secret'])).toEqual({ secret: 'Lan' })
  })

  test('decides once for a key, and each time where nothing was given', async () => {
    const handler = start(({ holder }) => (holder === 'nobody' ? { reply: { number: 'none' } } : permit(holder)))
    for (const exchangeId of ['x1', 'x2']) ask(handler, exchangeId, lan)
    await settledTo(2)
    expect(decided).toBe(1)
    for (const exchangeId of ['x3', 'x4'])
      expect(ask(handler, exchangeId, { ...lan, file: 'F-2', holder: 'nobody' })).toBe(deferral)
    await settledTo(4)
    expect(decided).toBe(3)
  })

  test('keeps a failure for the exchange, not for the key', async () => {
    const handler = start(() => ({ failure: 'no-such-holder' }))
    ask(handler, 'x1', lan)
    await settledTo(1)
    expect(settled).toEqual([{ exchangeId: 'x1', settlement: { failure: 'no-such-holder' } }])
    await until('it is marked', () => isThrown(() => ask(handler, 'x1', lan)))
    expect(ask(handler, 'x2', lan)).toBe(deferral)
  })

  test('tries again what it could not decide, and the others meanwhile', async () => {
    const handler = start(({ holder }) => {
      if (holder === 'Lan' && decided === 1) throw new Error('x')
      return permit(holder)
    })
    ask(handler, 'x1', lan)
    ask(handler, 'x2', { file: 'F-2', holder: 'An' })
    await settledTo(1)
    expect(settled.map(({ exchangeId }) => exchangeId)).toEqual(['x2'])
    nowMs += 1000
    await settledTo(2)
    expect(logged.filter(line => line.includes('"event":"unsettled"'))).toHaveLength(1)
  })

  test('whose number is given twice by mistake gives it once, and undoes the rest', async () => {
    const handler = start(() => ({ number: 'P-1', reply: { number: 'P-1' } }))
    ask(handler, 'x1', lan)
    await settledTo(1)
    ask(handler, 'x2', { file: 'F-2', holder: 'An' })
    await until('it is told', () => logged.length > 0)
    expect([settled.length, logged[0]]).toEqual([1, expect.stringContaining('UNIQUE')])
  })

  test('has a store of its own', async () => {
    start(undefined, 60_000)
    await stop()
    expect(readdirSync(dataDir)).toEqual(['permit.sqlite'])
  })
})

describe('its store', () => {
  let store: WorkStore
  const work: Work = { exchangeId: 'x1', request: { ...lan }, ticket: {} as Ticket, fields: ['number'] }

  beforeEach(() => {
    const db = openRegister(join(dataDir, 'claims.sqlite'), '')
    store = createWorkStore(db)
    stops.push(() => db.close())
  })

  test('frees what was claimed by a desk that died, after its claim', () => {
    store.accept(work, 100)
    expect(store.claim(99, 200, 10)).toEqual([])
    expect(store.claim(100, 200, 10)).toEqual([work])
    expect(store.claim(199, 300, 10)).toEqual([])
    expect(store.claim(200, 300, 10)).toHaveLength(1)
  })

  test('keeps that all fields were granted', () => {
    const { fields: _, ...unrestricted } = work
    store.accept(unrestricted, 0)
    expect(store.claim(0, 1, 10)).toEqual([unrestricted])
  })

  test('forgets what was settled before, and nothing that is open', () => {
    for (const exchangeId of ['x1', 'x2', 'x3']) store.accept({ ...work, exchangeId }, 0)
    store.finish('x1', { reply: {} }, 99)
    store.finish('x2', { reply: {} }, 100)
    store.forget(100)
    expect(['x1', 'x2', 'x3'].map(store.find)).toEqual([undefined, { reply: {} }, 'open'])
  })

  test('takes up the work of a store from before registers shared it', () => {
    const db = openRegister(
      join(dataDir, 'old.sqlite'),
      `CREATE TABLE work (exchange_id TEXT PRIMARY KEY, registration TEXT NOT NULL, ticket TEXT NOT NULL,
       due_ms INTEGER NOT NULL, settled_ms INTEGER, settlement TEXT) STRICT, WITHOUT ROWID;
       INSERT INTO work VALUES ('x1', '{"file":"F-1"}', '{}', 5, NULL, NULL)`,
    )
    expect(createWorkStore(db).claim(5, 6, 10)).toEqual([{ exchangeId: 'x1', request: { file: 'F-1' }, ticket: {} }])
    db.close()
  })

  test('remembers an outcome for two days', async () => {
    const handler = start()
    ask(handler, 'x1', lan)
    await settledTo(1)
    const db = openRegister(join(dataDir, 'permit.sqlite'), '')
    const kept = createWorkStore(db)
    await until('it is marked', () => kept.find('x1') !== 'open')
    for (const [hours, isKept] of [
      [48, true],
      [49, false],
    ] as const) {
      nowMs = Date.UTC(2026, 0, 12) + hours * hourMs
      ask(handler, `later-${hours}`, { file: `F-${hours}`, holder: String(hours) })
      await until('a round is over', () => kept.nextDueMs() === undefined)
      await until('the memory is as told', () => (kept.find('x1') !== undefined) === isKept)
    }
    db.close()
  })
})

describe('a number', () => {
  const draw = { service: 'permit', reference: 'F-1', span: 1000, format: String, isTaken: () => false }

  test('is the same for what it is given for, another in another service, and drawn again while it is somebody’s', () => {
    const first = drawNumber(draw)
    expect(drawNumber(draw)).toBe(first)
    expect(drawNumber({ ...draw, service: 'licence' })).not.toBe(first)
    expect(drawNumber({ ...draw, isTaken: number => number === first })).not.toBe(first)
  })

  test('that cannot be found is a fault, not a wait for ever', () => {
    expect(() => drawNumber({ ...draw, isTaken: () => true })).toThrow(new RangeError('no number is free'))
  })
})

test('the day is that of Vietnam', () => {
  expect([localDateOf(Date.UTC(2026, 0, 1, 16, 59)), localDateOf(Date.UTC(2026, 0, 1, 17))]).toEqual([
    '2026-01-01',
    '2026-01-02',
  ])
})
