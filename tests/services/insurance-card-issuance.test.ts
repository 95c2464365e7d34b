// The register that issues insurance cards to small children, asked about those who have one already: this register's own people.
// What happens to newborns is told by the birth chain.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { createLog } from '#runtime/log.ts'
import { AdapterFailure, type AdapterTools, deferral, type Question, type Settlement } from '#services/adapter.ts'
import { createCardIssuance } from '#services/social-insurance/insurance-card-issuance.ts'
import { until } from '#tests/bus/until.ts'

const nation = createNation({ seed: 1 })
const dataDir = mkdtempSync(join(tmpdir(), 'ndx-cards-'))
const settled = new Map<string, Settlement>()
const stops: (() => void | Promise<void>)[] = []
const nowMs = Date.UTC(2026, 0, 12)
const startedMs = performance.now()
const tools = {
  provider: 'social-insurance',
  nation,
  dataDir,
  log: createLog({ level: 'silent', instance: 'test' }),
  now: () => nowMs + performance.now() - startedMs,
  settle: async ({ exchangeId }: { exchangeId: string }, settlement: Settlement) => {
    settled.set(exchangeId, settlement)
  },
  onStop: (stop: () => void) => void stops.push(stop),
} as unknown as AdapterTools
const handler = createCardIssuance(tools, { workMs: 0 })

afterAll(async () => {
  for (const stop of stops) await stop()
  rmSync(dataDir, { recursive: true })
})

const ask = (request: JsonObject, exchangeId = '1') =>
  handler(request, { exchangeId, ticket: { exchangeId } } as unknown as Question)

function childOf(holds: (child: Person) => boolean): Person {
  for (let index = 0; ; index++) if (holds(nation.person(index))) return nation.person(index)
}
const faultOf = (person: Person) => nation.recordedIn('social-insurance', person).fault
const requestFor = (child: Person): JsonObject => {
  const { personalId, fullName, dateOfBirth, sex } = child
  return { personalId, fullName, dateOfBirth, sex, birthRegistration: nation.birthEntryOf(child).registrationNumber }
}
const child = childOf(one => one.dateOfBirth > '2022' && faultOf(one) === undefined)

describe('a child that has a card', () => {
  const card = nation.insuranceOf(child)?.card

  test('is told it at once, and given no other', () => {
    const { number: insuranceCard, validFrom, validTo } = card ?? {}
    expect(ask(requestFor(child))).toEqual({ insuranceCard, validFrom, validTo })
  })

  test.each<[string, JsonObject]>([
    ['name', { fullName: 'Lê An' }],
    ['date of birth', { dateOfBirth: '2022-02-30' }],
    ['registration', { birthRegistration: 'TP.001/2025-0000001' }],
  ])('is refused another one under another %s', (_, changes) => {
    expect(() => ask({ ...requestFor(child), ...changes })).toThrow(new AdapterFailure('already-issued-differently'))
  })

  test('is known as the register has recorded it', () => {
    const misspelt = childOf(one => one.dateOfBirth > '2022' && faultOf(one) === 'misspelt-name')
    const { fullName } = nation.recordedIn('social-insurance', misspelt)
    expect(ask({ ...requestFor(misspelt), fullName })).toMatchObject({
      insuranceCard: nation.insuranceOf(misspelt)?.card?.number,
    })
    expect(() => ask(requestFor(misspelt))).toThrow(AdapterFailure)
  })
})

test('a newborn’s card is valid as long as the nation’s children’s are', async () => {
  const { personalId, ...rest } = requestFor(child)
  const newborn = { ...rest, personalId: `${String(personalId).slice(0, 6)}999999`, dateOfBirth: '2026-01-05' }
  expect(nation.findPerson(newborn.personalId)).toBeUndefined()
  expect(ask(newborn, '2')).toBe(deferral)
  await until('the card is issued', () => settled.has('2'))
  expect(settled.get('2')).toMatchObject({ reply: { validFrom: '2026-01-12', validTo: '2032-09-30' } })
})

test('who turns six that day is no child under six any more', () => {
  expect(() => ask({ ...requestFor(child), dateOfBirth: '2020-01-12' })).toThrow(new AdapterFailure('not-under-six'))
  expect(() => ask({ ...requestFor(child), dateOfBirth: '2020-01-13' })).not.toThrow(
    new AdapterFailure('not-under-six'),
  )
})
