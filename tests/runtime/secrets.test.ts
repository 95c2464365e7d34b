// Secrets: made once, readable by their owner alone, whole or not there; public parts hold nothing private.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ClientId } from '#contracts/contract.ts'
import {
  makeSecrets,
  publicPartOf,
  readCallbackSecret,
  readClientKeys,
  readClientPrivateKey,
  readSecrets,
} from '#runtime/secrets.ts'

const simulatedClients = ['bank', 'social-insurance'] as ClientId[]
const clients = { simulatedClients, callbackClients: [] as ClientId[] }
let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'ndx-secrets-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const all = [
  'secrets/issuer-key.json',
  'secrets/pseudonym-keys/202611',
  'secrets/pseudonym-keys/202612',
  'secrets/index-key',
  'clients/bank.callback-secret',
  'clients/bank.private.json',
  'clients/bank.public.json',
  'clients/social-insurance.callback-secret',
  'clients/social-insurance.private.json',
  'clients/social-insurance.public.json',
]
const inNovember = Date.UTC(2026, 10, 15)
const contents = (): string[] => all.map(file => readFileSync(join(dataDir, file), 'utf8'))

test('are made at the first start and left alone at the next', () => {
  expect(makeSecrets(dataDir, clients, inNovember)).toEqual(all)
  const first = contents()
  expect(makeSecrets(dataDir, clients, inNovember)).toEqual([])
  expect(contents()).toEqual(first)
})

test('that are missing are made beside those that are there', () => {
  makeSecrets(dataDir, clients, inNovember)
  const kept = readFileSync(join(dataDir, 'secrets/issuer-key.json'), 'utf8')
  rmSync(join(dataDir, 'secrets/pseudonym-keys/202611'))
  rmSync(join(dataDir, 'clients/bank.public.json'))
  const more = { ...clients, simulatedClients: [...simulatedClients, 'new' as ClientId] }
  expect(makeSecrets(dataDir, more, inNovember)).toEqual([
    'secrets/pseudonym-keys/202611',
    'clients/bank.public.json',
    'clients/new.callback-secret',
    'clients/new.private.json',
    'clients/new.public.json',
  ])
  expect(readFileSync(join(dataDir, 'secrets/issuer-key.json'), 'utf8')).toBe(kept)
  expect(readClientKeys(dataDir).get('bank' as ClientId)).toEqual(publicPartOf(readClientPrivateKey(dataDir, 'bank')))
})

test('are made for a client with a key of its own too, when it is called back', () => {
  const museum = 'museum' as ClientId
  const callbackClients = ['bank' as ClientId, museum]
  makeSecrets(dataDir, clients, inNovember)
  expect(makeSecrets(dataDir, { ...clients, callbackClients }, inNovember)).toEqual(['clients/museum.callback-secret'])
  expect(readCallbackSecret(dataDir, museum)).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(statSync(join(dataDir, 'clients/museum.callback-secret')).mode & 0o777).toBe(0o600)
})

test('are their owner’s alone', () => {
  makeSecrets(dataDir, clients, inNovember)
  const modeOf = (file: string): string => (statSync(join(dataDir, file)).mode & 0o777).toString(8)
  expect(all.map(file => [file, modeOf(file)])).toEqual(
    all.map(file => [file, file.endsWith('.public.json') ? '644' : '600']),
  )
  const folders = ['secrets', 'secrets/pseudonym-keys', 'clients']
  expect(folders.map(modeOf)).toEqual(['700', '700', '700'])
})

test('leave no half of a file behind, nor trip over one that is there', () => {
  makeSecrets(dataDir, clients, inNovember)
  rmSync(join(dataDir, 'secrets/issuer-key.json'))
  writeFileSync(join(dataDir, `secrets/issuer-key.json.${process.pid}.tmp`), '{"half')
  expect(makeSecrets(dataDir, clients, inNovember)).toEqual(['secrets/issuer-key.json'])
  expect(readdirSync(join(dataDir, 'clients')).filter(name => name.endsWith('.tmp'))).toEqual([])
  expect(readSecrets(dataDir).issuerKey.type).toBe('private')
})

test('are two of a kind nowhere', () => {
  makeSecrets(dataDir, clients, inNovember)
  expect(new Set(contents()).size).toBe(all.length)
  const { pseudonymKeys, indexKey } = readSecrets(dataDir)
  expect([...pseudonymKeys.keys()]).toEqual(['202611', '202612'])
  expect(pseudonymKeys.get('202611')).toHaveLength(32)
  expect(indexKey).toHaveLength(32)
})

test('show in public only what is public', () => {
  makeSecrets(dataDir, clients, inNovember)
  for (const [client, jwk] of readClientKeys(dataDir)) {
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    const pair = createPublicKey(createPrivateKey({ key: readClientPrivateKey(dataDir, client), format: 'jwk' }))
    expect(pair.equals(createPublicKey({ key: jwk, format: 'jwk' }))).toBe(true)
  }
})

test('that are not there are asked for with what to do', () => {
  expect(() => readSecrets(dataDir)).toThrow(/issuer-key\.json; `npx ndx secrets` makes what is missing$/)
  expect(readClientKeys(dataDir)).toEqual(new Map())
  makeSecrets(dataDir, clients, inNovember)
  rmSync(join(dataDir, 'secrets/pseudonym-keys'), { recursive: true })
  expect(() => readSecrets(dataDir)).toThrow(/pseudonym-keys; `npx ndx secrets` makes what is missing$/)
})
