// The contracts and agreements that come with NDX: what their schemas cannot say but their readers rely on.
import { describe, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'

const registry = loadRegistry({ idScheme: 'simulated' })
const services = registry.services.map(service => [`${service.contract.id} v${service.major}`, service] as const)

test('are these services and these clients', () => {
  expect(registry.services.map(({ contract }) => [contract.id, contract.mode])).toEqual([
    ['business-registration/enterprise-record', 'disclose'],
    ['health/health-summary', 'disclose'],
    ['health/insurance-card-verification', 'match'],
    ['labour/benefit-account-verification', 'match'],
    ['labour/benefit-status', 'disclose'],
    ['population/citizen-record', 'disclose'],
    ['population/identity-verification', 'match'],
    ['population/personal-id-issuance', 'effect'],
    ['social-insurance/contribution-history', 'disclose'],
    ['social-insurance/insurance-status', 'disclose'],
  ])
  expect([...registry.agreements.keys()].sort()).toEqual([
    'bank',
    'hospital',
    'public-service-portal',
    'social-insurance',
  ])
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
  test('grants no sensitive field of a disclosing service, but a patient’s health to whoever treats them', () => {
    for (const { service, fields } of grants) {
      if (service === 'health/health-summary') continue
      const { contract } = registry.find(service)!
      const sensitive = contract.fields.filter(field => field.class === 'sensitive').map(field => field.name)
      if (contract.mode === 'disclose') expect(fields.filter(field => sensitive.includes(field))).toEqual([])
    }
  })

  test('has a daily quota wherever people are asked about', () => {
    for (const { id, service, quotaPerDay } of grants)
      if (service.startsWith('population/')) expect([id, quotaPerDay]).toEqual([id, expect.any(Number)])
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
