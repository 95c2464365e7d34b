// Judicial record certificates: issued later, one an application, listing what is on record and naming nobody; the same answer for
// all whom the register does not know.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ProviderId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault } from '#nation/records.ts'
import { createLog } from '#runtime/log.ts'
import {
  AdapterFailure,
  type AdapterTools,
  deferral,
  type Handler,
  type Question,
  type Settlement,
} from '#services/adapter.ts'
import { createCertificates } from '#services/judicial-records/record-certificate.ts'
import { until } from '#tests/bus/until.ts'

const nation = createNation({ seed: 1 })
const service = loadRegistry({ idScheme: 'simulated' }).find('judicial-records/record-certificate')!
const allFields = service.contract.fields.map(({ name }) => name)
const nowMs = Date.UTC(2026, 0, 12)

let dataDir: string
let stops: (() => void | Promise<void>)[]
let settled: Map<string, Settlement>

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ndx-certificates-'))
  stops = []
  settled = new Map()
})

afterEach(async () => {
  await stop()
  rmSync(dataDir, { recursive: true })
})

async function stop(): Promise<void> {
  for (const stopOne of stops.splice(0)) await stopOne()
}

function start({ workMs = 0, startedMs = performance.now() } = {}): Handler {
  const tools = {
    provider: 'judicial-records' as ProviderId,
    nation,
    dataDir,
    log: createLog({ level: 'silent', instance: 'test' }),
    now: () => nowMs + performance.now() - startedMs,
    settle: async ({ exchangeId }, settlement) => void settled.set(exchangeId, settlement),
    onStop: stopOne => void stops.push(stopOne),
  } as AdapterTools
  return createCertificates(tools, { workMs })
}

const applicationOf = ({ personalId, fullName, dateOfBirth }: Person, application = 'H26.31-1'): JsonObject => ({
  personalId,
  fullName,
  dateOfBirth,
  application,
})

function send(handler: Handler, exchangeId: string, request: JsonObject, fields = allFields): unknown {
  expect(service.checkRequest(request)).toBeUndefined()
  return handler(request, { exchangeId, fields: new Set(fields), ticket: { exchangeId } } as unknown as Question)
}

let asked = 0
async function ask(handler: Handler, request: JsonObject, fields = allFields): Promise<JsonObject> {
  const exchangeId = `x${++asked}`
  expect(send(handler, exchangeId, request, fields)).toBe(deferral)
  await until('it is settled', () => settled.has(exchangeId))
  const { reply } = settled.get(exchangeId) as { reply: JsonObject }
  expect(service.checkReply(reply)).toBeUndefined()
  return reply
}

function find(isWanted: (person: Person, fault: RecordFault | undefined) => boolean): Person {
  for (let index = 0; index < 1_000_000; index++) {
    const person = nation.person(index)
    if (isWanted(person, nation.recordedIn('judicial-records', person).fault)) return person
  }
  throw new Error('nobody is like that')
}

const isAdult = ({ dateOfBirth }: Person): boolean => Number(dateOfBirth.slice(0, 4)) <= 2007
const convictionsOf = (person: Person): number => nation.convictionsOf(person).length
const clean = find((person, fault) => isAdult(person) && fault === undefined && convictionsOf(person) === 0)
const convict = find((person, fault) => fault === undefined && convictionsOf(person) === 2)

describe('a certificate', () => {
  test('of somebody with nothing on record says so', async () => {
    expect(await ask(start(), applicationOf(clean))).toEqual({
      found: true,
      certificateNumber: expect.stringMatching(/^\d{7}\/2026\/LLTP$/),
      issuedOn: '2026-01-12',
      entryCount: 0,
      entries: [],
    })
  })

  test('lists what is on record, and names nobody', async () => {
    const reply = await ask(start(), applicationOf(convict))
    expect(reply).toMatchObject({ entryCount: 2, entries: nation.convictionsOf(convict) })
    for (const name of [convict.personalId, convict.fullName]) expect(JSON.stringify(reply)).not.toContain(name)
  })

  test('tells what was granted, and no more', async () => {
    const fields = ['found', 'certificateNumber', 'issuedOn']
    expect(Object.keys(await ask(start(), applicationOf(convict), fields)).toSorted()).toEqual(fields.toSorted())
  })

  test('is the same for its application, told at once when it is issued; another application has another', async () => {
    const handler = start()
    const first = await ask(handler, applicationOf(clean))
    expect(send(handler, 'again', applicationOf(clean))).toEqual(first)
    const other = await ask(handler, applicationOf(clean, 'H26.31-2'))
    expect(other['certificateNumber']).not.toBe(first['certificateNumber'])
  })

  test('of an application is nobody else’s', async () => {
    const handler = start()
    await ask(handler, applicationOf(clean))
    expect(() => send(handler, 'again', applicationOf(convict))).toThrow(
      new AdapterFailure('application-used-otherwise'),
    )
  })

  test('that was asked for before the adapter died is issued after it starts again', async () => {
    expect(send(start({ workMs: 60_000 }), 'x', applicationOf(clean))).toBe(deferral)
    await stop()
    start({ startedMs: performance.now() - 60_000 })
    await until('it is settled', () => settled.has('x'))
    expect(settled.get('x')).toMatchObject({ reply: { found: true } })
  })
})

describe('the same answer is given, as late', () => {
  const child = find(({ dateOfBirth }, fault) => dateOfBirth > '2015' && fault === undefined)
  const ofFault = (wanted: RecordFault): Person => find((person, fault) => isAdult(person) && fault === wanted)
  test.each<[string, JsonObject]>([
    ['for another name', applicationOf({ ...clean, fullName: 'Nguyễn Văn Khác' })],
    ['for another date of birth', applicationOf({ ...clean, dateOfBirth: `${clean.dateOfBirth.slice(0, 4)}-02-03` })],
    ['for a child', applicationOf(child)],
    ['for one known by an old number', applicationOf(ofFault('old-number'))],
    ['for one whose name is misspelt', applicationOf(ofFault('misspelt-name'))],
    ['for one whose year of birth is wrong', applicationOf(ofFault('wrong-birth-year'))],
  ])('%s', async (_, request) => {
    expect(await ask(start(), request)).toEqual({ found: false })
  })

  test('and issues nothing: the application is free', async () => {
    const handler = start()
    await ask(handler, applicationOf({ ...clean, fullName: 'Nguyễn Văn Khác' }))
    expect(await ask(handler, applicationOf(clean))).toMatchObject({ found: true })
  })
})
