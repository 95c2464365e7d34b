// Civil status as others ask it: entries as this register recorded them, its seeded faults included, and claims of marriage that
// are true, or not, and never say which part of an unknown person is wrong.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type ProviderId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { type Person } from '#nation/person.ts'
import { createLog } from '#runtime/log.ts'
import { type AdapterTools, type Handler, type Question } from '#services/adapter.ts'
import { createHandler as createBirthRecord } from '#services/civil-status/birth-record.ts'
import { openBirths } from '#services/civil-status/births.ts'
import { createHandler as createMarriageStatus } from '#services/civil-status/marriage-status.ts'
import { nation } from '#tests/questions.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'ndx-civil-'))
const stops: (() => void | Promise<void>)[] = []
const tools: AdapterTools = {
  provider: 'civil-status' as ProviderId,
  nation,
  dataDir,
  log: createLog({ level: 'silent', instance: 'test' }),
  now: Date.now,
  settle: async () => {},
  ask: async () => {
    throw new Error('it asks nobody')
  },
  onStop: stop => void stops.push(stop),
}
afterAll(async () => {
  for (const stop of stops) await stop()
  rmSync(dataDir, { recursive: true })
})

const registry = loadRegistry({ idScheme: 'simulated' })
const birthRecord = createBirthRecord(tools)
const marriageStatus = createMarriageStatus(tools)
const fieldsOf = (id: string) => new Set(registry.find(id)?.contract.fields.map(({ name }) => name))

/** Held to the contract on both sides. */
function ask(handler: Handler, id: string, request: object, fields = fieldsOf(id)): JsonObject {
  const service = registry.find(id)
  expect(service?.checkRequest(request as JsonObject)).toBeUndefined()
  const reply = handler(request as JsonObject, { fields } as unknown as Question) as JsonObject
  expect(service?.checkReply(reply)).toBeUndefined()
  return reply
}
const record = (request: object, fields?: Set<string>) => ask(birthRecord, 'civil-status/birth-record', request, fields)
const status = (request: object, fields?: Set<string>) =>
  ask(marriageStatus, 'civil-status/marriage-status', request, fields)

const people = Array.from({ length: 4_000 }, (_, i) => nation.person(i * 20_011))
const claimOf = ({ personalId, fullName, dateOfBirth, maritalStatus, spouseId }: Person) => ({
  personalId,
  fullName,
  dateOfBirth,
  status: maritalStatus === 'married' ? 'married' : 'unmarried',
  ...(spouseId === undefined ? {} : { spouseId }),
})

describe('a birth record', () => {
  test('tells what the population register has, but for the faults of this one', () => {
    for (const person of people) {
      const { fullName, dateOfBirth, fault } = nation.recordedIn('civil-status', person)
      const reply = record({ personalId: person.personalId })
      expect(reply).toMatchObject({ found: true, fullName, dateOfBirth, sex: person.sex, ethnicity: person.ethnicity })
      const differs = fullName !== person.fullName || dateOfBirth !== person.dateOfBirth
      expect(differs).toBe(fault !== undefined)
      expect((reply['mother'] as JsonObject | undefined)?.['personalId']).toBe(person.motherId)
      expect((reply['father'] as JsonObject | undefined)?.['personalId']).toBe(person.fatherId)
    }
  })

  test('is compared with this register’s own entry', () => {
    const misspelt = people.find(
      person => nation.recordedIn('civil-status', person).fault === 'misspelt-name',
    ) as Person
    const { personalId, fullName } = misspelt
    expect(record({ personalId, fullName })).toEqual({ found: false })
    const recorded = nation.recordedIn('civil-status', misspelt).fullName
    expect(record({ personalId, fullName: recorded }, new Set(['found']))).toEqual({ found: true })
  })

  test('of nobody, and with a wrong name or date, gets the same answer', () => {
    const { personalId, dateOfBirth } = people[0] as Person
    expect(record({ personalId: '001726999999' })).toEqual({ found: false })
    expect(record({ personalId, fullName: 'Ai Khác' })).toEqual({ found: false })
    const otherDay = `${dateOfBirth.slice(0, 4)}-${dateOfBirth.slice(5) === '02-03' ? '02-04' : '02-03'}`
    expect(record({ personalId, dateOfBirth: otherDay })).toEqual({ found: false })
  })

  test('holds the granted fields and no other', () => {
    const { personalId } = people[1] as Person
    expect(Object.keys(record({ personalId }, new Set(['found', 'registeredOn'])))).toEqual(['found', 'registeredOn'])
  })

  test('of a child that was registered here is found once it has its number', () => {
    const births = openBirths(dataDir)
    const child = {
      birthCertificate: 'BV.010/2026-1',
      fullName: 'Trần Minh Khôi',
      dateOfBirth: '2026-01-06',
      sex: 'male',
      provinceCode: '010',
      motherId: '010701828336',
    } as const
    const { registrationNumber } = births.register(child, '2026-01-12')
    const personalId = '010626695797'
    expect(record({ personalId })).toEqual({ found: false })
    births.keep(child.birthCertificate, 'personal_id', personalId)
    expect(record({ personalId, fullName: 'TRAN MINH KHOI' })).toEqual({
      found: true,
      registrationNumber,
      registeredOn: '2026-01-12',
      fullName: child.fullName,
      dateOfBirth: child.dateOfBirth,
      sex: 'male',
      birthProvince: { code: '010', name: 'Lào Cai' },
      mother: { fullName: 'Hoàng Thị Trang', dateOfBirth: '2001-12-23', personalId: child.motherId },
    })
    expect(record({ personalId, fullName: 'Ai Khác' })).toEqual({ found: false })
    births.close()
  })
})

describe('a claim of marriage', () => {
  test('that is true matches, but for the faults of this register', () => {
    for (const person of people) {
      const { fault } = nation.recordedIn('civil-status', person)
      const isPerson = fault === undefined
      expect(status(claimOf(person))).toEqual({
        matched: isPerson,
        attributes: { person: isPerson, status: true, spouse: true },
      })
    }
  })

  test('of another status or spouse does not match, and says which only to who may know', () => {
    const right = people.filter(person => nation.recordedIn('civil-status', person).fault === undefined)
    const married = right.find(({ spouseId }) => spouseId !== undefined) as Person
    const single = right.find(({ maritalStatus }) => maritalStatus === 'single') as Person
    expect(status({ ...claimOf(married), status: 'unmarried' })['attributes']).toEqual({
      person: true,
      status: false,
      spouse: true,
    })
    expect(status({ ...claimOf(married), spouseId: single.personalId })['attributes']).toMatchObject({ spouse: false })
    expect(status({ ...claimOf(single), status: 'married', spouseId: married.personalId })['matched']).toBe(false)
    expect(status({ ...claimOf(single), status: 'married' }, new Set(['matched']))).toEqual({ matched: false })
  })

  test('about nobody gets the answer of a wrong one', () => {
    const nobody = { ...claimOf(people[0] as Person), personalId: '001726999999', dateOfBirth: '2026' }
    expect(status(nobody, new Set(['matched']))).toEqual({ matched: false })
    expect(status(nobody)['attributes']).toEqual({ person: false, status: false, spouse: false })
  })
})
