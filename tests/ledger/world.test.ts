// The whole exchange with its ledger: what a client is told, what the log holds, and that the two agree.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { isSignedBy } from '#ledger/callbacks/signature.ts'
import { decodeEntry, type LedgerEvent } from '#ledger/event.ts'
import { logKeyPath, readVerifierKey } from '#ledger/notes/keys.ts'
import { verifyExport } from '#ledger/proof/export-verification.ts'
import { verifyReceipt } from '#ledger/proof/receipt.ts'
import { readCallbackSecret } from '#runtime/secrets.ts'
import { type AdapterTools } from '#services/adapter.ts'
import { createIssuance } from '#services/population/personal-id-issuance.ts'
import { goodEnvelope } from '#tests/asker.ts'
import { until } from '#tests/bus/until.ts'
import { startWorld, type World, type WorldOptions } from '#tests/world.ts'

const identity = 'population/identity-verification'
const issuance = 'population/personal-id-issuance'
const birth = {
  purpose: 'birth-registration',
  procedure: '1.001193',
  request: {
    birthRegistration: 'KS/2026-0001',
    fullName: 'Nguyễn Minh An',
    dateOfBirth: '2026-11-01',
    sex: 'female',
    provinceCode: '001',
  },
}

let world: World
let server: Server | undefined
afterEach(async () => {
  await world.stop()
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

const start = async (options: WorldOptions = {}): Promise<void> => {
  world = await startWorld({ ledger: true, ...options })
}

const storeOf = (given: World) => {
  if (given.ledger === undefined) throw new Error('the world has no ledger')
  return given.ledger.store
}

const eventsOf = (exchangeId: string): LedgerEvent[] =>
  storeOf(world)
    .entries(0, 10_000)
    .flatMap(entry => decodeEntry(entry) ?? [])
    .filter(event => event.exchange === exchangeId)

const kindsOf = (exchangeId: string): string[] => eventsOf(exchangeId).map(event => event.kind)

const hasKinds = (exchangeId: string, kinds: string[]): Promise<void> =>
  until(`events ${kinds.join(', ')}`, () => kinds.every(kind => kindsOf(exchangeId).includes(kind)))

const fromLedger = async (path: string): Promise<string> => {
  const response = await fetch(`${world.ledger?.url}${path}`)
  return response.text()
}

/** A callback receiver of one client's. */
async function listen(): Promise<{ url: string; received: { headers: IncomingMessage['headers']; body: string }[] }> {
  const received: { headers: IncomingMessage['headers']; body: string }[] = []
  server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, body })
      response.writeHead(204).end()
    })
  })
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received }
}

test('an answer is on the record: accepted, answered, delivered, and nothing of the person', async () => {
  await start()
  const { body } = await world.ask(identity)
  await hasKinds(body.exchangeId, ['accepted', 'answered', 'delivered'])
  const [accepted, answered, delivered] = eventsOf(body.exchangeId)
  expect(accepted).toMatchObject({ client: 'social-insurance', service: identity, purpose: goodEnvelope.purpose })
  expect(answered?.['reply']).toMatch(/^[\w]+\.[\w-]{43}$/)
  expect(delivered?.['reply']).toBe(answered?.origin.slice(answered.origin.indexOf(':') + 1))
  const log = storeOf(world).entries(0, 100).join('\n')
  for (const value of Object.values(goodEnvelope.request)) expect(log).not.toContain(value)
})

test('a refusal is on the record too, and never an exchange that was accepted', async () => {
  await start()
  const { body } = await world.ask(identity, { ...goodEnvelope, purpose: 'curiosity' })
  await hasKinds(body.exchangeId, ['refused'])
  expect(eventsOf(body.exchangeId)).toMatchObject([{ kind: 'refused', code: 'NDX_PURPOSE_NOT_GRANTED', sent: false }])
  const { status, body: standing } = await world.get(`/v1/exchanges/${body.exchangeId}`)
  expect([status, standing.outcome, standing.code]).toEqual([200, 'refused', 'NDX_PURPOSE_NOT_GRANTED'])
})

describe('an exchange nobody waits for', () => {
  test('is told by its address, and by a call that says where to look', async () => {
    const { url, received } = await listen()
    await start({ agreements: { 'social-insurance': agreement => Object.assign(agreement, { callback: { url } }) } })
    const asked = await world.ask(identity, goodEnvelope, { headers: { prefer: 'respond-async' } })
    expect(asked.status).toBe(202)
    const location = asked.headers.get('location') ?? ''
    const told = await world.get(location, { headers: { prefer: 'wait=10' } })
    expect(told.body).toMatchObject({ outcome: 'answered', reply: { matched: true } })
    await until('the client is called', () => received.length > 0)
    const [{ headers, body }] = received as [(typeof received)[number]]
    const secret = readCallbackSecret(world.dataDir, 'social-insurance') ?? ''
    const message = { id: String(headers['webhook-id']), timestampSeconds: Number(headers['webhook-timestamp']), body }
    expect(isSignedBy(message, String(headers['webhook-signature']), secret)).toBe(true)
    expect(JSON.parse(body).data).toEqual({
      exchangeId: asked.body.exchangeId,
      service: identity,
      outcome: 'answered',
      location,
    })
    await hasKinds(asked.body.exchangeId, ['called-back'])
  })

  test('is another client’s to nobody', async () => {
    await start()
    const asked = await world.ask(identity, goodEnvelope, { headers: { prefer: 'respond-async' } })
    const own = await world.get(asked.headers.get('location') ?? '', { headers: { prefer: 'wait=10' } })
    expect(own.status).toBe(200)
    const other = await world.get(asked.headers.get('location') ?? '', { client: 'public-service-portal' })
    const unknown = await world.get('/v1/exchanges/01a20000-0000-7000-8000-000000000000', {
      client: 'public-service-portal',
    })
    expect([other.status, other.body.code]).toEqual([404, 'NDX_EXCHANGE_UNKNOWN'])
    expect({ ...other.body, exchangeId: '' }).toEqual({ ...unknown.body, exchangeId: '' })
  })
})

test('what nobody answers is settled after its deadline, and its client is told so', async () => {
  await start({
    silent: ['population'],
    contracts: { [`${identity}.v1.json`]: contract => Object.assign(contract, { deadlineMs: 300, maxWaitMs: 300 }) },
  })
  const asked = await world.ask(identity)
  expect([asked.status, asked.body.code, asked.body.outcome]).toEqual([504, 'NDX_REPLY_TIMEOUT', 'unknown'])
  const location = asked.headers.get('location') ?? ''
  expect(location).toBe(`/v1/exchanges/${asked.body.exchangeId}`)
  await hasKinds(asked.body.exchangeId, ['accepted', 'timed-out', 'failed'])
  expect(eventsOf(asked.body.exchangeId).find(({ kind }) => kind === 'failed')).toMatchObject({
    code: 'UNANSWERED',
    source: '/ledger/world',
  })
  const told = await world.get(location)
  expect(told.body).toMatchObject({ outcome: 'failed', code: 'NDX_REPLY_TIMEOUT' })
})

describe('deferred work', () => {
  const client = 'public-service-portal'

  /** Its answer comes when it is let go, so that nothing depends on who is faster. */
  async function startHeld(): Promise<{ letGo: () => void }> {
    let letGo = (): void => {}
    const held = new Promise<void>(resolve => (letGo = resolve))
    const hold = (tools: AdapterTools): AdapterTools => ({
      ...tools,
      settle: async (...settlement) => {
        await held
        return tools.settle(...settlement)
      },
    })
    await start({ createHandlers: { [issuance]: tools => createIssuance(hold(tools), { workMs: 10 }) } })
    return { letGo }
  }

  test('is visible as such and answered later', async () => {
    const { letGo } = await startHeld()
    const asked = await world.ask(issuance, birth, { client, headers: { prefer: 'respond-async' } })
    expect(asked.status).toBe(202)
    const location = asked.headers.get('location') ?? ''
    await hasKinds(asked.body.exchangeId, ['accepted', 'deferred'])
    const open = await world.get(location, { client })
    expect(open.body).toMatchObject({ outcome: 'accepted', deferred: true })
    letGo()
    const told = await world.get(location, { client, headers: { prefer: 'wait=20' } })
    expect(told.body).toMatchObject({
      outcome: 'answered',
      deferred: true,
      reply: { personalId: expect.stringMatching(/^\d{12}$/) },
    })
  })

  test('is told by a stream, and then its answer', async () => {
    const { letGo } = await startHeld()
    const asked = await world.ask(issuance, birth, { client, headers: { prefer: 'respond-async' } })
    const stream = await fetch(`${world.url}/v1/exchanges/${asked.body.exchangeId}/events`, {
      headers: { authorization: `Bearer ${await world.token(client)}` },
    })
    let text = ''
    for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk
      if (text.includes('event: deferred\n')) letGo()
    }
    const events = text.split('\n').flatMap(line => (line.startsWith('event: ') ? [line.slice(7)] : []))
    expect(events.slice(-2)).toEqual(['deferred', 'answered'])
  })
})

test('the same key gets the first answer, and there is one exchange', async () => {
  await start()
  const headers = { 'idempotency-key': 'HS-2026-000017' }
  const first = await world.ask(identity, goodEnvelope, { headers })
  const again = await world.ask(identity, goodEnvelope, { headers })
  expect(again.text).toBe(first.text)
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  const other = await world.ask(identity, { ...goodEnvelope, officer: 'G24.63-0412' }, { headers })
  expect([other.status, other.body.code]).toEqual([422, 'NDX_IDEMPOTENCY_KEY_REUSED'])
  await hasKinds(first.body.exchangeId, ['delivered'])
  expect(
    storeOf(world)
      .entries(0, 100)
      .filter(entry => entry.includes('"kind":"accepted"')),
  ).toHaveLength(1)
})

test('an auditor verifies the export and a receipt with a public key alone', async () => {
  await start()
  const { body } = await world.ask(identity)
  await hasKinds(body.exchangeId, ['delivered'])
  const logKey = readVerifierKey(`${logKeyPath(world.dataDir)}.pub`)
  await until('the checkpoint covers it', () => (storeOf(world).lastCheckpoint()?.size ?? 0) >= 3)
  const text = await fromLedger('/v1/audit/export')
  const policy = { logKey, witnessKeys: [] }
  expect(await verifyExport(text.trimEnd().split('\n'), policy)).toMatchObject({ ok: true, entries: 3 })
  const edited = text.replace('"kind":"answered"', '"kind":"answerED"')
  expect(await verifyExport(edited.trimEnd().split('\n'), policy)).toMatchObject({ ok: false, firstBad: 1 })
  const receipt = await fromLedger(`/v1/audit/proof/inclusion?exchange=${body.exchangeId}`)
  expect(verifyReceipt(receipt, policy)).toMatchObject({ ok: true, exchange: body.exchangeId })
  const books = JSON.parse(await fromLedger('/v1/audit/reconciliation')) as {
    accepted: number
    settled: number
    gaps: []
  }
  expect([books.accepted, books.settled, books.gaps]).toEqual([1, 1, []])
})
