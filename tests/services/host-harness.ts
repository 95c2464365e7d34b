// A host of one service with a handler of the test's own, on a bus in memory, and all that it puts there: replies, notes, dead
// letters. Whoever starts one stops it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bus, type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'
import { type DeadLetter, isReplayStep, readDeadLetter } from '#bus/dead-letter.ts'
import { MemoryBus } from '#bus/memory-bus.ts'
import { type ExchangeId, type RequestMessage, writeRequest } from '#bus/message.ts'
import { isNote, type Note, readNotes } from '#bus/note.ts'
import { deadLetterTopic, notePartitions, noteTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ClientId, type ProviderId } from '#contracts/contract.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { createNation } from '#nation/nation.ts'
import { createLog, type Log } from '#runtime/log.ts'
import { type Handler } from '#services/adapter.ts'
import { type Host, type HostCounts, runHost } from '#services/host.ts'
import { createTools, type Kit } from '#services/tools.ts'
import { until } from '#tests/bus/until.ts'
import { pseudonymOf } from '#tests/pseudonym.ts'

export const provider = 'population' as ProviderId
const registry = loadRegistry({ idScheme: 'simulated' })
export const service = registry.find('population/identity-verification')!
const data = { personalId: '026701599619', fullName: 'Huỳnh Thị Phương Hương', dateOfBirth: '2001-11-27' }

interface Seen {
  partition: number
  headers: Readonly<Record<string, string>>
  event: Record<string, unknown>
}

export interface HarnessOptions {
  poolSize?: number
  /** The host's, and the road's. */
  now?: () => number
  busNow?: () => number
  random?: () => number
  busOpen?: Promise<void>
  /** Stands between the host and the bus. */
  road?: (bus: Bus) => Bus
}

/** Clocks that stand: a busy machine does not use up a short deadline before the handler is called, the handler's timer does. */
export const standingAt = (nowMs: number): HarnessOptions => ({ now: () => nowMs, busNow: () => nowMs })

export class HostHarness {
  readonly bus: MemoryBus
  readonly logged: string[] = []
  readonly replies: Seen[] = []
  readonly notes: Note[] = []
  readonly letters: DeadLetter[] = []
  readonly dataDir = mkdtempSync(join(tmpdir(), 'ndx-host-'))
  readonly log: Log
  readonly kit: Kit
  readonly host: Host

  private constructor(
    handler: Handler,
    { poolSize = 4, now = Date.now, busNow = Date.now, road = bus => bus, ...others }: HarnessOptions,
  ) {
    this.bus = new MemoryBus({ now: busNow })
    const stream = { write: (line: string) => void this.logged.push(line) }
    this.log = createLog({ level: 'debug', instance: 'test', stream })
    this.#read(replyTopic(provider), [0, 5], ({ partition, value, headers }) =>
      this.replies.push({ partition, headers, event: JSON.parse(value.toString()) }),
    )
    this.#read(noteTopic, Array(notePartitions).keys(), record =>
      this.notes.push(...readNotes(record).notes.filter(isNote)),
    )
    this.#read(deadLetterTopic, [0], record => {
      if (!isReplayStep(record)) this.letters.push(readDeadLetter(record))
    })
    const parts = { provider, bus: road(this.bus), instance: 'test', log: this.log, now }
    const nation = createNation({ seed: 1 })
    this.kit = createTools({ ...parts, nation, services: registry.services, dataDir: this.dataDir })
    this.host = runHost({
      ...parts,
      routes: [{ service, handler }],
      poolSize,
      clock: () => performance.now(),
      ...others,
      onStopped: this.kit.stop,
    })
  }

  /** It may not be ready yet. */
  static begin(handler: Handler, options: HarnessOptions = {}): HostHarness {
    return new HostHarness(handler, options)
  }

  static async start(handler: Handler, options: HarnessOptions = {}): Promise<HostHarness> {
    const harness = HostHarness.begin(handler, options)
    await harness.host.ready
    return harness
  }

  ask(message: RequestMessage, record: Partial<OutgoingRecord> = {}): Promise<void> {
    return this.bus.publish(requestTopic(provider), { ...writeRequest(message), ...record })
  }

  repliesTo(count: number): Promise<void> {
    return until(`${count} replies`, () => this.replies.length >= count)
  }

  async stop(): Promise<void> {
    await this.host.stop()
    await this.bus.close()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  #read(topic: string, partitions: Iterable<number>, onRecord: (record: IncomingRecord) => void): void {
    for (const partition of partitions) this.bus.readReplies({ topics: [topic], partition, sinceMs: 0, onRecord })
  }
}

let asked = 0

export const question = (changes: Partial<RequestMessage> = {}): RequestMessage => ({
  exchangeId: `0198c7a0-0000-7000-8000-${String(++asked).padStart(12, '0')}` as ExchangeId,
  type: service.requestType,
  source: '/gateway/test',
  acceptedMs: Date.now(),
  deadlineMs: Date.now() + 5_000,
  replyTopic: replyTopic(provider),
  replyPartition: 0,
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  client: 'bank' as ClientId,
  purpose: 'customer-identification',
  subject: pseudonymOf(asked),
  agreement: 'bank-identity@1',
  contractHash: service.hash,
  fields: ['matched'],
  data,
  ...changes,
})

/** All counts, those not given zero. */
export const counted = (counts: Partial<HostCounts>): HostCounts => ({
  answered: 0,
  failed: 0,
  expired: 0,
  deferred: 0,
  redelivered: 0,
  retried: 0,
  unreadable: 0,
  'dead-lettered': 0,
  ...counts,
})
