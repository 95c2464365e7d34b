// Validation: nothing is coerced, removed or defaulted; faults are pointers and schema words, never values; a schema without
// bounds is refused before it can be asked.
import { describe, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { createValidation, faultsMax, findUnbounded } from '#contracts/validation.ts'

const validation = createValidation('simulated')
const closed = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  additionalProperties: false,
  properties,
  ...more,
})

describe('a check', () => {
  test('leaves the value as it is', () => {
    const check = validation.compile(
      closed({ n: { type: 'integer', default: 3 }, s: { type: 'string', maxLength: 9 } }),
    )
    for (const value of [{}, { n: '1' }, { n: 1, extra: true }, { s: 1 }]) {
      const before = structuredClone(value)
      check(value)
      expect(value).toEqual(before)
    }
    expect(check({})).toBeUndefined()
    expect(check({ n: '1' })).toEqual([{ pointer: '/n', detail: 'must be integer' }])
    expect(check({ s: 1 }, '/request')).toEqual([{ pointer: '/request/s', detail: 'must be string' }])
  })

  test('names the members it knows, never the one it does not', () => {
    const check = validation.compile(closed({ a: { type: 'boolean' }, b: { type: 'boolean' } }))
    expect(check({ Canary: 1 })).toEqual([
      { pointer: '', detail: 'has a member that the contract does not know; it knows a, b' },
    ])
    expect(validation.compile(closed({}))({ x: 1 })).toEqual([
      { pointer: '', detail: 'has a member that the contract does not know' },
    ])
  })

  test('points at what is missing and says which values are allowed', () => {
    const check = validation.compile(
      closed({ kind: { enum: ['a', 'b'] }, n: { type: 'boolean' } }, { required: ['n'] }),
    )
    expect(check({ kind: 'canary' })).toEqual([
      { pointer: '/n', detail: 'is required' },
      { pointer: '/kind', detail: 'must be one of a, b' },
    ])
  })

  test('lists ten faults and no more', () => {
    const names = Array.from({ length: 12 }, (_, i) => `m${i}`)
    const check = validation.compile(closed(Object.fromEntries(names.map(name => [name, { type: 'boolean' }]))))
    const wrong = (count: number) => check(Object.fromEntries(names.slice(0, count).map(name => [name, 1])))
    expect([wrong(9)?.length, wrong(10)?.length, wrong(11)?.length]).toEqual([9, faultsMax, faultsMax])
  })

  test.each<[string, JsonObject, unknown, boolean]>([
    ['personal-id', { format: 'personal-id' }, '026701599619', true],
    ['personal-id of the real scheme', { format: 'personal-id' }, '026301599619', false],
    ['birth-date', { format: 'birth-date' }, '1990', true],
    ['date', { format: 'date' }, '1990', false],
    ['date that is none', { format: 'date' }, '2023-02-29', false],
    ['agency-code', { format: 'agency-code' }, '000.00.00.G22', true],
    ['procedure-code', { format: 'procedure-code' }, '1.002759.H49', true],
    ['officer-code', { format: 'officer-code' }, 'G24.63-0412', true],
    ['enterprise-code', { format: 'enterprise-code' }, '0100109106', false],
  ])('knows the format %s', (_, format, value, isValid) => {
    const check = validation.compile({ type: 'string', maxLength: 40, ...format })
    expect(check(value) === undefined).toBe(isValid)
  })

  test.each([
    [{ personalId: '026701599619', dateOfBirth: '2001-11-27' }, true],
    [{ personalId: '026701599619', dateOfBirth: '1901-11-27' }, false],
    [{ personalId: '026701599619', sex: 'female' }, true],
    [{ personalId: '026701599619', sex: 'male' }, false],
    [{ personalId: 7 }, true],
  ])('holds a personal number against what stands beside it: %o', (value, isValid) => {
    const check = validation.compile({ type: 'object', personalIdAgrees: 'personalId' })
    expect(check(value)).toEqual(
      isValid
        ? undefined
        : [{ pointer: '', detail: 'the personal number does not agree with the date of birth or the sex' }],
    )
  })
})

describe('a schema', () => {
  test.each<[string, JsonObject]>([
    ['an unknown keyword', { type: 'string', maxLenght: 3 }],
    ['an unknown format', { type: 'string', maxLength: 9, format: 'email' }],
    ['a keyword of another kind of value', { type: 'string', maximum: 3 }],
    ['properties without a type', { properties: {} }],
    ['a pattern that is none', { type: 'string', pattern: '(' }],
    [
      'a required member it does not have',
      { type: 'object', additionalProperties: false, properties: {}, required: ['a'], maxProperties: 'x' },
    ],
    ['a reference to nothing', { $ref: 'urn:nowhere' }],
  ])('with %s is refused', (_, schema) => expect(() => validation.compile(schema)).toThrow())

  test.each<[string, unknown, string[]]>([
    ['a string', { type: 'string' }, ['/x: a string without maxLength']],
    ['a string of fixed values', { type: 'string', enum: ['a'] }, []],
    ['an array', { type: 'array', items: { type: 'string', maxLength: 1 } }, ['/x: an array without maxItems']],
    ['an object', { type: 'object' }, ['/x: an object that is not closed']],
    [
      'an object closed by a schema',
      { type: 'object', additionalProperties: {} },
      ['/x: an object that is not closed'],
    ],
    ['a list of types', { type: ['string', 'null'], maxLength: 1 }, ['/x: a list of types; use anyOf']],
    [
      'something deep',
      closed({ a: { anyOf: [{ type: 'boolean' }, { type: 'array', maxItems: 1, items: { type: 'string' } }] } }),
      ['/x/properties/a/anyOf/1/items: a string without maxLength'],
    ],
    ['nothing', closed({ a: { type: 'string', maxLength: 1 }, b: { type: 'integer' }, c: { const: 'x' } }), []],
  ])('is unbounded in %s', (_, schema, faults) => expect(findUnbounded(schema, '/x')).toEqual(faults))
})
