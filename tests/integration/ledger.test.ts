// The ledger on the real road: one answer for one key across gateways and after a gateway's death, status from any gateway though
// Redis forgot, deferred work, the log resumed after kill -9, the whole verified from outside.
import { copyFileSync } from 'node:fs'
import { constants, getPriority } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { logKeyPath, readVerifierKey } from '#ledger/notes/keys.ts'
import { verifyExport } from '#ledger/proof/export-verification.ts'
import { storePath } from '#ledger/succession.ts'
import { until } from '#tests/bus/until.ts'
import { getToken } from '#tests/client.ts'
import { copyContracts, identityOf } from '#tests/questions.ts'
import { run } from '#tests/shell.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { createPlatform, type GatewayProcess, type Platform } from './processes.ts'

const identity = 'population/identity-verification'
const issuance = 'population/personal-id-issuance'
let platform: Platform
let brokers: readonly string[]
let ledger: GatewayProcess
let first: GatewayProcess
let second: GatewayProcess
const tokens = new Map<string, string>()

beforeAll(async () => {
  const contractsDir = copyContracts({
    agreement: agreement => {
      for (const grant of agreement.grants) Object.assign(grant, { ratePerSecond: 10_000, burst: 10_000 })
    },
  })
  const stack = await stackOfWorker()
  brokers = stack.kafkaBrokers
  platform = await createPlatform({ ...stack, redisDatabase: 4, contractsDir })
  ;[ledger, first, second] = await Promise.all([
    platform.startLedger(),
    platform.startGateway('ledger-gateway-1', { NDX_REPLY_PARTITION: '1' }),
    platform.startGateway('ledger-gateway-2', { NDX_REPLY_PARTITION: '2' }),
    platform.startAdapter('population', 'ledger-population-1'),
  ])
  for (const client of ['social-insurance', 'public-service-portal'])
    tokens.set(client, await getToken({ url: first.url, dataDir: platform.dataDir, client }))
}, 120_000)

afterAll(() => platform?.stop())

interface Told {
  status: number
  headers: Headers
  body: JsonObject
}

async function send(
  path: string,
  init: RequestInit & { gateway?: GatewayProcess; client?: string } = {},
): Promise<Told> {
  const { gateway = first, client = 'social-insurance', headers, ...rest } = init
  const response = await fetch(`${gateway.url}${path}`, {
    ...rest,
    headers: {
      authorization: `Bearer ${tokens.get(client)}`,
      'content-type': 'application/json',
      ...(headers as Record<string, string>),
    },
    signal: AbortSignal.timeout(100_000),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as JsonObject }
}

const verify = (person: number, headers: Record<string, string>, gateway = first): Promise<Told> =>
  send(`/v1/services/${identity}`, {
    method: 'POST',
    gateway,
    headers,
    body: JSON.stringify(identityOf(person)),
  })

const statusOf = (exchangeId: unknown, gateway = first, client = 'social-insurance'): Promise<Told> =>
  send(`/v1/exchanges/${String(exchangeId)}`, { gateway, client, headers: { prefer: 'wait=20' } })

test('gives way to the processes beside it', () => {
  const own = getPriority(process.pid)
  expect(getPriority(ledger.pid)).toBe(constants.priority.PRIORITY_BELOW_NORMAL)
  expect(getPriority(first.pid)).toBe(own)
})

const fromLedger = async (path: string): Promise<string> => (await fetch(`${ledger.url}${path}`)).text()

const sizeOf = async (): Promise<number> => Number((await fromLedger('/v1/audit/checkpoint')).split('\n')[1])

test('an exchange accepted at one gateway is told at the other', async () => {
  const asked = await verify(1, { prefer: 'respond-async' })
  expect([asked.status, asked.headers.get('preference-applied')]).toEqual([202, 'respond-async'])
  expect(asked.headers.get('location')).toBe(`/v1/exchanges/${String(asked.body['exchangeId'])}`)
  const told = await statusOf(asked.body['exchangeId'], second)
  expect(told.body).toMatchObject({ outcome: 'answered', reply: { matched: true } })
})

test('fifty questions of one key at two gateways are one exchange with one answer', async () => {
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, i) => verify(2, { 'idempotency-key': 'fifty' }, i % 2 === 0 ? first : second)),
  )
  const told = all.filter(({ status }) => status === 200)
  expect(told.length).toBeGreaterThan(0)
  expect(all.filter(({ status }) => ![200, 429, 503, 504].includes(status)).map(({ body }) => body)).toEqual([])
  expect(new Set(told.map(({ body }) => body['exchangeId'])).size).toBe(1)
  const again = await verify(2, { 'idempotency-key': 'fifty' }, second)
  expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
  const other = await verify(3, { 'idempotency-key': 'fifty' }, second)
  expect([other.status, other.body['code']]).toEqual([422, 'NDX_IDEMPOTENCY_KEY_REUSED'])
})

test('after kill -9 of a gateway its client gets the first answer at the other', async () => {
  const victim = await platform.startGateway('ledger-gateway-3', { NDX_REPLY_PARTITION: '3' })
  const asked = Array.from({ length: 30 }, (_, i) =>
    verify(100 + i, { 'idempotency-key': `killed-${i}` }, victim).catch(() => undefined),
  )
  await until('some are answered', async () => (await Promise.race([asked[0]])) !== undefined)
  victim.signal('SIGKILL')
  const before = await Promise.all(asked)
  const askAgain = async (i: number): Promise<Told> => {
    let again = await verify(100 + i, { 'idempotency-key': `killed-${i}` }, second)
    for (let tries = 0; again.status === 504 && tries < 8; tries++)
      again = await verify(100 + i, { 'idempotency-key': `killed-${i}` }, second)
    return again
  }
  const after = await Promise.all(before.map((_, i) => askAgain(i)))
  expect(after.map(({ status }) => status)).toEqual(before.map(() => 200))
  for (const [i, told] of before.entries()) if (told?.status === 200) expect(after[i]?.body).toEqual(told.body)
}, 120_000)

test('an effect that the register answers later is done once for one key, and told when it is done', async () => {
  const birth = {
    purpose: 'birth-registration',
    procedure: '1.001193',
    request: {
      birthRegistration: 'KS/2026-7001',
      fullName: 'Nguyễn Minh An',
      dateOfBirth: '2026-11-01',
      sex: 'female',
      provinceCode: '001',
    },
  }
  const register = (gateway: GatewayProcess): Promise<Told> =>
    send(`/v1/services/${issuance}`, {
      method: 'POST',
      gateway,
      client: 'public-service-portal',
      headers: { prefer: 'respond-async', 'idempotency-key': 'HS-7001' },
      body: JSON.stringify(birth),
    })
  let asked = await register(first)
  // An index made a moment ago is not trusted with an effect until the ledger has read on.
  await until('it is accepted', async () => {
    if (asked.status === 202) return true
    asked = await register(first)
    return asked.status === 202
  })
  const again = await register(second)
  expect([again.status, again.body['exchangeId']]).toEqual([202, asked.body['exchangeId']])
  const told = await statusOf(asked.body['exchangeId'], second, 'public-service-portal')
  expect(told.body).toMatchObject({ outcome: 'answered', deferred: true })
  expect((told.body['reply'] as JsonObject)['personalId']).toMatch(/^\d{12}$/)
}, 120_000)

test('a ledger killed with -9 goes on where it stopped, and its log verifies from outside', async () => {
  const asked = await verify(200, {})
  await until('it is under a checkpoint', async () =>
    (await fromLedger(`/v1/audit/proof/inclusion?exchange=${String(asked.body['exchangeId'])}`)).startsWith(
      'ndx-receipt',
    ),
  )
  const before = await sizeOf()
  ledger.signal('SIGKILL')
  await until('it died', () => ledger.exitCode !== undefined)
  const meanwhile = await Promise.all(
    Array.from({ length: 40 }, (_, i) => verify(300 + i, {}, i % 2 === 0 ? first : second)),
  )
  expect(meanwhile.filter(({ status }) => status !== 200).map(({ body }) => body)).toEqual([])
  const away = await statusOf(asked.body['exchangeId'])
  expect([away.status, away.body['code']]).toEqual([503, 'NDX_LEDGER_UNAVAILABLE'])
  ledger = await platform.startLedger()
  const told = await statusOf(meanwhile[39]?.body['exchangeId'], second)
  expect(told.body).toMatchObject({ outcome: 'answered', reply: { matched: true } })
  await until('what came meanwhile is under a checkpoint', async () => (await sizeOf()) >= before + 40)
  const logKey = readVerifierKey(`${logKeyPath(platform.dataDir)}.pub`)
  const verdict = await verifyExport((await fromLedger('/v1/audit/export')).trimEnd().split('\n'), {
    logKey,
    witnessKeys: [],
  })
  expect(verdict).toMatchObject({ ok: true, why: '' })
}, 120_000)

test('the books balance', async () => {
  await until('nothing is open or wrong', async () => {
    const books = JSON.parse(await fromLedger('/v1/audit/reconciliation')) as {
      accepted: number
      settled: number
      open: number
      gaps: unknown[]
    }
    return books.accepted > 0 && books.accepted === books.settled && books.gaps.length === 0
  })
})

test('a ledger restored from an older copy signs nothing, and a successor log goes on', async () => {
  const store = storePath(platform.dataDir)
  await ledger.stop()
  copyFileSync(store, `${store}.copy`)
  ledger = await platform.startLedger()
  const before = await sizeOf()
  await Promise.all(Array.from({ length: 40 }, (_, i) => verify(700 + i, {})))
  await until('they are under a checkpoint', async () => (await sizeOf()) >= before + 40)
  await ledger.stop()
  copyFileSync(`${store}.copy`, store)
  // Read again in one go each exchange has one entry: more is needed until the log is as long as what was signed.
  for (let round = 0; round < 4; round++)
    await Promise.all(Array.from({ length: 40 }, (_, i) => verify(1_000 + 100 * round + i, {})))
  await expect(platform.startLedger()).rejects.toThrow(/signed head of \d+ entries that are not those of this log/)
  const environment = { NDX_DATA_DIR: platform.dataDir, NDX_KAFKA_BROKERS: brokers.join() }
  const begun = await run(`node cli/ndx.ts ledger succeed --reason 'restored from an older copy'`, { environment })
  expect(begun, begun.stderr).toMatchObject({ status: 0 })
  expect(begun.stderr).toContain(`by Kafka`)
  ledger = await platform.startLedger()
  const { body } = await verify(800, {})
  await until('the successor has it', async () =>
    (await fromLedger(`/v1/audit/proof/inclusion?exchange=${String(body['exchangeId'])}`)).startsWith('ndx-receipt'),
  )
  const logKey = readVerifierKey(`${logKeyPath(platform.dataDir)}.pub`)
  const verdict = await verifyExport((await fromLedger('/v1/audit/export')).trimEnd().split('\n'), { logKey })
  expect(verdict).toMatchObject({ ok: true, predecessor: { origin: 'ndx.example/ledger' } })
}, 120_000)
