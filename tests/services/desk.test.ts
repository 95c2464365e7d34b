// The desk that every register which answers later shares: its store, its claims, its memory, and what a handler is told.
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
import { createDesk, type Decision } from '#services/desk.ts'
import { type DeskStore, openDeskStore, type Taken } from '#services/desk-store.ts'
import { drawNumber } from '#services/drawn-number.ts'
import { localDateOf } from '#services/local-date.ts'
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
  const tools: AdapterTools = {
    provider: 'permits' as ProviderId,
    nation: {} as AdapterTools['nation'],
    dataDir,
    log: createLog({ level: 'warn', instance: 'test', stream: { write: line => void logged.push(line) } }),
    now: () => nowMs,
    settle: async ({ exchangeId }, settlement) => void settled.push({ exchangeId, settlement }),
    onStop: stopOne => void stops.push(stopOne),
  }
  return createDesk<Permit>(tools, {
    name: 'permit',
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

  test('has a store of its own, that another desk of the provider does not read', async () => {
    start(undefined, 60_000)
    await stop()
    expect(readdirSync(dataDir)).toEqual(['permit.sqlite'])
  })
})

describe('its store', () => {
  let store: DeskStore
  const question: Taken = { exchangeId: 'x1', request: { ...lan }, fields: ['number'], ticket: {} as Ticket }

  beforeEach(() => {
    store = openDeskStore(join(dataDir, 'claims.sqlite'))
    stops.push(() => store.close())
  })

  test('frees what was claimed by a desk that died, after its claim', () => {
    store.accept(question, 100)
    expect(store.claim(99, 200, 10)).toEqual([])
    expect(store.claim(100, 200, 10)).toEqual([question])
    expect(store.claim(199, 300, 10)).toEqual([])
    expect(store.claim(200, 300, 10)).toHaveLength(1)
  })

  test('forgets what was settled before, and nothing that is open or issued', () => {
    for (const exchangeId of ['x1', 'x2', 'x3']) store.accept({ ...question, exchangeId }, 0)
    store.issue('F-1', { number: 'P-1', request: {}, reply: {} })
    store.finish('x1', { reply: {} }, 99)
    store.finish('x2', { reply: {} }, 100)
    store.forget(100)
    expect(['x1', 'x2', 'x3'].map(store.find)).toEqual([undefined, { reply: {} }, 'open'])
    expect([store.issued('F-1')?.number, store.isTaken('P-1'), store.isTaken('P-2')]).toEqual(['P-1', true, false])
  })

  test('remembers an outcome for two days', async () => {
    const handler = start()
    ask(handler, 'x1', lan)
    await settledTo(1)
    const kept = openDeskStore(join(dataDir, 'permit.sqlite'))
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
    kept.close()
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
