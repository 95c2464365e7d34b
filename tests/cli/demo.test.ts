// The tour, against an exchange that `ndx start` runs: what it tells, that its checks can fail, and what it says of things that it
// cannot see. The portal's callback address is on a port of this test's own.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Agreement } from '#contracts/contract.ts'
import { makeNoteKey } from '#ledger/notes/keys.ts'
import { copyOwnContracts } from '#tests/contract-files.ts'
import { freePort } from '#tests/integration/processes.ts'
import { type Environment, type Exchange, makeFolder, ndx, startExchange } from './ndx.ts'

const patient = { timeout: 120_000 }
const folder = makeFolder()
let callbackPort: number
let exchange: Exchange
let environment: Environment

beforeAll(async () => {
  callbackPort = await freePort()
  const contracts = { NDX_CONTRACTS_DIR: copyContracts(`http://127.0.0.1:${callbackPort}/told`) }
  exchange = await startExchange(contracts)
  environment = { ...exchange.environment, ...contracts }
}, 60_000)
afterAll(async () => {
  await exchange?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function copyContracts(callbackUrl: string): string {
  const directory = join(folder, 'contracts')
  copyOwnContracts(directory)
  const file = join(directory, 'agreements/public-service-portal.json')
  const agreement = JSON.parse(readFileSync(file, 'utf8')) as Agreement
  writeFileSync(file, JSON.stringify({ ...agreement, callback: { url: callbackUrl } }))
  return directory
}

async function listen(answer: Parameters<typeof createServer>[1], port = 0): Promise<Server & { url: string }> {
  const server = createServer(answer)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

test('passes twice in a row and names nobody in the log', patient, async () => {
  for (const _ of ['first', 'second']) {
    const { status, stdout, stderr } = await ndx(['demo'], environment)
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' })
    expect(stdout).not.toContain('NOT SO')
    expect(stdout.endsWith('\nAll 13 steps went as told.\n')).toBe(true)
    expect(stdout).toContain('answered: {"matched":true}')
    expect(stdout).toContain('kept back:        personalId, nationality, ethnicity')
    expect(stdout).toMatch(/Retry-After: \d+ s/)
    expect(stdout).toMatch(/callback: \{"type":"exchange.settled",.*"outcome":"answered"/)
    expect(stdout).toMatch(/gateway B: .* \{"matched":true\} in \d+ ms/)
    expect(stdout).toMatch(/"subject":"\w+\.[\w-]{22}"/)
    expect(stdout).toMatch(/accepted \(entry \d+\), answered \(entry \d+\)/)
    expect(stdout).toMatch(/entry \d+ is not what its hash says/)
  }
})

test('says what is not as told, with status 1', patient, async () => {
  const { status, stdout, stderr } = await ndx(['demo'], { ...environment, NDX_NATION_SEED: '9' })
  expect(status).toBe(1)
  expect(stdout).toContain('NOT SO: the reply is {"matched":true} and nothing else')
  expect(stderr).toContain('step 2: the reply is {"matched":true} and nothing else')
  expect(stderr).toContain('NDX_NATION_SEED')
})

test('without an exchange says what to run, before the tour', patient, async () => {
  const { status, stdout, stderr } = await ndx(['demo', '--url', `http://127.0.0.1:${await freePort()}`])
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain('Run `npm start`')
})

test('a taken callback port and a ledger that is not there are said, and not counted', patient, async () => {
  const taken = await listen((_, response) => response.writeHead(500).end(), callbackPort)
  try {
    const silent = `http://127.0.0.1:${await freePort()}`
    const { status, stdout } = await ndx(['demo', '--ledger', silent], environment)
    expect(status, stdout).toBe(0)
    expect(stdout).toContain(
      `callback: not looked for: nothing can listen at ${`http://127.0.0.1:${callbackPort}/told`} (EADDRINUSE)`,
    )
    expect(stdout).toContain(`No ledger answers at ${silent}; name it with --ledger or NDX_LEDGER_URL.`)
    expect(stdout).toContain('All 13 steps went as told. What could not be seen from here is said in step 9 and 13.')
  } finally {
    taken.closeAllConnections()
    taken.close()
  }
})

test('another log’s key is said, and where to get the right one', patient, async () => {
  makeNoteKey(join(folder, 'other-key'), 'ndx.example/ledger')
  const { status, stdout } = await ndx(['demo', '--key', join(folder, 'other-key.pub')], environment)
  expect(status, stdout).toBe(0)
  expect(stdout).toContain(`The ledger at ${exchange.ledgerUrl} has another key than --key.\n   Copy its log-key.pub`)
})

test('a ledger that alters an event is found out, with status 1', patient, async () => {
  const liar = await listen(async (request, response) => {
    const told = await fetch(`${exchange.ledgerUrl}${request.url}`)
    const text = await told.text()
    const isReceipt = request.url?.startsWith('/v1/audit/proof/inclusion') === true
    response
      .writeHead(told.status)
      .end(isReceipt ? text.replace('"client":"social-insurance"', '"client":"bank"') : text)
  })
  try {
    const { status, stderr } = await ndx(['demo', '--ledger', liar.url], environment)
    expect(status).toBe(1)
    expect(stderr).toContain('step 13: the receipt proves itself with the log’s public key')
  } finally {
    liar.closeAllConnections()
    liar.close()
  }
})
