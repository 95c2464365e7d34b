// The commands that talk to an exchange, against one that `ndx start` runs: what it prints, the curl it prints, tokens,
// questions, counters, the ledger, the log. Each command is a process of its own.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadRegistry } from '#contracts/registry.ts'
import { until } from '#tests/bus/until.ts'
import { type Exchange, launch, makeFolder, ndx, shell, startExchange } from './ndx.ts'

const { services, agreements } = loadRegistry({ idScheme: 'simulated' })
const patient = { timeout: 60_000 }
const folder = makeFolder()
let exchange: Exchange

beforeAll(async () => {
  exchange = await startExchange()
}, 60_000)
afterAll(async () => {
  await exchange?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const curlOf = ({ process: { stdout } }: Exchange): string => /^curl .*$/m.exec(stdout())?.[0] ?? 'false'

describe('start', () => {
  test('prints where it answers and one question, and nothing on standard error', patient, () => {
    const { url, operationsUrl, ledgerUrl, dataDir, process: running } = exchange
    const port = new URL(url).port
    const shown = running.stdout().replace(/after \d+\.\d s/, 'after … s')
    expect(running.stderr()).toBe('')
    expect(
      shown,
    ).toBe(`NDX is ready after … s: ${services.length} services, ${agreements.size} clients, everything in this process.

  gateway     http://127.0.0.1:${port}
  documents   http://127.0.0.1:${port}/docs
  operations  ${operationsUrl}/metrics
  ledger      ${ledgerUrl}   (npx ndx audit reconcile --ledger ${ledgerUrl})
  log         ${dataDir}/log/ndx.log   (npx ndx watch --file ${dataDir}/log/ndx.log)

Ask as an agency would, in another terminal:

curl -s http://127.0.0.1:${port}/v1/services/population/identity-verification -H "authorization: Bearer $(NDX_DATA_DIR=${dataDir} npx ndx token social-insurance --url http://127.0.0.1:${port})" -H 'content-type: application/json' -d '{"purpose":"social-insurance-enrolment","request":{"personalId":"026701599619","fullName":"Huỳnh Thị Phương Hương","dateOfBirth":"2001-11-27"}}'

Then: npx ndx demo --url http://127.0.0.1:${port} --ledger ${ledgerUrl}. Ctrl-C stops.
`)
  })

  test('the printed curl works as printed', patient, async () => {
    const { status, stdout } = await shell(curlOf(exchange))
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      exchangeId: expect.any(String),
      service: 'population/identity-verification',
      outcome: 'answered',
      reply: { matched: true },
    })
  })

  test('its documentation, operations and ledger answer', patient, async () => {
    expect((await fetch(`${exchange.url}/docs`)).status).toBe(200)
    expect((await fetch(`${exchange.operationsUrl}/metrics`)).status).toBe(200)
    const reconciled = await ndx(['audit', 'reconcile', '--ledger', exchange.ledgerUrl])
    expect(reconciled).toMatchObject({ status: 0, stdout: expect.stringMatching(/^UP TO /) })
  })

  test('the issuer follows the port', patient, async () => {
    const metadata = await fetch(`${exchange.url}/.well-known/oauth-authorization-server`)
    expect(await metadata.json()).toMatchObject({ issuer: exchange.url, token_endpoint: `${exchange.url}/oauth/token` })
  })

  test('another nation, a quote in the data directory’s name and a broker it does not use', patient, async () => {
    const dataDir = join(folder, "it's here")
    const other = await startExchange({ NDX_NATION_SEED: '7', NDX_DATA_DIR: dataDir, NDX_KAFKA_BROKERS: '127.0.0.1:1' })
    try {
      expect(other.process.stderr()).toContain('NDX_KAFKA_BROKERS is not used')
      expect(other.process.stderr()).toContain('docker compose up --wait')
      expect((await shell(curlOf(other))).stdout).toContain('"matched":true')
    } finally {
      await other.stop()
    }
  })

  test('Ctrl-C ends it in order, with status 0', patient, async () => {
    const other = await startExchange({ NDX_DATA_DIR: join(folder, 'stopped') })
    const { status, stderr } = await other.stop('SIGINT')
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'stopping: what is under way is answered first\n' })
    const log = readFileSync(join(folder, 'stopped/log/ndx.log'), 'utf8')
    const events = log
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).event)
    expect(events.filter(event => /^(ledger-)?stopped$/.test(event))).toEqual(['stopped', 'ledger-stopped'])
  })

  test.each(['NDX_PORT', 'NDX_OPERATIONS_PORT', 'NDX_LEDGER_PORT'])(
    'a taken %s is named, with status 1',
    patient,
    async name => {
      const taken = await listen()
      try {
        const { port } = taken.address() as { port: number }
        const free = { NDX_PORT: '0', NDX_OPERATIONS_PORT: '0', NDX_LEDGER_PORT: '0' }
        const settings = { ...free, NDX_DATA_DIR: join(folder, name), [name]: String(port) }
        const { status, stdout, stderr } = await ndx(['start'], settings)
        expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
        expect(stderr).toBe(
          `ndx start: port ${port} is taken; perhaps an exchange already runs there.\nStop it, or choose another port: ${name}=${port + 1} npx ndx start\n`,
        )
      } finally {
        taken.close()
      }
    },
  )

  test('a data directory on which an exchange runs is named, with status 1', patient, async () => {
    const settings = { NDX_PORT: '0', NDX_OPERATIONS_PORT: '0', NDX_LEDGER_PORT: '0', NDX_DATA_DIR: exchange.dataDir }
    const { status, stdout, stderr } = await ndx(['start'], settings)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toBe(
      `ndx start: an exchange already runs on ${exchange.dataDir}.\nStop it, or start this one beside it: NDX_DATA_DIR=data2 NDX_PORT=0 NDX_OPERATIONS_PORT=0 NDX_LEDGER_PORT=0 npx ndx start\n`,
    )
  })

  test('a log that cannot be written is a fault of the configuration', patient, async () => {
    const { status, stderr } = await ndx(['start'], { NDX_PORT: '0', NDX_LOG_FILE: folder, NDX_DATA_DIR: folder })
    expect(status).toBe(2)
    expect(stderr).toMatch(/^NDX_LOG_FILE: cannot write .*EISDIR/)
  })
})

describe('token', () => {
  test('prints an access token and nothing else', patient, async () => {
    const { status, stdout, stderr } = await ndx(['token', 'bank'], exchange.environment)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect(decodeJwt(stdout)).toMatchObject({ sub: 'bank', iss: exchange.url, aud: 'ndx', scope: 'exchange catalogue' })
  })

  test('asks for the scope it was told', patient, async () => {
    const { stdout } = await ndx(['token', 'bank', '--scope', 'catalogue'], exchange.environment)
    expect(decodeJwt(stdout)).toMatchObject({ scope: 'catalogue' })
    const { status, stderr } = await ndx(['token', 'bank', '--scope', 'everything'], exchange.environment)
    expect(status).toBe(1)
    expect(stderr).toBe('ndx token: the gateway gave no token: Scopes: exchange, catalogue.\n')
  })

  test('an unknown client gets the nearest, and where the list is', patient, async () => {
    const { status, stdout, stderr } = await ndx(['token', 'bnak'], exchange.environment)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toBe(
      `ndx token: there is no client “bnak”. Did you mean bank?\nIn ${exchange.dataDir}/clients are the keys of ${agreements.size} clients; \`npx ndx clients\` lists who may ask.\n`,
    )
  })

  test('a name is never a path', patient, async () => {
    const { status, stderr } = await ndx(['token', '../clients/bank'], exchange.environment)
    expect(status).toBe(1)
    expect(stderr).toContain('there is no client “../clients/bank”.')
  })

  test('a gateway that does not run: what to run', patient, async () => {
    const { status, stdout, stderr } = await ndx(['token', 'bank', '--url', await silentUrl()], exchange.environment)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(
      /^ndx token: nothing answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.\nRun `npm start`/,
    )
  })

  test('something else on the port is told apart', patient, async () => {
    const { status, stderr } = await ndx(['token', 'bank', '--url', exchange.operationsUrl], exchange.environment)
    expect(status).toBe(1)
    expect(stderr).toContain('is not an NDX gateway (status 404)')
  })

  test('keys of another data directory are named as that', patient, async () => {
    const dataDir = join(folder, 'other')
    expect((await ndx(['token', 'bank'], { ...exchange.environment, NDX_DATA_DIR: dataDir })).stderr).toContain(
      `there are no clients’ keys in ${dataDir}/clients`,
    )
    await ndx(['secrets'], { NDX_DATA_DIR: dataDir })
    const { status, stderr } = await ndx(['token', 'bank'], { ...exchange.environment, NDX_DATA_DIR: dataDir })
    expect(status).toBe(1)
    expect(stderr).toContain(`does not accept the key of bank in ${dataDir}`)
    expect(stderr).toContain('name that one in NDX_DATA_DIR')
  })
})

describe('ask', () => {
  const ask = (...line: string[]) => ndx(['ask', ...line], exchange.environment)

  test('fills in what is not said', patient, async () => {
    const { status, stdout, stderr } = await ask('social-insurance', 'population/citizen-record')
    expect(status).toBe(0)
    expect(stderr).toMatch(/^200 in \d+ ms, exchange [0-9a-f-]{36}\n$/)
    expect(JSON.parse(stdout).reply).toEqual({
      found: true,
      fullName: 'Huỳnh Thị Phương Hương',
      dateOfBirth: '2001-11-27',
      sex: 'female',
      residence: { province: { code: '80', name: 'Tây Ninh' }, ward: { code: '92768', name: 'Xã Hồng Ninh' } },
    })
  })

  test('about a person, an enterprise, an example, and data of one’s own', patient, async () => {
    const replyTo = async (...line: string[]): Promise<unknown> => JSON.parse((await ask(...line)).stdout).reply
    const record = ['social-insurance', 'population/citizen-record', '--person', '4711']
    expect(await replyTo(...record, '--field', 'sex', '--field', 'fullName')).toEqual({
      found: true,
      fullName: expect.any(String),
      sex: expect.stringMatching(/^(fe)?male$/),
    })
    expect(await replyTo('bank', 'population/identity-verification', '--person', '4711')).toEqual({ matched: true })
    expect(await replyTo('bank', 'population/identity-verification', '--example', '3')).toEqual({ matched: false })
    const enterprise = ['public-service-portal', 'business-registration/enterprise-record']
    expect(await replyTo(...enterprise, '--enterprise', '8')).toMatchObject({ found: true })
    expect(await replyTo(...enterprise, '--data', '{"enterpriseCode":"2100584318"}')).toMatchObject({
      enterpriseCode: '2100584318',
    })
  })

  test.each<[object, ...string[]]>([
    [{ matched: true }, 'one-stop-ha-noi', 'land/ownership-verification', '--person', '4702'],
    [{ found: true }, 'one-stop-ha-noi', 'land/parcel-record', '--person', '4702'],
    [{ found: true }, 'one-stop-ha-noi', 'land/parcel-record', '--enterprise', '7'],
    [{ found: true }, 'one-stop-ha-noi', 'tax/tax-code', '--person', '4702'],
    [{ found: true }, 'one-stop-ha-noi', 'tax/tax-obligation', '--person', '4702'],
    [{ found: true }, 'one-stop-ha-noi', 'tax/tax-code', '--enterprise', '8'],
    [{ matched: true }, 'hospital', 'health/insurance-card-verification', '--person', '4702'],
    [
      { insuranceCard: expect.stringMatching(/^TE1\d{12}$/) },
      'civil-status',
      'social-insurance/insurance-card-issuance',
      '--person',
      '4701',
    ],
  ])('%o is told when %s asks %s %s %s', patient, async (known, ...line) => {
    const { status, stdout, stderr } = await ask(...line)
    expect(status, stderr).toBe(0)
    expect(JSON.parse(stdout).reply).toMatchObject(known)
  })

  test('shows a problem and ends with 1', patient, async () => {
    const { status, stdout } = await ask('bank', 'population/citizen-record')
    expect(status).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 403,
      code: 'NDX_SERVICE_NOT_GRANTED',
      legalBasis: expect.any(String),
    })
    const purpose = await ask('bank', 'population/identity-verification', '--purpose', 'curiosity')
    expect(JSON.parse(purpose.stdout)).toMatchObject({ code: 'NDX_PURPOSE_NOT_GRANTED' })
    const officer = await ask('bank', 'population/identity-verification', '--officer', 'x y')
    expect(JSON.parse(officer.stdout)).toMatchObject({
      code: 'NDX_REQUEST_INVALID',
      errors: [{ pointer: '/officer', detail: expect.any(String) }],
    })
  })

  test.each([
    [['bank', 'population/identity-verification', '--data', '{'], '--data is not JSON, or nested deeper than 32: {'],
    [['bank', 'population/identity-verification', '--example', '9'], '--example is a number from 1 to 3'],
    [['bank', 'population/identity-verification', '--person', '-1'], '--person'],
    [['bank', 'population/identity-verification', '--person', '1', '--data', '{}'], 'only one of --data'],
    [['bank', 'business-registration/enterprise-record', '--person', '1'], 'asks for enterpriseCode'],
    [['bank', 'land/ownership-verification', '--person', '4701'], 'of person 4701 there is nothing to ask land/'],
  ])('%j is a wrong line', patient, async (line, message) => {
    const { status, stdout, stderr } = await ask(...line)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('counters', () => {
  test('as a table and as JSON, and none for a day without exchanges', patient, async () => {
    await ndx(['ask', 'bank', 'population/citizen-record'], exchange.environment)
    const { status, stdout } = await ndx(['counters'], exchange.environment)
    expect(status).toBe(0)
    expect(stdout).toMatch(/^CLIENT +SERVICE +OUTCOME +COUNT\n/)
    expect(stdout).toMatch(/^bank +population\/citizen-record +refused +\d+$/m)
    const { counts } = JSON.parse((await ndx(['counters', '--json'], exchange.environment)).stdout)
    expect(counts).toContainEqual({
      client: 'bank',
      service: 'population/citizen-record',
      outcome: 'refused',
      count: expect.any(Number),
    })
    const { stdout: empty } = await ndx(['counters', '--day', '2020-01-01', '--json'], exchange.environment)
    expect(JSON.parse(empty)).toEqual({ day: '2020-01-01', counts: [] })
  })

  test('no gateway, or not its operations listener: what to name', patient, async () => {
    const silent = await ndx(['counters'], { NDX_OPERATIONS_URL: await silentUrl() })
    expect({ status: silent.status, stdout: silent.stdout }).toEqual({ status: 1, stdout: '' })
    expect(silent.stderr).toContain('NDX_OPERATIONS_URL')
    const public_ = await ndx(['counters'], { NDX_OPERATIONS_URL: exchange.url })
    expect(public_.status).toBe(1)
    expect(public_.stderr).toContain('gave no counters (status 404)')
  })
})

describe('watch', () => {
  test('follows the log of a running exchange', patient, async () => {
    const file = join(exchange.dataDir, 'log/ndx.log')
    expect(existsSync(file)).toBe(true)
    const watching = launch(['watch', '--client', 'public-service-portal'], exchange.environment)
    await until('the header is there', () => watching.stdout().includes('EXCHANGE\n'))
    const line = ['ask', 'public-service-portal', 'business-registration/enterprise-record', '--enterprise', '12']
    const { exchangeId } = JSON.parse((await ndx(line, exchange.environment)).stdout)
    await until('the exchange is shown', () => watching.stdout().includes(exchangeId), 20_000)
    await watching.stop('SIGINT')
    expect(watching.stdout()).toMatch(
      new RegExp(
        `\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  public-service-portal  business-registration/enterprise-record  answered .*${exchangeId}\n`,
      ),
    )
    expect(watching.stdout()).not.toContain('bank')
  })
})

const listen = (): Promise<Server> =>
  new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => resolve(server))
  })

/** An address at which nobody listens. */
async function silentUrl(): Promise<string> {
  const server = await listen()
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return `http://127.0.0.1:${port}`
}
