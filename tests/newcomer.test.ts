// A newcomer adds a service with an adapter by following services/README.md to the letter, in a copy of the project:
// a contract, a handler, a grant, a compose entry. Nothing else is touched, and it answers.
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Agreement, type Grant } from '#contracts/contract.ts'
import { type Block, readBlocks, root } from './documents.ts'
import { freePort } from './integration/processes.ts'
import { run, start } from './shell.ts'

const copied = [
  'contracts',
  'runtime',
  'bus',
  'gateway',
  'ledger',
  'services',
  'conformance',
  'nation',
  'cli',
  'package.json',
  'tsconfig.json',
  'docker-compose.yml',
]
const blocks = readBlocks('services/README.md')
const folder = mkdtempSync(join(tmpdir(), 'ndx-newcomer-'))
let environment: Record<string, string>

beforeAll(async () => {
  for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const [port, operationsPort, ledgerPort] = await Promise.all([freePort(), freePort(), freePort()])
  environment = {
    NDX_PORT: String(port),
    NDX_OPERATIONS_PORT: String(operationsPort),
    NDX_LEDGER_PORT: String(ledgerPort),
    // Test files run side by side: an exchange held up by the others does not shed.
    NDX_EVENT_LOOP_DELAY_MAX_MS: '60000',
    NDX_URL: `http://127.0.0.1:${port}`,
  }
  for (const { marker, text } of blocks.filter(isFile)) {
    const path = join(folder, (marker as string).slice('file: '.length))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  addGrant()
  addComposeEntry()
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the handler passes the type check', async () => {
  expect(await run('tsc', { cwd: folder })).toMatchObject({ status: 0, stdout: '' })
})

test('the new service answers, granted fields only', async () => {
  const exchange = await start('npm start', printed => printed.includes('curl'), { cwd: folder, environment })
  try {
    const { stdout, stderr } = await run(textOf('ask'), { cwd: folder, environment })
    expect(JSON.parse(stdout), stderr).toMatchObject({
      service: 'library/publication-record',
      outcome: 'answered',
      reply: { found: true, pages: 345 },
    })
    expect(stdout).not.toContain('book')
  } finally {
    await exchange.stop()
  }
})

test('the compose entry runs it like the others', () => {
  const { services } = parse(readFileSync(join(folder, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    services: Record<string, Record<string, unknown>>
  }
  expect({ ...services['adapter-library'], command: null }).toEqual({
    ...services['adapter-business-registration'],
    command: null,
  })
  expect(services['adapter-library']?.['command']).toEqual(['node', 'services/main.ts', 'library'])
})

function isFile({ marker }: Block): boolean {
  return marker?.startsWith('file: ') === true
}

const textOf = (marker: string): string => blocks.find(block => block.marker?.startsWith(marker))?.text ?? ''

function addGrant(): void {
  const path = join(folder, 'contracts/agreements/public-service-portal.json')
  const agreement = JSON.parse(readFileSync(path, 'utf8')) as Agreement
  agreement.grants.push(JSON.parse(textOf('grant: ')) as Grant)
  writeFileSync(path, JSON.stringify(agreement, null, 2))
}

/** Into the section `services:`, right after its line. */
function addComposeEntry(): void {
  const path = join(folder, 'docker-compose.yml')
  const compose = readFileSync(path, 'utf8')
  writeFileSync(path, compose.replace(/^services:\n/m, `services:\n${textOf('compose')}`))
  appendFileSync(path, '\n')
}
