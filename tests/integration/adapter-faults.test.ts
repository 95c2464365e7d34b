// An adapter process over a real broker, with no gateway: what it deferred before `kill -9` is settled by the next one, a record that
// cannot be read does not hold its partition up, and `ndx dead-letters` finds it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type IncomingRecord } from '#bus/bus.ts'
import { readDeadLetter } from '#bus/dead-letter.ts'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import {
  type ExchangeId,
  exchangeIdOf,
  MessageError,
  type ReplyMessage,
  type RequestMessage,
  readReply,
  writeRequest,
} from '#bus/message.ts'
import { isNote, readNotes } from '#bus/note.ts'
import { deadLetterTopic, noteTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ClientId, type ProviderId } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { until } from '#tests/bus/until.ts'
import { ndx } from '#tests/cli/ndx.ts'
import { pseudonymOf } from '#tests/pseudonym.ts'
import { stackOfWorker } from '#tests/stack/stack-of-worker.ts'
import { createPlatform, type Platform } from './processes.ts'

const stack = await stackOfWorker()
const provider = 'population' as ProviderId
const service = loadRegistry({ idScheme: 'simulated' }).find('population/personal-id-issuance')!
const bus = createKafkaBus({ brokers: stack.kafkaBrokers, clientId: 'adapter-faults' })
const noted = new Set<string>()
const lettered = new Map<string, string>()
const replies = new Map<string, ReplyMessage[]>()
let platform: Platform

beforeAll(async () => {
  platform = await createPlatform(stack)
  const follower = bus.follow({
    topics: [noteTopic, deadLetterTopic, replyTopic(provider)],
    from: () => undefined,
    recordsMax: 500,
    onRecords: async records => records.forEach(look),
  })
  await follower.ready
  stopping.push(() => follower.stop())
}, 60_000)

/** Other tests share the topics, and some write there what nobody can read. */
function look(record: IncomingRecord): void {
  try {
    if (record.topic === noteTopic)
      for (const { exchangeId } of readNotes(record).notes.filter(isNote)) noted.add(exchangeId)
    else if (record.topic === deadLetterTopic) lettered.set(exchangeIdOf(record) ?? '-', readDeadLetter(record).id)
    else {
      const reply = readReply(record)
      replies.set(reply.exchangeId, [...(replies.get(reply.exchangeId) ?? []), reply])
    }
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
  }
}

const stopping: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const stop of stopping) await stop()
  await bus.close()
  await platform?.stop()
})

let asked = 0
const issuance = (changes: Partial<RequestMessage> = {}): RequestMessage => ({
  exchangeId:
    `0198c7a0-0000-7000-9000-${String(process.pid).padStart(8, '0')}${String(++asked).padStart(4, '0')}` as ExchangeId,
  type: service.requestType,
  source: '/gateway/test',
  acceptedMs: Date.now(),
  deadlineMs: Date.now() + service.contract.deadlineMs,
  replyTopic: replyTopic(provider),
  replyPartition: 0,
  traceparent: '',
  client: 'public-service-portal' as ClientId,
  purpose: 'birth-registration',
  subject: pseudonymOf('faults'),
  agreement: 'portal-issuance@1',
  contractHash: service.hash,
  fields: ['personalId', 'issuedOn'],
  data: {
    birthRegistration: `TP.001/2026-${process.pid}.${asked}`,
    fullName: 'Trần Gia Bảo',
    dateOfBirth: '2026-01-05',
    sex: 'male',
    provinceCode: '001',
  },
  ...changes,
})

test('what was deferred before the adapter was killed is settled by the next one, once', async () => {
  const message = issuance()
  const first = await platform.startAdapter(provider, 'register-1')
  await bus.publish(requestTopic(provider), writeRequest(message))
  await until('it is deferred', () => noted.has(message.exchangeId))
  first.signal('SIGKILL')
  await until('it is dead', () => first.exitCode !== undefined)
  expect(replies.get(message.exchangeId)).toBeUndefined()
  await platform.startAdapter(provider, 'register-2')
  await until('it is settled', () => replies.has(message.exchangeId))
  expect(replies.get(message.exchangeId)).toMatchObject([
    { outcome: 'answered', source: '/adapter/population/register-2', data: { issuedOn: expect.any(String) } },
  ])
})

test('a record that cannot be read becomes a dead letter, and the next of its partition is not held up', async () => {
  const poison = issuance()
  const next = issuance()
  await bus.publish(requestTopic(provider), { ...writeRequest(poison), value: '{' })
  await until('it is a dead letter', () => lettered.has(poison.exchangeId))
  await bus.publish(requestTopic(provider), { ...writeRequest(issuance()), value: '{' })
  await bus.publish(requestTopic(provider), writeRequest(next))
  await until('the next is deferred', () => noted.has(next.exchangeId))
  await until('its client is told', () => replies.has(poison.exchangeId))
  expect(replies.get(poison.exchangeId)).toMatchObject([{ outcome: 'failed', code: 'REQUEST_UNREADABLE' }])

  const environment = { NDX_KAFKA_BROKERS: stack.kafkaBrokers.join(), NDX_DATA_DIR: platform.dataDir }
  const id = lettered.get(poison.exchangeId) as string
  const list = await ndx(['dead-letters'], environment)
  expect([list.status, list.stderr]).toEqual([0, ''])
  expect(list.stdout).toMatch(new RegExp(`^${id} .* ${poison.exchangeId} .* REQUEST_UNREADABLE .*-$`, 'm'))
  expect((await ndx(['dead-letters', 'operator', 'lan'], environment)).status).toBe(0)
  const replay = await ndx(['dead-letters', 'replay', id, '--as', 'lan'], environment)
  expect([replay.status, replay.stderr]).toEqual([1, expect.stringContaining('it would be given up on again')])
})
