// A notary's adapter that is right, written on the bus alone as an agency might that does not use the host. Every faulty adapter
// beside it is this one with one step done wrong. Its steps are methods, so that they can be.
import { type Bus, type IncomingRecord, type OutgoingRecord, type Reader } from '#bus/bus.ts'
import { deadLetterIdOf, writeDeadLetter } from '#bus/dead-letter.ts'
import {
  MessageError,
  publishWithinMs,
  type ReplyMessage,
  type RequestMessage,
  readRequest,
  writeReply,
} from '#bus/message.ts'
import { adapterGroup, deadLetterTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId, type Service } from '#contracts/contract.ts'
import { type JsonObject } from '#contracts/json.ts'

export const provider = 'notary' as ProviderId

/** What the register keeps on its disk: it outlives the adapter. */
export interface Register {
  /** By reference. */
  deeds: Map<string, string>
  /** By exchange id. */
  done: Map<string, Verdict>
}

export type Verdict = Pick<ReplyMessage, 'outcome' | 'code' | 'data'>

const refuse = (code: string): Verdict => ({ outcome: 'failed', code })
const source = '/adapter/notary/plain'

export class NotaryAdapter {
  readonly bus: Bus
  readonly services: readonly Service[]
  readonly register: Register
  /** What it prints. */
  readonly print: (line: string) => void
  #reader: Reader | undefined

  constructor(parts: { bus: Bus; services: readonly Service[]; register: Register; print: (line: string) => void }) {
    this.bus = parts.bus
    this.services = parts.services
    this.register = parts.register
    this.print = parts.print
  }

  start(): void {
    const handle = (record: IncomingRecord): Promise<void> => this.take(record)
    const pool = { poolSize: 16, heldMax: 64 }
    this.#reader = this.bus.work({ topic: requestTopic(provider), group: adapterGroup(provider), ...pool, handle })
  }

  async stop(): Promise<void> {
    await this.#reader?.stop()
  }

  /** Resolved: the record is committed. */
  async take(record: IncomingRecord): Promise<void> {
    let request: RequestMessage
    try {
      request = this.read(record)
    } catch (error) {
      if (error instanceof MessageError) return this.giveUp(record)
      throw error
    }
    const known = this.recall(request)
    const verdict = known ?? (await this.decide(request, record))
    if (known === undefined) this.remember(request, verdict)
    this.print(`${request.exchangeId} ${verdict.outcome}`)
    await this.bus.publish(replyTopic(provider), this.reply(request, verdict))
  }

  read(record: IncomingRecord): RequestMessage {
    const request = readRequest(record)
    if (request.replyTopic !== replyTopic(provider)) throw new MessageError('the reply is wanted elsewhere')
    return request
  }

  async decide(request: RequestMessage, { timestampMs }: IncomingRecord): Promise<Verdict> {
    if (this.isOver(request)) return { outcome: 'expired' }
    const service = this.services.find(one => one.requestType === request.type && one.hash === request.contractHash)
    if (service === undefined) return refuse('CONTRACT_UNKNOWN')
    if (this.isVoid(service, request, timestampMs)) return { outcome: 'expired' }
    if (!this.isValid(service, request)) return refuse('REQUEST_INVALID')
    return this.conclude(request, await this.execute(service, request))
  }

  conclude(request: RequestMessage, verdict: Verdict): Verdict {
    return this.isOver(request) ? refuse('HANDLER_TIMEOUT') : verdict
  }

  /** Written too long after it was begun: its gateway may have begun it anew. */
  isVoid({ contract }: Service, { deadlineMs }: RequestMessage, writtenMs: number): boolean {
    return writtenMs > deadlineMs - contract.deadlineMs + publishWithinMs
  }

  isOver({ deadlineMs }: RequestMessage): boolean {
    return this.bus.now() >= deadlineMs
  }

  isValid(service: Service, { data }: RequestMessage): boolean {
    return service.checkRequest(data) === undefined
  }

  async execute({ name }: Service, { data, fields }: RequestMessage): Promise<Verdict> {
    const reply = name === 'deed-record' ? this.find(String(data['deed'])) : this.enter(String(data['reference']))
    return { outcome: 'answered', data: this.release(reply, fields) }
  }

  find(deed: string): JsonObject {
    return deed === '2026-000123' ? { found: true, kind: 'sale', holder: 'Trần Thị Mai Phương' } : { found: false }
  }

  enter(reference: string): JsonObject {
    const { deeds } = this.register
    const deed = deeds.get(reference) ?? `2026-${String(124 + deeds.size).padStart(6, '0')}`
    deeds.set(reference, deed)
    return { deed }
  }

  release(reply: JsonObject, fields: readonly string[]): JsonObject {
    return Object.fromEntries(Object.entries(reply).filter(([name]) => fields.includes(name)))
  }

  recall({ exchangeId }: RequestMessage): Verdict | undefined {
    return this.register.done.get(exchangeId)
  }

  remember({ exchangeId }: RequestMessage, verdict: Verdict): void {
    if (verdict.outcome === 'answered') this.register.done.set(exchangeId, verdict)
  }

  reply(
    { exchangeId, type, traceparent, contractHash, replyPartition }: RequestMessage,
    verdict: Verdict,
  ): OutgoingRecord {
    const message = {
      ...{ exchangeId, source, repliedMs: this.bus.now(), traceparent, contractHash, waitedMs: 0, handledMs: 0 },
      type: type.replace('ndx.request.', 'ndx.reply.'),
      ...verdict,
    }
    return writeReply(message, replyPartition)
  }

  async giveUp(record: IncomingRecord): Promise<void> {
    await this.bus.publish(deadLetterTopic, this.letterOf(record))
  }

  letterOf(record: IncomingRecord): OutgoingRecord {
    const { topic, partition, offset } = record
    const nowMs = this.bus.now()
    const letter = {
      ...{ id: deadLetterIdOf(provider, record), provider, topic, partition, offset, attempts: 0 },
      ...{ code: 'REQUEST_UNREADABLE', firstMs: nowMs, lastMs: nowMs },
      ...this.exchangeOf(record),
    }
    return writeDeadLetter(letter, source)
  }

  exchangeOf({ headers }: IncomingRecord): { exchangeId?: RequestMessage['exchangeId'] } {
    const exchangeId = headers['kafka_correlationId'] as RequestMessage['exchangeId'] | undefined
    return exchangeId === undefined ? {} : { exchangeId }
  }
}
