// The contracts and agreements that come with NDX: what their schemas cannot say but their readers rely on.
import { describe, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const services = registry.services.map(service => [`${service.contract.id} v${service.major}`, service] as const)

test('are these services', () => {
  expect(registry.services.map(({ contract }) => [contract.id, contract.mode])).toEqual([
    ['business-registration/enterprise-record', 'disclose'],
    ['business-registration/representative-verification', 'match'],
    ['civil-status/birth-record', 'disclose'],
    ['civil-status/birth-registration', 'effect'],
    ['civil-status/marriage-status', 'match'],
    ['health/health-summary', 'disclose'],
    ['health/insurance-card-verification', 'match'],
    ['judicial-records/record-certificate', 'disclose'],
    ['labour/benefit-account-verification', 'match'],
    ['labour/benefit-status', 'disclose'],
    ['land/ownership-verification', 'match'],
    ['land/parcel-record', 'disclose'],
    ['population/citizen-record', 'disclose'],
    ['population/identity-verification', 'match'],
    ['population/personal-id-issuance', 'effect'],
    ['population/relative-verification', 'match'],
    ['population/residence-confirmation', 'match'],
    ['public-employees/employment-verification', 'match'],
    ['social-insurance/contribution-history', 'disclose'],
    ['social-insurance/insurance-card-issuance', 'effect'],
    ['social-insurance/insurance-status', 'disclose'],
    ['tax/tax-code', 'disclose'],
    ['tax/tax-obligation', 'disclose'],
  ])
})

test('are the 98 connected bodies, each known by the beginning of its name', () => {
  const clients = [...registry.agreements.keys()]
  const count = (name: RegExp): number => clients.filter(client => name.test(client)).length
  expect([/^ministry-/, /^one-stop-/, /^state-enterprise-/].map(count)).toEqual([18, 63, 4])
  expect(clients).toEqual(
    expect.arrayContaining(['bank', 'public-service-portal', 'social-insurance', 'vneid', 'e-tax']),
  )
  expect(clients.length).toBeGreaterThanOrEqual(98)
  const provinces = [...registry.agreements.values()].filter(({ client }) => client.startsWith('one-stop-'))
  expect(new Set(provinces.map(({ agency }) => agency)).size).toBe(63)
})

describe.each(services)('%s', (_, { contract, checkRequest, checkReply }) => {
  test('has examples that are valid on both sides', () => {
    for (const { request, reply } of contract.examples)
      expect([checkRequest(request), checkReply(reply)]).toEqual([undefined, undefined])
  })

  test('refuses an example with a member more, a member less and a member of another kind', () => {
    for (const { request } of contract.examples) {
      expect(checkRequest({ ...request, more: 1 })).toHaveLength(1)
      for (const name of contract.request['required'] as string[]) {
        const { [name]: _, ...less } = request
        expect(checkRequest(less)).toContainEqual({ pointer: `/${name}`, detail: 'is required' })
        expect(checkRequest({ ...request, [name]: [request[name]!] })).toBeDefined()
      }
    }
    for (const { reply } of contract.examples) expect(checkReply({ ...reply, more: 1 })).toHaveLength(1)
  })

  test('requires its subject, so that every question has one', () => {
    expect(contract.request['required']).toContain(contract.subject)
  })

  test('fits its own limits', () => {
    for (const { request, reply, purpose } of contract.examples) {
      const envelope = { purpose, procedure: '1.002759', officer: 'G24.63-0412', request }
      expect(Buffer.byteLength(JSON.stringify(envelope))).toBeLessThan(contract.limits.requestBytesMax)
      expect(Buffer.byteLength(JSON.stringify(reply))).toBeLessThan(contract.limits.replyBytesMax)
    }
  })

  test('names no living person’s number', () => {
    expect(JSON.stringify(contract.examples)).not.toMatch(/"\d{3}[0-3]\d{8}"/)
  })

  test('has a class for every field, and what discloses a number of a relative is sensitive', () => {
    for (const { name, class: sensitivity } of contract.fields)
      if (/^(father|mother|spouse|legalRepresentative)Id$/.test(name))
        expect([name, sensitivity]).toEqual([name, 'sensitive'])
  })
})

describe.each([...registry.agreements])('the agreement of %s', (_, { grants }) => {
  test('grants sensitive fields of a disclosing service for named procedures only, and with a daily quota; a patient’s health to whoever treats them', () => {
    for (const { service, fields, procedures, quotaPerDay } of grants) {
      if (service === 'health/health-summary') continue
      const { contract } = registry.find(service)!
      const sensitive = contract.fields.filter(field => field.class === 'sensitive').map(field => field.name)
      if (contract.mode !== 'disclose' || (procedures.length > 0 && quotaPerDay !== undefined)) continue
      expect(fields.filter(field => sensitive.includes(field))).toEqual([])
    }
  })

  test('has a daily quota wherever people are asked about, but for an emergency, which waits for no counter', () => {
    for (const { id, service, quotaPerDay, priority } of grants)
      if (registry.find(service)!.contract.subject === 'personalId' && priority !== 'health')
        expect([id, quotaPerDay]).toEqual([id, expect.any(Number)])
  })
})

test('the bank may only match', () => {
  const { grants } = registry.agreements.get('bank' as ClientId)!
  expect(grants.map(({ service, mode, fields }) => [service, mode, fields])).toEqual([
    ['population/identity-verification', 'match', ['matched']],
  ])
})

test('health summaries are for treatment, and for it alone', () => {
  const { contract } = registry.find('health/health-summary')!
  expect(contract.purposes.map(({ code }) => code)).toEqual(['treatment', 'emergency-treatment'])
  const told = ['found', 'fullName', 'dateOfBirth']
  expect(contract.fields.map(field => [field.name, field.class])).toEqual(
    contract.fields.map(({ name }) => [name, told.includes(name) ? 'basic' : 'sensitive']),
  )
  const granted = [...registry.agreements.values()].flatMap(({ client, grants }) =>
    grants.filter(({ service }) => service === contract.id).map(({ priority }) => [client, priority]),
  )
  expect(granted).toEqual([
    ['hospital', 'health'],
    ['hospital', 'health'],
  ])
})
