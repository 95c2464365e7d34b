// authorize(): the guards in their order, several grants of one service, the fields released. Every date and hour is UTC+7.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Agreement, type Contract, type Grant } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { type Ask, authorize } from '#gateway/exchange/authorize.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const contract = registry.find('population/citizen-record')!.contract
const grant: Grant = {
  id: 'g',
  version: 3,
  service: contract.id,
  mode: 'disclose',
  purposes: ['social-insurance-enrolment'],
  procedures: ['1.002759'],
  fields: ['fullName', 'sex'],
  legalBasis: 'Luật',
  validFrom: '2026-06-01',
  validTo: '2026-06-30',
  hours: { from: '08:00', to: '17:00', days: [1, 2, 3, 4, 5] },
  ratePerSecond: 1,
  burst: 1,
}
// A Monday, 10:00 in Vietnam.
const monday = Date.parse('2026-06-15T10:00:00+07:00')
const ask = (grants: Partial<Grant>[], changes: Partial<Ask> = {}) =>
  authorize({
    agreement: { client: 'c', grants: grants.map(one => ({ ...grant, ...one })) } as unknown as Agreement,
    contract,
    purpose: 'social-insurance-enrolment',
    procedure: '1.002759',
    nowMs: monday,
    ...changes,
  })
const codeOf = (grants: Partial<Grant>[], changes: Partial<Ask> = {}): string => {
  const authorization = ask(grants, changes)
  return authorization.decision === 'granted' ? 'granted' : authorization.code
}

describe('one grant', () => {
  test('releases its fields and those that every grant releases, in the contract’s order', () => {
    const authorization = ask([{}])
    expect(authorization).toEqual({ decision: 'granted', grant, fields: ['found', 'fullName', 'sex'] })
  })

  test.each<[readonly string[], readonly string[]]>([
    [['sex'], ['found', 'sex']],
    [['found'], ['found']],
    [
      ['sex', 'fullName', 'sex'],
      ['found', 'fullName', 'sex'],
    ],
  ])('releases of %j %j', (fields, released) => {
    expect(ask([{}], { fields })).toMatchObject({ decision: 'granted', fields: released })
  })

  test('never releases a field outside it, whatever is asked', () => {
    const names = [...contract.fields.map(({ name }) => name), 'unknown', '__proto__', '*', '']
    fc.assert(
      fc.property(
        fc.subarray(names),
        fc.option(fc.array(fc.constantFrom(...names)), { nil: undefined }),
        (granted, fields) => {
          const authorization = ask([{ fields: granted }], fields === undefined ? {} : { fields })
          if (authorization.decision === 'refused') return
          for (const field of authorization.fields) expect([...granted, 'found']).toContain(field)
          if (fields !== undefined)
            for (const field of authorization.fields) expect([...fields, 'found']).toContain(field)
        },
      ),
    )
  })

  test.each<[string, Partial<Grant>, Partial<Ask>, string]>([
    ['before its first day', {}, { nowMs: Date.parse('2026-05-31T23:59:59.999+07:00') }, 'NDX_GRANT_NOT_YET_VALID'],
    ['after its last day', {}, { nowMs: Date.parse('2026-07-01T00:00:00+07:00') }, 'NDX_GRANT_EXPIRED'],
    ['before its hours', {}, { nowMs: Date.parse('2026-06-15T07:59:59.999+07:00') }, 'NDX_GRANT_OUTSIDE_HOURS'],
    ['at its first minute', {}, { nowMs: Date.parse('2026-06-15T08:00:00+07:00') }, 'granted'],
    ['in its last minute', {}, { nowMs: Date.parse('2026-06-15T16:59:59.999+07:00') }, 'granted'],
    ['after its hours', {}, { nowMs: Date.parse('2026-06-15T17:00:00+07:00') }, 'NDX_GRANT_OUTSIDE_HOURS'],
    ['on a Sunday', {}, { nowMs: Date.parse('2026-06-14T10:00:00+07:00') }, 'NDX_GRANT_OUTSIDE_HOURS'],
    [
      'on a Sunday that it names',
      { hours: { from: '00:00', to: '24:00', days: [7] } },
      { nowMs: Date.parse('2026-06-14T00:00:00+07:00') },
      'granted',
    ],
    [
      'on a Monday that is still Sunday in UTC',
      { hours: { from: '00:00', to: '24:00', days: [1] } },
      { nowMs: Date.parse('2026-06-14T17:00:00Z') },
      'granted',
    ],
    [
      'in the last millisecond before midnight',
      { hours: { from: '00:00', to: '24:00' } },
      { nowMs: Date.parse('2026-06-15T23:59:59.999+07:00') },
      'granted',
    ],
    [
      'without hours at night',
      { hours: undefined as never },
      { nowMs: Date.parse('2026-06-13T03:00:00+07:00') },
      'granted',
    ],
    ['of another mode', { mode: 'match' }, {}, 'NDX_MODE_NOT_GRANTED'],
    ['for another purpose', {}, { purpose: 'benefit-eligibility' }, 'NDX_PURPOSE_NOT_GRANTED'],
    ['for a purpose in other case', {}, { purpose: 'Social-Insurance-Enrolment' }, 'NDX_PURPOSE_NOT_GRANTED'],
    ['for another procedure', {}, { procedure: '2.000821' }, 'NDX_PROCEDURE_NOT_GRANTED'],
    ['for a field outside', {}, { fields: ['sex', 'ethnicity'] }, 'NDX_FIELD_NOT_GRANTED'],
    ['for a field that nobody knows', {}, { fields: ['__proto__'] }, 'NDX_FIELD_NOT_GRANTED'],
    [
      'of another service',
      { service: 'population/identity-verification' as Grant['service'] },
      {},
      'NDX_SERVICE_NOT_GRANTED',
    ],
  ])('%s', (_, changes, asked, code) => expect(codeOf([changes], asked)).toBe(code))

  test.each<[string[], string | undefined, string]>([
    [['1.002759'], undefined, 'NDX_PROCEDURE_NOT_GRANTED'],
    [[], undefined, 'granted'],
    [[], '2.000821', 'granted'],
    [[], '9.999999', 'NDX_PROCEDURE_NOT_GRANTED'],
  ])('with the procedures %j, asked for %s: %s', (procedures, procedure, code) => {
    const { procedure: _, ...rest } = { ...baseAsk, nowMs: monday }
    const agreement = { client: 'c', grants: [{ ...grant, procedures }] } as unknown as Agreement
    const authorization = authorize({ ...rest, agreement, ...(procedure === undefined ? {} : { procedure }) })
    expect(authorization.decision === 'granted' ? 'granted' : authorization.code).toBe(code)
  })

  test('where the contract lists no procedures, any may be declared', () => {
    const { procedures: _, ...open } = contract
    expect(codeOf([{ procedures: [] }], { contract: open as Contract, procedure: '9.999999' })).toBe('granted')
  })
})

const baseAsk = { contract, purpose: 'social-insurance-enrolment', procedure: '1.002759' }

describe('several grants of one service', () => {
  test('the first that fits is taken, its fields alone', () => {
    const authorization = ask([
      { id: 'a', purposes: ['benefit-eligibility'] },
      { id: 'b', fields: ['sex'] },
      { id: 'c' },
    ])
    expect(authorization).toMatchObject({ decision: 'granted', grant: { id: 'b' }, fields: ['found', 'sex'] })
  })

  test('two are not added up', () => {
    const grants = [
      { id: 'a', fields: ['sex'] },
      { id: 'b', fields: ['fullName'] },
    ]
    expect(codeOf(grants, { fields: ['sex', 'fullName'] })).toBe('NDX_FIELD_NOT_GRANTED')
  })

  test('one that ended does not hide one that holds', () => {
    expect(ask([{ id: 'old', validTo: '2026-06-02' }, { id: 'new' }])).toMatchObject({ grant: { id: 'new' } })
  })

  test('when none fits, the refusal is that of the grant which came furthest', () => {
    const grants = [
      { id: 'ended', validTo: '2026-06-02' },
      { id: 'near', fields: [] },
      { id: 'other', purposes: ['benefit-eligibility'] },
    ]
    expect(ask(grants, { fields: ['sex'] })).toEqual({
      decision: 'refused',
      grant: { ...grant, ...grants[1] },
      code: 'NDX_FIELD_NOT_GRANTED',
      facts: {
        detail: 'Not granted: sex. Granted: .',
        agreement: 'near@3',
        legalBasis: 'Luật',
        remedy: {
          vi: 'Chỉ yêu cầu các trường đã được cấp, hoặc đề nghị bổ sung thoả thuận.',
          en: 'Ask for granted fields only, or have the agreement extended.',
        },
      },
    })
  })
})

test('asked twice, says the same, and changes nothing it was given', () => {
  const agreement = Object.freeze({
    client: 'c',
    grants: Object.freeze([Object.freeze({ ...grant })]),
  }) as unknown as Agreement
  const given = Object.freeze({ ...baseAsk, agreement, nowMs: monday })
  expect(authorize(given)).toEqual(authorize(given))
})
