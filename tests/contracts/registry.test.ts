// The registry names every fault of a folder at once, and freezes what it loads. Each broken file below is wrong in one way.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Agreement, type Contract } from '#contracts/contract.ts'
import { canonicalJson, loadRegistry, RegistryError } from '#contracts/registry.ts'
import { copyOwnContracts } from '#tests/contract-files.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ndx-registry-'))
  mkdirSync(join(directory, 'agreements'))
  mkdirSync(join(directory, 'weather'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const bilingual = { vi: 'Dự báo', en: 'Forecast' }
const contractOf = (name: string, changes: object = {}): Contract =>
  ({
    id: `weather/${name}`,
    version: '1.0.0',
    title: bilingual,
    description: bilingual,
    provider: 'G01',
    legalBasis: 'Luật',
    mode: 'disclose',
    purposes: [{ code: 'planning', title: bilingual }],
    procedures: [{ code: '1.000001', title: bilingual }],
    subject: 'place',
    request: objectOf({ place: { type: 'string', minLength: 1, maxLength: 20 } }, ['place']),
    reply: objectOf({ rain: { type: 'boolean' }, wind: { type: 'integer' } }, ['rain']),
    fields: [
      { name: 'rain', class: 'basic', always: true, title: bilingual },
      { name: 'wind', class: 'basic', title: bilingual },
    ],
    deadlineMs: 1000,
    maxWaitMs: 1000,
    limits: { requestBytesMax: 1024, replyBytesMax: 1024 },
    errors: [],
    examples: [{ title: 'Rain', purpose: 'planning', request: { place: 'Huế' }, reply: { rain: true } }],
    ...changes,
  }) as unknown as Contract

const objectOf = (properties: object, required: string[] = []): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
})

const grant = {
  id: 'g1',
  version: 1,
  service: 'weather/forecast',
  mode: 'disclose',
  purposes: ['planning'],
  procedures: [],
  fields: ['rain'],
  legalBasis: 'Luật',
  validFrom: '2026-01-01',
  validTo: '2027-01-01',
  ratePerSecond: 1,
  burst: 1,
}
const agreementOf = (client: string, grants: object[]): Agreement =>
  ({ client, agency: 'G24', name: bilingual, kind: 'state-agency', keys: [], grants }) as unknown as Agreement

function write(file: string, content: unknown): void {
  mkdirSync(dirname(join(directory, file)), { recursive: true })
  writeFileSync(join(directory, file), typeof content === 'string' ? content : JSON.stringify(content))
}
const load = () => loadRegistry({ directory, idScheme: 'simulated' })
const faultsOf = (): readonly string[] => {
  try {
    load()
  } catch (error) {
    if (error instanceof RegistryError) return error.faults
    throw error
  }
  return []
}

const brokenContracts: Record<string, [object | string, string[]]> = {
  'no-json': ['{', ['the body is not JSON at character 1']],
  twice: ['{"id":1,"id":2}', ['an object names a member twice']],
  'other-name': [contractOf('renamed'), ['is not the file of weather/renamed 1.0.0']],
  'other-major': [contractOf('other-major', { version: '2.0.0' }), ['is not the file of weather/other-major 2.0.0']],
  'extra-member': [
    contractOf('extra-member', { colour: 'red' }),
    [
      '/ has a member that the contract does not know; it knows $schema, id, version, title, description, provider, legalBasis, mode, purposes, procedures, subject, request, reply, fields, deadlineMs, maxWaitMs, limits, errors, examples, sunset',
    ],
  ],
  'no-provider': [contractOf('no-provider', { provider: undefined }), ['/provider is required']],
  'no-subject': [contractOf('no-subject', { subject: 'person' }), ['subject person is not a member of the request']],
  'short-wait': [contractOf('short-wait', { maxWaitMs: 999 }), ['maxWaitMs is shorter than deadlineMs']],
  'fields-differ': [
    contractOf('fields-differ', { fields: [{ name: 'rain', class: 'basic', always: true, title: bilingual }] }),
    ['fields and the members of the reply differ'],
  ],
  'required-field': [
    contractOf('required-field', {
      fields: [
        { name: 'rain', class: 'basic', title: bilingual },
        { name: 'wind', class: 'basic', title: bilingual },
      ],
    }),
    ['the reply requires a field that a grant may leave out'],
  ],
  unbounded: [
    contractOf('unbounded', { request: objectOf({ place: { type: 'string' } }) }),
    ['/request/properties/place: a string without maxLength'],
  ],
  open: [
    contractOf('open', { request: { type: 'object', properties: { place: { type: 'string', maxLength: 20 } } } }),
    ['/request: an object that is not closed'],
  ],
  insecure: [
    contractOf('insecure', { request: objectOf({ place: { maxLength: 20, pattern: '^(a+)+$' } }) }),
    ['request: strict mode: missing type "string" for keyword "maxLength" at "#/properties/place" (strictTypes)'],
  ],
  'bad-schema': [
    contractOf('bad-schema', { reply: objectOf({ rain: { type: 'boolean' }, wind: { type: 'wind' } }) }),
    ['reply: schema is invalid'],
  ],
  'bad-purpose': [
    contractOf('bad-purpose', {
      examples: [{ title: 'Rain', purpose: 'spying', request: { place: 'x' }, reply: { rain: true } }],
    }),
    ['example “Rain” has an unknown purpose'],
  ],
  'bad-procedure': [
    contractOf('bad-procedure', {
      examples: [
        { title: 'Rain', purpose: 'planning', procedure: '9.999999', request: { place: 'x' }, reply: { rain: true } },
      ],
    }),
    ['example “Rain” has an unknown procedure'],
  ],
  'bad-example': [
    contractOf('bad-example', {
      examples: [{ title: 'Rain', purpose: 'planning', request: {}, reply: { rain: 'yes' } }],
    }),
    ['/examples/0/request/place is required', '/examples/0/reply/rain must be boolean'],
  ],
}

const brokenAgreements: Record<string, [object | string, string[]]> = {
  renamed: [agreementOf('other', [grant]), ['is not the file of other']],
  same: [agreementOf('same', [grant, grant]), ['two grants have one id']],
  nothing: [agreementOf('nothing', []), ['/grants must NOT have fewer than 1 items']],
  unknown: [
    agreementOf('unknown', [{ ...grant, service: 'weather/past' }]),
    ['g1 grants weather/past, of which there is no valid contract'],
  ],
  mode: [agreementOf('mode', [{ ...grant, mode: 'match' }]), ['g1 grants match, but weather/forecast is disclose']],
  dates: [agreementOf('dates', [{ ...grant, validFrom: '2027-01-01' }]), ['g1 ends before it begins']],
  'no-date': [
    agreementOf('no-date', [{ ...grant, validTo: '2027-02-29' }]),
    ['/grants/0/validTo must match format "date"'],
  ],
  purpose: [
    agreementOf('purpose', [{ ...grant, purposes: ['spying'] }]),
    ['g1 grants the purpose spying, unknown to weather/forecast'],
  ],
  procedure: [
    agreementOf('procedure', [{ ...grant, procedures: ['9.999999'] }]),
    ['g1 grants the procedure 9.999999, unknown to weather/forecast'],
  ],
  field: [agreementOf('field', [{ ...grant, fields: ['*'] }]), ['g1 grants the field *, unknown to weather/forecast']],
  hours: [
    agreementOf('hours', [{ ...grant, hours: { from: '25:00', to: '26:00' } }]),
    [
      '/grants/0/hours/from must match pattern "^([01][0-9]|2[0-3]):[0-5][0-9]$"',
      '/grants/0/hours/to must match pattern "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"',
    ],
  ],
  rate: [agreementOf('rate', [{ ...grant, ratePerSecond: 0 }]), ['/grants/0/ratePerSecond must be > 0']],
}

describe('a folder of broken files', () => {
  test('is refused with every fault of every file at once', () => {
    write('weather/forecast.v1.json', contractOf('forecast'))
    for (const [name, [content]] of Object.entries(brokenContracts)) write(`weather/${name}.v1.json`, content)
    for (const [name, [content]] of Object.entries(brokenAgreements)) write(`agreements/${name}.json`, content)
    const faults = faultsOf()
    for (const [file, wanted] of [
      ...Object.entries(brokenContracts).map(([name, [, wanted]]) => [`weather/${name}.v1.json`, wanted] as const),
      ...Object.entries(brokenAgreements).map(([name, [, wanted]]) => [`agreements/${name}.json`, wanted] as const),
    ])
      for (const fault of wanted)
        expect(
          faults.some(found => found.startsWith(`${file}: ${fault}`)),
          `${file}: ${fault}`,
        ).toBe(true)
    const broken = Object.keys({ ...brokenContracts, ...brokenAgreements }).length
    expect(new Set(faults.map(fault => fault.split(':')[0])).size).toBe(broken)
    expect(() => load()).toThrow(`contracts: ${faults.length} fault(s)\n  `)
  })

  test.each(Object.entries(brokenContracts))('is refused for the contract %s alone', (name, [content, wanted]) => {
    write(`weather/${name}.v1.json`, content)
    expect(faultsOf().length).toBeGreaterThanOrEqual(wanted.length)
  })
})

describe('a good folder', () => {
  test('is read whole, the newest major first in mind', () => {
    write('weather/forecast.v1.json', contractOf('forecast'))
    write('weather/forecast.v2.json', contractOf('forecast', { version: '2.1.0' }))
    write('weather/forecast.v10.json', contractOf('forecast', { version: '10.0.0' }))
    write('agreements/farm.json', agreementOf('farm', [grant]))
    const registry = load()
    expect(registry.services.map(({ contract, major }) => [contract.id, major])).toEqual([
      ['weather/forecast', 1],
      ['weather/forecast', 2],
      ['weather/forecast', 10],
    ])
    expect(registry.find('weather/forecast')?.major).toBe(10)
    expect(registry.find('weather/forecast', 2)?.contract.version).toBe('2.1.0')
    expect(registry.find('weather/forecast', 3)).toBeUndefined()
    expect(registry.find('__proto__')).toBeUndefined()
    expect(registry.findByRequestType('ndx.request.weather.forecast.v2')?.replyType).toBe(
      'ndx.reply.weather.forecast.v2',
    )
    expect([...registry.agreements.keys()]).toEqual(['farm'])
    expect(registry.providers).toEqual(['weather'])
  })

  test('may group its agreements in folders, each client in one', () => {
    write('weather/forecast.v1.json', contractOf('forecast'))
    write('agreements/farm.json', agreementOf('farm', [grant]))
    write('agreements/harbours/north.json', agreementOf('north', [grant]))
    write('agreements/airports/south.json', agreementOf('south', [grant]))
    const registry = load()
    expect([...registry.agreements.keys()]).toEqual(['farm', 'south', 'north'])
    expect(registry.simulatedClients).toEqual(['farm', 'south', 'north'])
    write('agreements/harbours/farm.json', agreementOf('farm', [grant]))
    write('agreements/airports/east.json', agreementOf('west', [grant]))
    expect(faultsOf()).toEqual([
      'agreements/airports/east.json: is not the file of west',
      'agreements/harbours/farm.json: farm has an agreement in agreements/farm.json already',
    ])
  })

  test('is frozen', () => {
    write('weather/forecast.v1.json', contractOf('forecast'))
    write('agreements/farm.json', agreementOf('farm', [grant]))
    const { services, agreements } = load()
    const change = (target: object, name: string): void => {
      Object.assign(target, { [name]: 'changed' })
    }
    const [service] = services
    const [farm] = agreements.values()
    for (const target of [
      services,
      service!,
      service!.contract,
      service!.contract.limits,
      service!.contract.request,
      farm!,
      farm!.grants[0]!,
    ])
      expect(() => change(target, 'mode')).toThrow(TypeError)
  })

  test('has a hash that names its text and not its spelling', () => {
    const contract = contractOf('forecast')
    write('weather/forecast.v1.json', contract)
    const { hash } = load().services[0]!
    expect(hash).toMatch(/^[\w-]{22}$/)
    write('weather/forecast.v1.json', JSON.stringify(Object.fromEntries(Object.entries(contract).reverse()), null, 4))
    expect(load().services[0]!.hash).toBe(hash)
    write('weather/forecast.v1.json', { ...contract, legalBasis: 'Luật khác' })
    expect(load().services[0]!.hash).not.toBe(hash)
  })
})

test('canonical JSON sorts names and leaves out white space', () => {
  expect(canonicalJson({ b: [{ d: 1, c: 'x' }], a: null })).toBe('{"a":null,"b":[{"c":"x","d":1}]}')
})

test('the contracts that come with NDX load under a copy of their own folder', () => {
  copyOwnContracts(join(directory, 'own'), { hasGroups: true })
  const copied = loadRegistry({ directory: join(directory, 'own'), idScheme: 'simulated' })
  const own = loadRegistry({ idScheme: 'simulated' })
  expect(copied.services.map(({ hash }) => hash)).toEqual(own.services.map(({ hash }) => hash))
})
