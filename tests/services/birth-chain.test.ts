// The chain birth → personal number → insurance card, over the whole exchange in one process, with the adapter of civil status
// dying at each of its steps, before and after what it does reaches the outside: one entry, one number, one card, one answer. A death
// here is a handler whose tools do nothing any more; another takes up its store. Processes really killed: tests/integration.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test } from 'vitest'
import { type ExchangeId, readReply } from '#bus/message.ts'
import { type Agreement, type ProviderId } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'
import { decodeEntry } from '#ledger/event.ts'
import { type Chapter } from '#ledger/story.ts'
import { AdapterFailure, type AdapterTools, type CreateHandler, defer, type Standing } from '#services/adapter.ts'
import { createAsker } from '#services/asking.ts'
import { createRegistration } from '#services/civil-status/birth-registration.ts'
import { type Host, runHost } from '#services/host.ts'
import { createTools } from '#services/tools.ts'
import { until } from '#tests/bus/until.ts'
import { notesOf } from '#tests/notes.ts'
import { nation } from '#tests/questions.ts'
import { startWorld, type World, type WorldOptions } from '#tests/world.ts'

const registration = 'civil-status/birth-registration'
const issuance = 'population/personal-id-issuance'
const cardIssuance = 'social-insurance/insurance-card-issuance'
const provider = 'civil-status' as ProviderId
const client = 'public-service-portal'
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

let world: World
let hosts: Host[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map(host => host.stop()))
  await world.stop()
})

/** The portal may register births, as its agreement will have it. */
const mayRegister = ({ grants }: Agreement): void => {
  const [grant] = grants.filter(({ service }) => service === issuance)
  grants.push({ ...grant, id: 'portal-birth', service: registration, fields: [] } as never)
}

async function start(options: WorldOptions = {}): Promise<void> {
  world = await startWorld({
    clientLimits: { reading: { ratePerSecond: 10_000, burst: 10_000 } },
    ledger: true,
    silent: ['business-registration', provider],
    agreements: { [client]: mayRegister },
    ...options,
  })
}

/** What others see of a piece of work: a register asked (of no service: the question settled), and what came of it. */
interface Act {
  exchangeId: string
  service?: string
  done?: unknown
}

type Acting = (act: Act, go: () => Promise<unknown>) => Promise<unknown>

/** An adapter of civil status whose acts go through `acting`, with a clock that runs `aheadMs` ahead of the others’. */
async function startAdapter(acting: Acting = (_, go) => go(), aheadMs = 0): Promise<Host> {
  const { registry, bus, log, dataDir } = world
  const now = (): number => Date.now() + aheadMs
  const asker = createAsker({ client: provider, url: () => world.url, dataDir })
  const common = { provider, bus, instance: `civil-${hosts.length + 1}`, log, now }
  const { tools, stop } = createTools({ ...common, nation, services: registry.services, dataDir })
  const guarded: AdapterTools = {
    ...tools,
    dataDir: tools.dataDir,
    ask: errand => {
      const { service, ticket } = errand
      return acting({ service, exchangeId: ticket.exchangeId }, () => asker.ask(errand)) as Promise<Standing>
    },
    settle: ({ exchangeId, ...ticket }, settlement) =>
      acting({ exchangeId }, () => tools.settle({ exchangeId, ...ticket }, settlement)) as Promise<void>,
  }
  const createHandler: CreateHandler = given => createRegistration(given, { workMs: 0 })
  const routes = [{ service: world.service(registration), handler: createHandler(guarded) }]
  const clock = (): number => performance.now()
  const host = runHost({ ...common, routes, poolSize: 4, clock, onStopped: stop })
  await host.ready
  hosts.push(host)
  return host
}

let births = 0
const mother = nation.findPerson('010701828336')
const birthOf = (changes: JsonObject = {}) => ({
  purpose: 'birth-registration',
  procedure: '1.001193',
  request: {
    birthCertificate: `BV.010/2026-${process.pid}.${++births}`,
    fullName: 'Trần Minh Khôi',
    dateOfBirth: '2026-01-06',
    sex: 'male',
    provinceCode: '010',
    motherId: '010701828336',
    fatherId: '010497612279',
    ...changes,
  },
})

async function register(envelope: object = birthOf()): Promise<string> {
  const { status, body } = await world.ask(registration, envelope, {
    client,
    headers: { prefer: 'respond-async', traceparent },
  })
  expect([status, body.outcome]).toEqual([202, 'accepted'])
  return body.exchangeId
}

const standingOf = async (exchangeId: string) => (await world.get(`/v1/exchanges/${exchangeId}`, { client })).body

async function settled(exchangeId: string) {
  await until('it is settled', async () => (await standingOf(exchangeId)).outcome !== 'accepted')
  return standingOf(exchangeId)
}

/** Rows of a register's table. */
function rowsOf(register: string, table: string): JsonObject[] {
  const db = new DatabaseSync(join(world.dataDir, 'registers', `${register}.sqlite`), { readOnly: true })
  try {
    return db.prepare(`SELECT * FROM ${table}`).all() as JsonObject[]
  } finally {
    db.close()
  }
}

async function storyOf(exchangeId: string): Promise<Chapter[]> {
  const response = await fetch(`${world.ledger?.url}/v1/audit/story?exchange=${exchangeId}`)
  return ((await response.json()) as { story: Chapter[] }).story
}

const repliesOf = (exchangeId: string) =>
  world.published
    .filter(({ topic }) => topic === `ndx.reply.${provider}`)
    .map(({ topic, record }) =>
      readReply({
        ...record,
        topic,
        partition: 0,
        offset: '0',
        timestampMs: 0,
        value: Buffer.from(record.value),
      } as never),
    )
    .filter(reply => reply.exchangeId === exchangeId)

test('a birth is registered, and its child has a number and a card', async () => {
  await start()
  await startAdapter()
  const exchangeId = await register()
  const { outcome, deferred, reply } = await settled(exchangeId)
  expect({ outcome, deferred, reply }).toEqual({
    outcome: 'answered',
    deferred: true,
    reply: {
      registrationNumber: expect.stringMatching(/^TP\.010\/\d{4}-\d{7}$/),
      registeredOn: expect.any(String),
      personalId: expect.stringMatching(/^010626\d{6}$/),
      insuranceCard: expect.stringMatching(/^TE100\d{10}$/),
    },
  })
  expect(rowsOf('population', 'issued')).toMatchObject([{ key: reply.registrationNumber, number: reply.personalId }])
  expect(rowsOf('social-insurance', 'card')).toMatchObject([
    { personal_id: reply.personalId, insurance_card: reply.insuranceCard },
  ])
})

test('its story is one: the same trace, each errand under the exchange in whose course it was asked', async () => {
  await start()
  await startAdapter()
  const exchangeId = await register()
  await settled(exchangeId)
  const story = await storyOf(exchangeId)
  expect(
    story.map(({ depth, client: who, service, state, isForeign }) => [depth, who, service, state, isForeign]),
  ).toEqual([
    [0, client, registration, 'answered', false],
    [1, provider, issuance, 'answered', false],
    [1, provider, cardIssuance, 'answered', false],
  ])
  expect(new Set(story.map(chapter => chapter.traceparent))).toEqual(new Set([traceparent]))
  expect(story.slice(1).map(({ parent }) => parent)).toEqual([exchangeId, exchangeId])
  for (const { acceptedMs = 0, settledMs = 0 } of story) expect(settledMs).toBeGreaterThan(acceptedMs)
  // From whichever of them it is asked for.
  expect(await storyOf(story[2]?.exchangeId as string)).toEqual(story)
  const accepted = world.ledger?.store
    .entries(0, 1000)
    .flatMap(entry => decodeEntry(entry) ?? [])
    .filter(({ kind, parent }) => kind === 'accepted' && parent === exchangeId)
  expect(accepted).toHaveLength(2)
  const lines = world.lines().filter(({ event, parent }) => event === 'exchange' && parent === exchangeId)
  expect(new Set(lines.map(({ service }) => service))).toEqual(new Set([issuance, cardIssuance]))
  const text = JSON.stringify(story)
  for (const value of ['Trần', '0106', 'TE1', mother?.fullName]) expect(text).not.toContain(value)
})

/** Where a piece of work dies: before the act, or after it reached the outside and before anything of it is stored. */
const deaths: readonly [string, 'before' | 'after', (act: Act) => boolean][] = [
  ['before the number is asked for', 'before', ({ service }) => service === issuance],
  ['after the number is asked for', 'after', ({ service }) => service === issuance],
  ['after the number is given', 'after', ({ service, done }) => service === issuance && isAnswer(done)],
  ['before the card is asked for', 'before', ({ service }) => service === cardIssuance],
  ['after the card is asked for', 'after', ({ service }) => service === cardIssuance],
  ['after the card is given', 'after', ({ service, done }) => service === cardIssuance && isAnswer(done)],
  ['before it is settled', 'before', ({ service }) => service === undefined],
  ['after it is settled', 'after', ({ service }) => service === undefined],
]
const isAnswer = (done: unknown): boolean => (done as Standing).outcome === 'answered'

test('an adapter that dies anywhere leaves one entry, one number, one card and one answer of each birth', async () => {
  await start()
  const never = new Promise<never>(() => {})
  const fates = new Map<string, (typeof deaths)[number]>()
  const dead = new Set<string>()
  const dying: Acting = async (act, go) => {
    // Its question is accepted before the test knows its id.
    await until('its fate is known', () => fates.has(act.exchangeId))
    const [, when, isHere] = fates.get(act.exchangeId) as (typeof deaths)[number]
    if (dead.has(act.exchangeId)) return never
    if (when === 'before' && isHere(act)) dead.add(act.exchangeId)
    if (dead.has(act.exchangeId)) return never
    const done = await go()
    if (when === 'after' && isHere({ ...act, done })) dead.add(act.exchangeId)
    return dead.has(act.exchangeId) ? never : done
  }
  const first = await startAdapter(dying)
  for (const fate of deaths) fates.set(await register(), fate)
  await until('all are dead', () => dead.size === deaths.length)
  void first.stop() // it never ends: what it has in hand is never done
  hosts = []
  // By its clock the claims of the first have run out.
  await startAdapter(undefined, 11_000)
  for (const [exchangeId, [death]] of fates) {
    const { outcome, reply } = await settled(exchangeId)
    expect([death, outcome]).toEqual([death, 'answered'])
    const { registrationNumber, personalId, insuranceCard } = reply
    expect(rowsOf('civil-status', 'birth')).toContainEqual(
      expect.objectContaining({ registration_number: registrationNumber, personal_id: personalId }),
    )
    const numbers = rowsOf('population', 'issued').filter(row => row['key'] === registrationNumber)
    const cards = rowsOf('social-insurance', 'card').filter(row => row['birth_registration'] === registrationNumber)
    expect([death, numbers, cards]).toMatchObject([
      death,
      [{ number: personalId }],
      [{ personal_id: personalId, insurance_card: insuranceCard }],
    ])
    for (const { data } of repliesOf(exchangeId)) expect([death, data]).toEqual([death, reply])
    const story = await storyOf(exchangeId)
    expect([death, ...story.map(({ service }) => service)]).toEqual([death, registration, issuance, cardIssuance])
  }
  const rows = ['civil-status birth', 'population issued', 'social-insurance card'].map(
    table => rowsOf(...(table.split(' ') as [string, string])).length,
  )
  expect(rows).toEqual(deaths.map(() => deaths.length).slice(0, 3))
}, 60_000)

test('asked again, by another exchange, the same birth has the same answer, and another child’s is refused', async () => {
  await start()
  await startAdapter()
  const envelope = birthOf()
  const first = await settled(await register(envelope))
  const again = await settled(await register(envelope))
  expect(again.reply).toEqual(first.reply)
  const other = { ...envelope, request: { ...envelope.request, fullName: 'Trần Minh Khoa' } }
  expect(await settled(await register(other))).toMatchObject({
    outcome: 'failed',
    providerCode: 'already-registered-differently',
  })
  expect([rowsOf('population', 'issued').length, rowsOf('social-insurance', 'card').length]).toEqual([1, 1])
})

test.each<[string, JsonObject]>([
  ['mother-unknown', { motherId: '010497612279' }],
  ['father-unknown', { fatherId: '010701828336' }],
  ['birth-in-the-future', { dateOfBirth: '2099-01-01' }],
])('is refused for %s, and nothing is entered', async (code, changes) => {
  await start()
  await startAdapter()
  const envelope = birthOf(changes)
  expect(await settled(await register(envelope))).toMatchObject({ outcome: 'failed', providerCode: code })
  expect(rowsOf('civil-status', 'birth')).toEqual([])
})

describe('another register', () => {
  test('that says no is told of; the birth stays registered, and has the rest when it is asked for again', async () => {
    let isRefusing = true
    const issue = (): JsonObject => {
      if (isRefusing) throw new AdapterFailure('already-registered-differently')
      return { personalId: '010626695797', issuedOn: '2026-01-12' }
    }
    await start({ handlers: { [issuance]: issue } })
    await startAdapter()
    const envelope = birthOf()
    const standing = await settled(await register(envelope))
    expect(standing).toMatchObject({ outcome: 'failed', providerCode: 'number-not-issued' })
    const [entry] = rowsOf('civil-status', 'birth')
    expect(entry).toMatchObject({ personal_id: null, insurance_card: null })
    isRefusing = false
    expect((await settled(await register(envelope))).reply).toMatchObject({
      registrationNumber: entry?.['registration_number'],
      personalId: '010626695797',
    })
    expect(rowsOf('civil-status', 'birth')).toHaveLength(1)
  })

  test('that has not given by a minute before the deadline is not waited for', async () => {
    await start({ handlers: { [issuance]: () => defer() } })
    await startAdapter()
    const exchangeId = await register()
    await until('it is asked', async () => (await storyOf(exchangeId)).length === 2)
    await hosts.splice(0)[0]?.stop()
    await startAdapter(undefined, world.service(registration).contract.deadlineMs - 59_000)
    expect(await settled(exchangeId)).toMatchObject({ outcome: 'failed', providerCode: 'number-not-issued' })
  })

  test('that fails is asked anew under another key, until it gives', async () => {
    let calls = 0
    await start({
      handlers: {
        [cardIssuance]: () => {
          if (++calls <= 3) throw new Error('broken')
          return { insuranceCard: 'TE1000000000001', validFrom: '2026-01-10', validTo: '2032-01-05' }
        },
      },
    })
    await startAdapter()
    const exchangeId = await register()
    expect((await settled(exchangeId)).reply).toMatchObject({ insuranceCard: 'TE1000000000001' })
    const story = await storyOf(exchangeId)
    expect(story.map(({ service, state }) => [service, state])).toEqual([
      [registration, 'answered'],
      [issuance, 'answered'],
      [cardIssuance, 'failed'],
      [cardIssuance, 'answered'],
    ])
  })

  test('that may not be asked is told of: the agreement is not there', async () => {
    await start({
      agreements: {
        [client]: mayRegister,
        [provider]: ({ grants }) => void grants.splice(0, 1),
      },
    })
    await startAdapter()
    const exchangeId = await register()
    expect(await settled(exchangeId)).toMatchObject({ outcome: 'failed', providerCode: 'number-not-issued' })
    // The refusal belongs to the story too.
    await until('the refusal is told', async () => (await storyOf(exchangeId)).length === 2)
    expect((await storyOf(exchangeId))[1]).toMatchObject({ state: 'refused', code: 'NDX_SERVICE_NOT_GRANTED' })
  })
})

test('what is deferred is noted once for each of the three', async () => {
  await start()
  await startAdapter()
  const exchangeId = await register()
  await settled(exchangeId)
  const deferred = (await notesOf(world)).filter(({ kind }) => kind === 'deferred')
  const ids = (await storyOf(exchangeId)).map(chapter => chapter.exchangeId as ExchangeId)
  expect(deferred.map(note => note.exchangeId).toSorted()).toEqual(ids.toSorted())
})
