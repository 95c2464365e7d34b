// Births over a real broker and real processes: birth registration → personal number → insurance card, while every part of the
// platform is killed once (`kill -9`) and started again: one entry, one number and one card of each birth, one story, no gaps.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type JsonObject } from '#contracts/json.ts'
import { type Chapter } from '#ledger/story.ts'
import { until } from '#tests/bus/until.ts'
import { ndx } from '#tests/cli/ndx.ts'
import { getToken } from '#tests/client.ts'
import { copyContracts } from '#tests/questions.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { createPlatform, freePort, type GatewayProcess, type Platform } from './processes.ts'

const stack = await stackOfWorker()
const service = 'civil-status/birth-registration'
const client = 'public-service-portal'
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
/** A killed adapter is missed by its group after six seconds, a claim runs out after ten. */
const settledWithinMs = 90_000

let platform: Platform
let contractsDir: string
let gatewayPort: string
let token: string
const parts: Record<string, GatewayProcess> = {}

/** Each part by the name under which it is started, and started again. */
const starts: Record<string, () => Promise<GatewayProcess>> = {
  ledger: () => platform.startLedger(),
  gateway: () => platform.startGateway('gateway', { NDX_PORT: gatewayPort }),
  population: () => platform.startAdapter('population', 'population'),
  'social-insurance': () => platform.startAdapter('social-insurance', 'social-insurance'),
  'civil-status': () =>
    platform.startAdapter('civil-status', 'civil-status', { NDX_GATEWAY_URL: `http://127.0.0.1:${gatewayPort}` }),
}

const start = async (name: string): Promise<void> => {
  parts[name] = await (starts[name] as () => Promise<GatewayProcess>)()
}

async function kill(name: string): Promise<void> {
  const process = parts[name] as GatewayProcess
  process.signal('SIGKILL')
  await until(`${name} is dead`, () => process.exitCode !== undefined)
}

beforeAll(async () => {
  contractsDir = copyContracts({
    agreement: ({ client: who, grants }) => {
      const issuance = grants.find(grant => grant.service === 'population/personal-id-issuance')
      if (who === client) grants.push({ ...issuance, id: 'portal-birth', service, fields: [] } as never)
    },
  })
  platform = await createPlatform({ ...stack, contractsDir, redisDatabase: 9 })
  gatewayPort = String(await freePort())
  await start('ledger')
  await Promise.all(Object.keys(starts).slice(1).map(start))
  token = await getToken({ url: urlOf(), dataDir: platform.dataDir, client })
}, 90_000)

afterAll(async () => {
  await platform?.stop()
  rmSync(contractsDir, { recursive: true, force: true })
})

const urlOf = (): string => (parts['gateway'] as GatewayProcess).url
const ledgerUrlOf = (): string => (parts['ledger'] as GatewayProcess).url

let births = 0
async function register(): Promise<string> {
  const birth = {
    purpose: 'birth-registration',
    procedure: '1.001193',
    request: {
      birthCertificate: `BV.010/${process.pid}.${Date.now()}.${++births}`,
      fullName: 'Trần Minh Khôi',
      dateOfBirth: '2026-01-06',
      sex: 'male',
      provinceCode: '010',
      motherId: '010701828336',
      fatherId: '010497612279',
    },
  }
  const response = await fetch(`${urlOf()}/v1/services/${service}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      prefer: 'respond-async',
      traceparent,
    },
    body: JSON.stringify(birth),
  })
  const body = (await response.json()) as JsonObject
  expect([response.status, body['outcome']]).toEqual([202, 'accepted'])
  return String(body['exchangeId'])
}

/** Undefined while nobody can tell. */
async function standingOf(exchangeId: string): Promise<JsonObject | undefined> {
  const response = await fetch(`${urlOf()}/v1/exchanges/${exchangeId}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(5_000),
  }).catch(() => undefined)
  return response?.status === 200 ? ((await response.json()) as JsonObject) : undefined
}

async function settled(exchangeId: string): Promise<JsonObject> {
  let standing: JsonObject | undefined
  await until(
    `${exchangeId} is settled`,
    async () => {
      standing = await standingOf(exchangeId)
      return standing !== undefined && standing['outcome'] !== 'accepted'
    },
    settledWithinMs,
  )
  return standing as JsonObject
}

/** Without errands that were turned away, 503, before they were accepted: they were asked again. */
async function storyOf(exchangeId: string): Promise<Chapter[]> {
  const response = await fetch(`${ledgerUrlOf()}/v1/audit/story?exchange=${exchangeId}`).catch(() => undefined)
  if (response?.status !== 200) return []
  const { story } = (await response.json()) as { story: Chapter[] }
  return story.filter(({ state }) => state !== 'refused')
}

/** Whether a register has got so far with a birth: an exchange of that service is in the story, in that state. */
const hasCome = async (exchangeId: string, to: string, state?: Chapter['state']): Promise<boolean> =>
  (await storyOf(exchangeId)).some(chapter => chapter.service === to && (state ?? chapter.state) === chapter.state)

function rowsOf(register: string, table: string): JsonObject[] {
  const file = join(platform.dataDir, 'registers', `${register}.sqlite`)
  const db = new DatabaseSync(file, { readOnly: true, timeout: 2_000 })
  try {
    return db.prepare(`SELECT * FROM ${table}`).all() as JsonObject[]
  } finally {
    db.close()
  }
}

/** One entry, one number, one card, and the three exchanges of its story. */
async function expectOne(exchangeId: string): Promise<void> {
  const { outcome, reply } = await settled(exchangeId)
  expect(outcome).toBe('answered')
  const { registrationNumber, personalId, insuranceCard } = reply as Record<string, string>
  const entries = rowsOf('civil-status', 'birth').filter(row => row['registration_number'] === registrationNumber)
  const numbers = rowsOf('population', 'issued').filter(row => row['key'] === registrationNumber)
  const cards = rowsOf('social-insurance', 'card').filter(row => row['birth_registration'] === registrationNumber)
  expect([entries, numbers, cards]).toMatchObject([
    [{ personal_id: personalId, insurance_card: insuranceCard }],
    [{ number: personalId }],
    [{ personal_id: personalId, insurance_card: insuranceCard }],
  ])
  const story = await storyOf(exchangeId)
  expect(story.map(({ depth, client: who, service: asked, state }) => [depth, who, asked, state])).toEqual([
    [0, client, service, 'answered'],
    [1, 'civil-status', 'population/personal-id-issuance', 'answered'],
    [1, 'civil-status', 'social-insurance/insurance-card-issuance', 'answered'],
  ])
  expect(new Set(story.map(chapter => chapter.traceparent))).toEqual(new Set([traceparent]))
}

/** What is killed, and how far the birth has come then. */
const deaths: readonly [string, string, (exchangeId: string) => Promise<boolean>][] = [
  ['civil-status', 'when the birth is accepted', id => hasCome(id, service)],
  ['civil-status', 'when the number is asked for', id => hasCome(id, 'population/personal-id-issuance')],
  ['population', 'when the number is asked for', id => hasCome(id, 'population/personal-id-issuance', 'accepted')],
  ['gateway', 'when the number is asked for', id => hasCome(id, 'population/personal-id-issuance')],
  ['ledger', 'when the number is given', id => hasCome(id, 'population/personal-id-issuance', 'answered')],
  ['social-insurance', 'when the card is asked for', id => hasCome(id, 'social-insurance/insurance-card-issuance')],
]

test.each(deaths)(
  '%s killed %s',
  async (name, _, isSoFar) => {
    const exchangeId = await register()
    await until('it has come so far', () => isSoFar(exchangeId))
    await kill(name)
    await start(name)
    await expectOne(exchangeId)
  },
  150_000,
)

test('the story is told on the command line, and the books balance', async () => {
  const exchangeId = await register()
  await settled(exchangeId)
  const environment = { NDX_DATA_DIR: platform.dataDir, NDX_LEDGER_URL: ledgerUrlOf() }
  const told = await ndx(['audit', 'story', exchangeId], environment)
  expect([told.status, told.stderr]).toEqual([0, '3 exchanges in one trace\n'])
  expect(told.stdout.split('\n').slice(1, 4)).toEqual([
    expect.stringMatching(`^${exchangeId} +public-service-portal +civil-status/birth-registration +answered `),
    expect.stringMatching(/^ {2}[0-9a-f-]{36} +civil-status +population\/personal-id-issuance +answered /),
    expect.stringMatching(/^ {2}[0-9a-f-]{36} +civil-status +social-insurance\/insurance-card-issuance +answered /),
  ])
  expect(await ndx(['audit', 'reconcile'], environment)).toMatchObject({
    status: 0,
    stderr: 'no gaps: all that was accepted is settled, or open within its deadline\n',
  })
  expect(rowsOf('population', 'issued')).toHaveLength(births)
  expect(rowsOf('social-insurance', 'card')).toHaveLength(births)
  expect(rowsOf('civil-status', 'birth')).toHaveLength(births)
})
