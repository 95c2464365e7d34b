// README's commands run as printed, and its JSON is what the exchange answers. Not run here: `npm ci` and the test commands (they are
// what runs this test) and docker compose (its own test in tests/integration/).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { ask, getToken } from './client.ts'
import { exampleIn, readBlocks, root } from './documents.ts'
import { freePort } from './integration/processes.ts'
import { run, start } from './shell.ts'

const printedUrl = 'http://127.0.0.1:8080'
const blocks = readBlocks('README.md')
const dataDir = mkdtempSync(join(tmpdir(), 'ndx-readme-'))
let url: string
let environment: Record<string, string>
let exchange: Awaited<ReturnType<typeof start>>

beforeAll(async () => {
  const [port, operationsPort, ledgerPort] = await Promise.all([freePort(), freePort(), freePort()])
  url = `http://127.0.0.1:${port}`
  environment = {
    NDX_PORT: String(port),
    NDX_OPERATIONS_PORT: String(operationsPort),
    NDX_LEDGER_PORT: String(ledgerPort),
    NDX_DATA_DIR: dataDir,
    // Test files run side by side: an exchange held up by the others does not shed.
    NDX_EVENT_LOOP_DELAY_MAX_MS: '60000',
    NDX_URL: url,
    NDX_OPERATIONS_URL: `http://127.0.0.1:${operationsPort}`,
    NDX_LEDGER_URL: `http://127.0.0.1:${ledgerPort}`,
  }
  exchange = await start('npm start', printed => printed.includes('curl'), { environment })
}, 60_000)

afterAll(async () => {
  await exchange?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const commands = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text.trim())
const isElsewhere = (command: string): boolean => command.startsWith('npm ci &&') || command.includes('docker compose')

test.each(commands.filter(command => !isElsewhere(command)))('runs as printed: %s', async command => {
  const ran = await run(command.replaceAll(printedUrl, url), { environment })
  expect(ran, ran.stderr).toMatchObject({ status: 0 })
})

test('asks every system of the platform as its table says', async () => {
  const [, section = ''] = readFileSync(join(root, 'README.md'), 'utf8').split('## The platform in the small')
  const asked = [...(section.split('\n## ')[0] ?? '').matchAll(/`(npx ndx ask [^`]+)`/g)].map(
    ([, command = '']) => command,
  )
  const { services } = loadRegistry({ idScheme: 'simulated' })
  const providers = new Set(services.map(({ providerId }) => providerId))
  expect(new Set(asked.map(command => command.split(' ')[4]?.split('/')[0]))).toEqual(providers)
  for (const command of asked) {
    // What npx does the blocks above show.
    const ran = await run(command.replace(/^npx ndx /, 'node cli/ndx.ts '), { environment })
    expect([command, ran.status], ran.stderr).toEqual([command, 0])
  }
}, 240_000)

test('shows the very answer of its curl', async () => {
  const curl = commands.find(command => command.startsWith('curl')) as string
  const { stdout } = await run(curl.replaceAll(printedUrl, url), { environment })
  expect(withoutId(JSON.parse(stdout))).toEqual(withoutId(exampleIn(blocks, '"outcome": "answered"')))
})

test('shows the very refusal of another purpose', async () => {
  const token = await getToken({ url, dataDir, client: 'social-insurance' })
  const { body } = await ask(url, token, 'population/citizen-record', {
    purpose: 'benefit-eligibility',
    procedure: '1.002759',
    request: { personalId: '026701599619' },
  })
  expect(withoutId(body)).toEqual(withoutId(exampleIn(blocks, 'NDX_PURPOSE_NOT_GRANTED')))
})

test('shows how an exchange nobody waited for stands in the end', async () => {
  const curl = commands.find(command => command.startsWith('curl -si')) as string
  const another = curl.replaceAll(printedUrl, url).replaceAll('2026-0000123', '2026-0000124')
  const { stdout } = await run(another, { environment })
  expect(stdout).toMatch(/^HTTP\/1.1 202 /)
  const location = /^location: (\S+)\r$/m.exec(stdout)?.[1]
  const token = await getToken({ url, dataDir, client: 'public-service-portal' })
  const headers = { authorization: `Bearer ${token}`, prefer: 'wait=30' }
  const told = (await (await fetch(`${url}${location}`, { headers })).json()) as JsonObject
  const shown = exampleIn(blocks, '"deferred": true')
  expect(Object.keys(told)).toEqual(Object.keys(shown))
  for (const name of ['service', 'outcome', 'deferred']) expect(told[name]).toEqual(shown[name])
  const daysOf = ({ acceptedAt, deadline }: JsonObject): number =>
    (Date.parse(String(deadline)) - Date.parse(String(acceptedAt))) / 86_400_000
  expect(daysOf(told)).toBe(daysOf(shown))
  expect(Object.keys(told['reply'] as JsonObject)).toEqual(Object.keys(shown['reply'] as JsonObject))
})

const withoutId = ({ exchangeId: _, ...rest }: JsonObject): JsonObject => rest
