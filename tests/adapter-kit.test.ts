// A stranger follows “From a template, and checked” of services/README.md in a copy of the project: what `ndx adapter new` writes is
// right at once (lint, types, registry, its own test), the check finds nothing, and the new service answers. And the records that
// the page shows to adapters in other languages are such records.
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type IncomingRecord } from '#bus/bus.ts'
import { readDeadLetter } from '#bus/dead-letter.ts'
import { readReply, readRequest } from '#bus/message.ts'
import { checkNames } from '#conformance/report.ts'
import { type Agreement, type Grant } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { readBlocks, root } from './documents.ts'
import { freePort } from './integration/processes.ts'
import { type Ran, run, start } from './shell.ts'

const copied = [
  ...['contracts', 'runtime', 'bus', 'gateway', 'ledger', 'services', 'conformance', 'nation', 'cli'],
  ...['package.json', 'tsconfig.json', 'biome.json', 'vitest.config.ts', 'docker-compose.yml', '.gitignore'],
]
const blocks = readBlocks('services/README.md')
const blockOf = (marker: string): string => blocks.find(block => block.marker === marker)?.text ?? ''
const folder = mkdtempSync(join(tmpdir(), 'ndx-adapter-kit-'))
const slowMs = 120_000
const written = [
  'contracts/museum/artefact-record.v1.json',
  'services/museum/artefact-record.ts',
  'tests/services/museum/artefact-record.test.ts',
]
let told: Ran

const follow = (marker: string, environment: Record<string, string> = {}): Promise<Ran> =>
  run(blockOf(marker), { cwd: folder, environment, timeoutMs: slowMs })

beforeAll(async () => {
  for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  told = await follow('kit new')
}, slowMs)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('what the template writes', () => {
  test('is three files, which it names', () => {
    expect(told.status, told.stderr).toBe(0)
    expect(told.stdout.split('\n').slice(0, 3)).toEqual(written.map(file => `wrote ${file}`))
    expect(written.filter(file => !existsSync(join(folder, file)))).toEqual([])
  })

  test('is formed as the linter wants it, also under long names', { timeout: slowMs }, async () => {
    const long = `${'a'.repeat(28)}/${'b'.repeat(31)}`
    expect(await run(`npx ndx adapter new ${long}`, { cwd: folder })).toMatchObject({ status: 0 })
    const files = [...written, `contracts/${long}.v1.json`, `services/${long}.ts`, `tests/services/${long}.test.ts`]
    const { status, stdout, stderr } = await run(`biome check ${files.join(' ')}`, { cwd: folder, timeoutMs: slowMs })
    expect(status, `${stdout}${stderr}`).toBe(0)
    for (const path of ['contracts', 'services', 'tests/services'])
      rmSync(join(folder, path, 'a'.repeat(28)), { recursive: true })
  })

  test('passes the type check', { timeout: slowMs }, async () => {
    expect(await run('tsc', { cwd: folder, timeoutMs: slowMs })).toMatchObject({ status: 0, stdout: '' })
  })

  test('passes the registry, and its own test', { timeout: slowMs }, async () => {
    const { status, stdout, stderr } = await follow('kit test')
    expect(status, `${stdout}${stderr}`).toBe(0)
    expect(stripVTControlCharacters(stdout)).toMatch(/Tests +3 passed/)
  })

  test('is not overwritten', async () => {
    const [contract = ''] = written
    writeFileSync(join(folder, contract), `${readFileSync(join(folder, contract), 'utf8')}\n`)
    const before = readFileSync(join(folder, contract), 'utf8')
    const again = await follow('kit new')
    expect([again.status, again.stdout]).toEqual([1, ''])
    expect(again.stderr).toContain(`${written.join(', ')}: there already; nothing was written.`)
    expect(readFileSync(join(folder, contract), 'utf8')).toBe(before)
  })
})

test('the check says what the page shows', { timeout: slowMs }, async () => {
  const { status, stdout, stderr } = await follow('kit check')
  expect(status, `${stdout}${stderr}`).toBe(0)
  const rowsOf = (table: string): string[][] =>
    table
      .trimEnd()
      .split('\n')
      .map(line => line.split(/ {2,}/))
  /** Times and numbers of records differ. */
  const shape = (table: string) => rowsOf(table).map(row => row.map(cell => cell.replaceAll(/\d+/g, '#')))
  expect(shape(stdout)).toEqual(shape(blockOf('kit table')))
  expect(
    rowsOf(stdout)
      .slice(1)
      .map(([check]) => check),
  ).toEqual([...checkNames])
})

test('with what it told to add, the new service answers what was granted', { timeout: slowMs }, async () => {
  const [grant] = /\{\n {6}"id": "museum-artefact-record",[\s\S]*?\n {4}\}/.exec(told.stdout) ?? []
  const path = join(folder, 'contracts/agreements/public-service-portal.json')
  const agreement = JSON.parse(readFileSync(path, 'utf8')) as Agreement
  agreement.grants.push(JSON.parse(grant ?? '{}') as Grant)
  writeFileSync(path, JSON.stringify(agreement, null, 2))
  const [port, operationsPort, ledgerPort] = await Promise.all([freePort(), freePort(), freePort()])
  const environment = {
    NDX_PORT: String(port),
    NDX_OPERATIONS_PORT: String(operationsPort),
    NDX_LEDGER_PORT: String(ledgerPort),
    NDX_URL: `http://127.0.0.1:${port}`,
    NDX_EVENT_LOOP_DELAY_MAX_MS: '60000',
  }
  const isUp = (printed: string): boolean => printed.includes('curl')
  const exchange = await start('npm start', isUp, { cwd: folder, environment, timeoutMs: slowMs })
  try {
    const { stdout, stderr } = await follow('kit ask', environment)
    expect(JSON.parse(stdout || '{}'), stderr).toMatchObject({ outcome: 'answered' })
    expect((JSON.parse(stdout) as JsonObject)['reply']).toEqual({ found: true, status: 'valid' })
  } finally {
    await exchange.stop()
  }
})

test('the compose entry that it told runs it like the others', () => {
  const [entry] = / {2}adapter-museum:\n {4}<<: \*adapter\n.*\n/.exec(told.stdout) ?? []
  const path = join(folder, 'docker-compose.yml')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^services:\n/m, `services:\n${entry}`))
  appendFileSync(path, '\n')
  const { services } = parse(readFileSync(path, 'utf8'), { merge: true }) as {
    services: Record<string, Record<string, unknown>>
  }
  const [own, other] = [services['adapter-museum'], services['adapter-business-registration']]
  expect(own).toEqual({ ...other, command: ['node', 'services/main.ts', 'museum'] })
})

describe('the records that the page shows', () => {
  const recordOf = (marker: string): IncomingRecord => {
    const { headers, value } = JSON.parse(blockOf(marker)) as { headers: Record<string, string>; value: object }
    const place = { topic: '-', partition: 0, offset: '0', timestampMs: 0, key: null }
    return { ...place, headers, value: Buffer.from(JSON.stringify(value)) }
  }

  test('are a request and its reply', () => {
    const request = readRequest(recordOf('wire request'))
    const reply = readReply(recordOf('wire reply'))
    expect(request).toMatchObject({ replyPartition: 3, fields: ['found', 'kind'], client: 'land-office' })
    expect(reply).toMatchObject({
      outcome: 'answered',
      exchangeId: request.exchangeId,
      traceparent: request.traceparent,
    })
    expect(reply.type).toBe(request.type.replace('request', 'reply'))
    expect(Object.keys(reply.data ?? {})).toEqual(request.fields)
  })

  test('and a dead letter', () => {
    const letter = readDeadLetter(recordOf('wire letter'))
    expect(letter).toMatchObject({ id: 'notary-3-1234', code: 'REQUEST_UNREADABLE' })
  })
})
