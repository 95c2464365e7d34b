// Records as the road would hand them over, for tests of the ledger: one exchange's request, replies and notes.
import { type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'
import { type ExchangeId, type ReplyMessage, type RequestMessage, writeReply, writeRequest } from '#bus/message.ts'
import { encodeNote, type NoteFacts, type NoteKind, writeNote, writeSheet } from '#bus/note.ts'
import { noteTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ClientId, type ProviderId, type Service } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { type ReadingTools } from '#ledger/reading.ts'
import { pseudonymOf } from '#tests/pseudonym.ts'

const population = 'population' as ProviderId
export const registry = loadRegistry({ idScheme: 'simulated' })
export const verification = registry.find('population/identity-verification') as Service
/** Any moment. */
export const someMs = Date.parse('2026-03-02T03:04:05.678Z')

export const tools: ReadingTools = {
  road: 'road-1',
  commit: (exchangeId, kind, data) => `k.${kind}.${exchangeId.slice(-4)}.${data.length}`,
  serviceOf: (type, hash) => registry.services.find(service => service.replyType === type && service.hash === hash),
}

export const exchangeIdOf = (number: number): ExchangeId =>
  `01a201d4-db6f-735f-b2c8-${String(number).padStart(12, '0')}` as ExchangeId

/** A gateway's notes come on sheets, numbered; a host's and the ledger's one by one. */
const gatewayKinds: readonly NoteKind[] = [
  'delivered',
  'refused',
  'undelivered',
  'timed-out',
  'incident',
  'unidentified',
]

/** Counts the offsets of each partition, as a broker would. */
export class Records {
  readonly #ends = new Map<string, number>()
  #numbers = 0

  request(exchange: number, changes: Partial<RequestMessage> = {}, partition = 0): IncomingRecord {
    const message: RequestMessage = {
      exchangeId: exchangeIdOf(exchange),
      type: verification.requestType,
      source: '/gateway/g1',
      acceptedMs: someMs,
      deadlineMs: someMs + 5000,
      replyTopic: replyTopic(population),
      replyPartition: 3,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      client: 'social-insurance' as ClientId,
      purpose: 'social-insurance-enrolment',
      subject: pseudonymOf('subject'),
      agreement: 'si-verify@1',
      contractHash: verification.hash,
      fields: ['matched'],
      data: { personalId: '026701599619', fullName: 'Huỳnh Thị Phương Hương', dateOfBirth: '2001-11-27' },
      ...changes,
    }
    return this.#read(requestTopic(population), partition, writeRequest(message))
  }

  reply(exchange: number, changes: Partial<ReplyMessage> = {}, partition = 3): IncomingRecord {
    const message: ReplyMessage = {
      exchangeId: exchangeIdOf(exchange),
      type: verification.replyType,
      source: '/adapter/population/a1',
      repliedMs: someMs + 10,
      traceparent: '',
      contractHash: verification.hash,
      outcome: 'answered',
      waitedMs: 1.2,
      handledMs: 0.3,
      ...((changes.outcome ?? 'answered') === 'answered' ? { data: { matched: true } } : {}),
      ...changes,
    }
    return this.#read(replyTopic(population), partition, writeReply(message, partition))
  }

  note(exchange: number, kind: NoteKind, facts: NoteFacts = {}): IncomingRecord {
    const exchangeId = exchangeIdOf(exchange)
    if (gatewayKinds.includes(kind)) {
      const first = this.#numbers++
      return this.sheet(first, [{ exchange, kind, facts: { client: 'social-insurance', ...facts } }])
    }
    const note = { kind, exchangeId, source: '/adapter/population/a1', notedMs: someMs + 20, facts }
    return this.#read(noteTopic, 0, writeNote(note))
  }

  /** Exchange 0: none. */
  sheet(
    first: number,
    notes: readonly { exchange: number; kind: NoteKind; facts?: NoteFacts }[],
    { source = '/gateway/g1/run1', isLast = false } = {},
  ): IncomingRecord {
    const lines = notes.map(({ exchange, kind, facts = {} }) =>
      encodeNote({ kind, exchangeId: exchange === 0 ? '' : exchangeIdOf(exchange), notedMs: someMs + 20, facts }),
    )
    return this.#read(noteTopic, 0, writeSheet({ source, first, notes: lines, isLast }, someMs + 30))
  }

  /** Whatever stands there. */
  any(topic: string, partition: number, value: Buffer | string, headers: Record<string, string> = {}): IncomingRecord {
    return this.#read(topic, partition, { key: null, headers, value: '' }, Buffer.from(value))
  }

  #read(
    topic: string,
    partition: number,
    { key, headers, value }: OutgoingRecord,
    bytes = Buffer.from(value),
  ): IncomingRecord {
    const place = `${topic}/${partition}`
    const offset = this.#ends.get(place) ?? 0
    this.#ends.set(place, offset + 1)
    return { topic, partition, offset: String(offset), timestampMs: someMs, key, headers, value: bytes }
  }
}
