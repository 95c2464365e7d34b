// The register of public employees, asked over its contract: right and wrong in each attribute, the faults it has, and those it
// does not know.
import { describe, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { type Person } from '#nation/person.ts'
import { type RecordFault } from '#nation/records.ts'
import { type AdapterTools, type Question } from '#services/adapter.ts'
import { createHandler } from '#services/public-employees/employment-verification.ts'

const nation = createNation({ seed: 1 })
const service = loadRegistry({ idScheme: 'simulated' }).find('public-employees/employment-verification')!
const handler = createHandler({ nation } as AdapterTools)
const nothing = { personalId: false, fullName: false, dateOfBirth: false, body: false }
const everything = { personalId: true, fullName: true, dateOfBirth: true, body: true }

function ask(person: Person, changes: JsonObject = {}, fields = ['matched', 'attributes']): JsonObject {
  const { personalId, fullName, dateOfBirth } = person
  const body = nation.publicEmploymentOf(person)?.body.code ?? 'H26'
  const request = { personalId, fullName, dateOfBirth, body, ...changes }
  expect(service.checkRequest(request)).toBeUndefined()
  const reply = handler(request, { fields: new Set(fields) } as unknown as Question) as JsonObject
  expect(service.checkReply(reply)).toBeUndefined()
  return reply
}

function find(isWanted: (person: Person, isRecorded: boolean | undefined, fault: RecordFault | undefined) => boolean) {
  for (let index = 0; index < 3_000_000; index++) {
    const person = nation.person(index)
    const employment = nation.publicEmploymentOf(person)
    if (isWanted(person, employment?.isRecorded, nation.recordedIn('public-employees', person).fault)) return person
  }
  throw new Error('nobody is like that')
}

const ofFault = (wanted: RecordFault | undefined): Person =>
  find((_, isRecorded, fault) => isRecorded === true && fault === wanted)

describe('an employee', () => {
  const employee = ofFault(undefined)

  test('matches, and only what was granted is told', () => {
    expect(ask(employee)).toEqual({ matched: true, attributes: everything })
    expect(ask(employee, {}, ['matched'])).toEqual({ matched: true })
  })

  test('matches in capitals without diacritics, by the year alone, the body in its other spelling', () => {
    const body = `000.00.00.${nation.publicEmploymentOf(employee)?.body.code}`
    expect(ask(employee, { body, dateOfBirth: employee.dateOfBirth.slice(0, 4) })).toMatchObject({ matched: true })
  })

  test.each<[string, JsonObject]>([
    ['fullName', { fullName: 'Nguyễn Văn Khác' }],
    ['dateOfBirth', { dateOfBirth: `${ofFault(undefined).dateOfBirth.slice(0, 4)}-02-03` }],
    ['body', { body: 'G09' }],
    ['body', { body: `${nation.publicEmploymentOf(ofFault(undefined))?.body.code}.12` }],
  ])('does not match with another %s', (attribute, changes) => {
    expect(ask(employee, changes)).toEqual({ matched: false, attributes: { ...everything, [attribute]: false } })
  })
})

describe('nothing at all is told', () => {
  test.each<[string, Person]>([
    ['of somebody who works elsewhere', find((_, isRecorded) => isRecorded === undefined)],
    ['of one whose body has not sent them', find((_, isRecorded) => isRecorded === false)],
    ['of one known by an old number', ofFault('old-number')],
  ])('%s', (_, person) => expect(ask(person)).toEqual({ matched: false, attributes: nothing }))

  test('of a number nobody has', () => {
    const request = { personalId: '001400000000', fullName: 'Lê An', dateOfBirth: '2000-01-01', body: 'G09' }
    const reply = handler(request, { fields: new Set(['attributes']) } as unknown as Question)
    expect(reply).toEqual({ matched: false, attributes: nothing })
  })
})

test.each<[RecordFault, string]>([
  ['misspelt-name', 'fullName'],
  ['wrong-birth-year', 'dateOfBirth'],
])('one recorded with a %s matches as recorded, and not as they are', (fault, attribute) => {
  const person = ofFault(fault)
  const { fullName, dateOfBirth } = nation.recordedIn('public-employees', person)
  expect(ask(person)).toEqual({ matched: false, attributes: { ...everything, [attribute]: false } })
  const asRecorded = handler(
    { personalId: person.personalId, fullName, dateOfBirth, body: nation.publicEmploymentOf(person)!.body.code },
    { fields: new Set() } as unknown as Question,
  )
  expect(asRecorded).toEqual({ matched: true })
})
