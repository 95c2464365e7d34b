// How clients write: the same question in their own way, keys of the time of day, officers' codes, and mistakes.
import { describe, expect, test } from 'vitest'
import { bodies } from '#cli/simulate/bodies.ts'
import { createDraws } from '#cli/simulate/draws.ts'
import { keyOf, officerCode, officerOf, spoil, writeAsBody } from '#cli/simulate/habits.ts'
import { isOfficerCode } from '#contracts/agency-code.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createChance } from '#nation/chance.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const drawsOf = (number: number) => createDraws(createChance(1), number, 0)
const body = { ...bodies[0]!, capitals: 100, yearOnly: 100 }
const writes = { name: 'fullName', birthDate: 'dateOfBirth' }

describe('a question', () => {
  const request = { personalId: '026701599619', fullName: 'Huỳnh Thị Phương Hương', dateOfBirth: '2001-11-27' }

  test('is written in capitals without diacritics, with the year for the date', () => {
    expect(writeAsBody(request, writes, body, drawsOf(1))).toEqual({
      personalId: '026701599619',
      fullName: 'HUYNH THI PHUONG HUONG',
      dateOfBirth: '2001',
    })
  })

  test('stays as it is where its maker says nothing of that', () => {
    expect(writeAsBody(request, undefined, body, drawsOf(1))).toEqual(request)
    expect(writeAsBody(request, writes, { ...body, capitals: 0, yearOnly: 0 }, drawsOf(1))).toEqual(request)
  })
})

describe('a key', () => {
  const moment = { quarter: 34, ms: 1500, tag: '' }

  test('is the time of day, or a random number and the time of day', () => {
    expect(keyOf({ keys: 'time-of-day' }, moment, drawsOf(1))).toBe('083001500')
    expect(keyOf({ keys: 'random' }, moment, drawsOf(1))).toMatch(/^\d{5}-083001500$/)
    expect(keyOf({ keys: 'time-of-day' }, { ...moment, tag: 'R1-' }, drawsOf(1))).toBe('R1-083001500')
  })
})

describe('an officer', () => {
  test('has a code of the agency, of every client', () => {
    for (const { agency } of registry.agreements.values()) {
      expect(isOfficerCode(officerCode(agency, 901))).toBe(true)
      expect(isOfficerCode(officerOf(agency, { officers: 2000 }, drawsOf(3)) ?? '')).toBe(true)
    }
    expect(officerCode('000.00.00.G22', 7)).toBe('G22-0007')
  })

  test('is nobody where a machine asks', () => {
    expect(officerOf('G22', { officers: 0 }, drawsOf(1))).toBeUndefined()
  })
})

describe('a mistake', () => {
  test('breaks the contract of every service', () => {
    for (const service of registry.services)
      for (const { request } of service.contract.examples)
        expect([service.contract.id, service.checkRequest(spoil(request, service))]).toEqual([
          service.contract.id,
          expect.any(Array),
        ])
  })

  test('is the nine digits of the old card where a person is asked about', () => {
    const service = registry.find('population/citizen-record')!
    expect(spoil({ personalId: '026701599619' }, service)).toEqual({ personalId: '701599619' })
  })
})
