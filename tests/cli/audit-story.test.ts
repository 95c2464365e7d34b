// `ndx audit story`: the chain of exchanges as a table, from a ledger that is not believed to send what it should.
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ndxHere } from './ndx.ts'

const exchange = '0198c2f0-0000-7000-8000-000000000001'
const errand = '0198c2f0-0000-7000-8000-000000000002'
const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const acceptedMs = 1_767_225_600_000
const birth = {
  exchangeId: exchange,
  depth: 0,
  client: 'public-service-portal',
  service: 'civil-status/birth-registration',
  traceparent: trace,
  state: 'accepted',
  isDeferred: true,
  isForeign: false,
  acceptedMs,
}
const number = {
  ...birth,
  exchangeId: errand,
  depth: 1,
  client: 'civil-status',
  service: 'population/personal-id-issuance',
  state: 'failed',
  code: 'UNANSWERED',
  settledMs: acceptedMs + 1_250,
}

let server: Server
let ledgerUrl: string
let body: string
let asked: string | undefined

beforeAll(async () => {
  server = createServer((request, response) => {
    asked = request.url
    response.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ledgerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

const story = (chapters: unknown) => {
  body = JSON.stringify(chapters)
  return ndxHere(['audit', 'story', exchange], { NDX_LEDGER_URL: ledgerUrl })
}

test('prints parent and children with outcomes and times', async () => {
  const { status, stdout, stderr } = await story({ story: [birth, number] })
  expect([status, stderr, asked]).toEqual([0, '2 exchanges in one trace\n', `/v1/audit/story?exchange=${exchange}`])
  expect(stdout.split('\n').map(line => line.split(/ {2,}(?=\S)/).map(cell => cell.trim()))).toEqual([
    ['EXCHANGE', 'CLIENT', 'SERVICE', 'OUTCOME', 'CODE', 'ACCEPTED', 'SETTLED', 'TOOK'],
    [exchange, birth.client, birth.service, 'accepted, deferred', '-', '2026-01-01T00:00:00.000Z', '-', '-'],
    [
      '',
      errand,
      number.client,
      number.service,
      'failed',
      'UNANSWERED',
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:01.250Z',
      '1.3 s',
    ],
    [''],
  ])
})

test('marks who asks in the course of what another answers, and other traces', async () => {
  const foreign = { ...number, client: 'bank', isForeign: true, traceparent: trace.replace('0af', '1af') }
  const { stdout, stderr } = await story({ story: [birth, foreign] })
  expect([stdout.includes('bank (not who answers it)'), stderr]).toEqual([true, '2 exchanges in 2 traces\n'])
})

test('shows nothing that could steer a terminal', async () => {
  const { stdout } = await story({ story: [{ ...birth, client: '\u001b[31mred', depth: 1e9 }] })
  expect(stdout).not.toContain('\u001b')
})

test.each([{}, [], { story: 1 }, { story: [1] }])('an answer like %j is no ledger’s', async answer => {
  expect(await story(answer)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/told no story/) })
})
