// Runs one provider's handlers: reads its request topic, and for each record has it executed (execution.ts) and sends the one
// reply, to where the record that was delivered wants it. A record delivered again gets the same reply and is not executed twice
// by this process. One that is given up on goes to the dead letters first. Commits only what was replied to or deferred.
import { type Bus, type IncomingRecord, type Worker } from '#bus/bus.ts'
import { writeDeadLetter } from '#bus/dead-letter.ts'
import { MessageError, type RequestMessage, readRequest, writeReply } from '#bus/message.ts'
import { writeNote } from '#bus/note.ts'
import { adapterGroup, deadLetterTopic, noteTopic, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId, type ServiceId } from '#contracts/contract.ts'
import { type Log } from '#runtime/log.ts'
import { deferral } from './adapter.ts'
import { deadLetterOf, exchangeIdIn, replyPartitionIn, unreadableReply } from './dead-letters.ts'
import { type Delivery, execute, handlerMaxMs, type Route } from './execution.ts'
import { type Outcome, Outcomes } from './outcomes.ts'
import { replyTypeOf, sourceOf } from './verdict.ts'

export type { Route } from './execution.ts'

export interface HostOptions {
  provider: ProviderId
  routes: readonly Route[]
  bus: Bus
  instance: string
  poolSize: number
  log: Log
  /** Epoch ms on the road's clock: deadlines are told in it. */
  now(): number
  /** No partition is taken before it: then replies can be written, and `now` is the bus's clock. Never rejects. */
  busOpen?: Promise<void>
  /** Monotonic ms. */
  clock(): number
  /** 0 … 1 */
  random?(): number
  /** Called when it has stopped reading, before `stop` resolves. */
  onStopped?(): Promise<void>
}

const countNames = [
  'answered',
  'failed',
  'expired',
  'deferred',
  'redelivered',
  'retried',
  'unreadable',
  'dead-lettered',
] as const
/** How many records ended how, since the host started; `retried`: calls of a handler beyond the first. */
export type HostCounts = Record<(typeof countNames)[number], number>

export interface Host extends Worker {
  readonly provider: ProviderId
  readonly counts: Readonly<HostCounts>
  /** It reads its topic. */
  readonly isWorking: boolean
  /** It would answer: it reads its topic, and what it has in hand moves. */
  readonly isReady: boolean
}

/** Records in hand of which none was finished for so long are stuck: the slowest handler would have been given up. */
export const stuckMs = handlerMaxMs + 15_000
const lookEveryMs = 5_000

export function runHost(options: HostOptions): Host {
  const { provider, bus, poolSize, log } = options
  const counts = Object.fromEntries(countNames.map(name => [name, 0])) as HostCounts
  const stopping = new AbortController()
  const handle = createHandling(options, counts, stopping.signal)
  let isWorking = false
  let worker: Worker | undefined
  let isStopped = false

  const begin = (): void => {
    if (isStopped) return
    worker = bus.work({
      topic: requestTopic(provider),
      group: adapterGroup(provider),
      poolSize,
      heldMax: poolSize * 4,
      handle,
      onState: state => {
        isWorking = state === 'working'
        log.info({ event: 'host', provider, state })
      },
    })
  }
  const ready = beginWhenOpen(options.busOpen, begin)
    .then(() => worker?.ready)
    .then(() => {
      isWorking = !isStopped
    })
  const host: Host = {
    ready,
    provider,
    counts,
    get isWorking() {
      return isWorking
    },
    get held() {
      return worker?.held ?? 0
    },
    get stillMs() {
      return worker?.stillMs ?? 0
    },
    get isReady() {
      return isWorking && host.stillMs < stuckMs
    },
    async stop() {
      isWorking = false
      isStopped = true
      clearInterval(watch)
      await worker?.stop()
      stopping.abort()
      await options.onStopped?.()
    },
  }
  const watch = tellWhenStuck(host, log)
  return host
}

const beginWhenOpen = async (open: Promise<void> | undefined, begin: () => void): Promise<void> => {
  if (open !== undefined) await open
  begin()
}

/** Once when nothing moves, and once when it does again. */
function tellWhenStuck(host: Host, log: Log): NodeJS.Timeout {
  let isStuck = false
  return setInterval(() => {
    const { provider, held, stillMs } = host
    if (stillMs >= stuckMs === isStuck) return
    isStuck = !isStuck
    if (isStuck) log.error({ event: 'host-stuck', provider, held, stillMs: Math.round(stillMs) })
    else log.info({ event: 'host-moves', provider, held })
  }, lookEveryMs).unref()
}

/** For clocks of whole milliseconds. A member that died was missed for seconds before its partitions went to another. */
const marginMs = 250

/** A rejection leaves the record uncommitted: it is handled again, and what was not sent yet is sent. */
function createHandling(options: HostOptions, counts: HostCounts, stopping: AbortSignal) {
  const { provider, bus, now, clock } = options
  const source = sourceOf(provider, options.instance)
  const outcomes = new Outcomes()

  return async function handle(record: IncomingRecord): Promise<void> {
    const startedMs = clock()
    const request = readOwnRequest(record, provider)
    if (request instanceof MessageError) return giveUpUnreadable(record, request, options, counts)
    const { outcome, isRepeated } = await outcomes.once(request, () => run(request, record, startedMs))
    if (isRepeated) counts.redelivered++
    if ('deferredService' in outcome) {
      const facts = { provider, service: outcome.deferredService }
      const note = { kind: 'deferred', exchangeId: request.exchangeId, source, notedMs: now(), facts } as const
      return bus.publish(noteTopic, writeNote(note))
    }
    const { message, letter } = outcome
    if (letter !== undefined && !outcome.isLetterWritten) {
      await bus.publish(deadLetterTopic, writeDeadLetter(letter, source))
      outcome.isLetterWritten = true
    }
    await bus.publish(replyTopic(provider), writeReply(message, request.replyPartition))
  }

  function deliveryOf({ timestampMs, heldSinceMs }: IncomingRecord): Delivery {
    const heldMs = heldSinceMs === undefined ? 0 : clock() - heldSinceMs
    return { writtenMs: timestampMs, mayBeRepeated: timestampMs < bus.now() - heldMs - marginMs }
  }

  async function run(request: RequestMessage, record: IncomingRecord, startedMs: number): Promise<Outcome> {
    const takenMs = now()
    const { verdict, service, attempts, isGivenUp } = await execute(request, deliveryOf(record), {
      ...options,
      stopping,
    })
    counts.retried += Math.max(0, attempts - 1)
    if (verdict === deferral) {
      counts.deferred++
      return { deferredService: service?.contract.id as ServiceId }
    }
    counts[verdict.outcome]++
    const message = {
      ...replyTo(request, options),
      ...verdict,
      waitedMs: Math.max(0, takenMs - request.acceptedMs),
      handledMs: round(clock() - startedMs),
    }
    if (!isGivenUp) return { message, isLetterWritten: true }
    counts['dead-lettered']++
    const givenUp = { code: 'HANDLER_FAILED', attempts, firstMs: takenMs, lastMs: now() } as const
    return { message, letter: deadLetterOf(record, provider, givenUp), isLetterWritten: false }
  }
}

const replyTo = (
  { exchangeId, type, traceparent, contractHash }: RequestMessage,
  { provider, instance, now }: HostOptions,
) => ({
  exchangeId,
  type: replyTypeOf(type, provider),
  source: sourceOf(provider, instance),
  repliedMs: now(),
  traceparent,
  contractHash,
})

/** Its dead letter, and a reply if it says who waits. When the road is away both are written again, under the same ids. */
async function giveUpUnreadable(
  record: IncomingRecord,
  { message: reason }: MessageError,
  { provider, instance, bus, now, log }: HostOptions,
  counts: HostCounts,
): Promise<void> {
  const { topic, partition, offset } = record
  const source = sourceOf(provider, instance)
  const exchangeId = exchangeIdIn(record)
  const replyPartition = replyPartitionIn(record, provider)
  const nowMs = now()
  const givenUp = { code: 'REQUEST_UNREADABLE', attempts: 0, firstMs: nowMs, lastMs: nowMs } as const
  await bus.publish(deadLetterTopic, writeDeadLetter(deadLetterOf(record, provider, givenUp), source))
  if (exchangeId !== undefined && replyPartition !== undefined) {
    const message = unreadableReply(record, exchangeId, { provider, source, nowMs })
    await bus.publish(replyTopic(provider), writeReply(message, replyPartition))
  }
  counts.unreadable++
  counts['dead-lettered']++
  log.error(
    { event: 'unreadable', provider, topic, partition, offset, exchangeId, reason },
    'a record is not a request; it is among the dead letters',
  )
}

/** A reply topic that is not ours could never be written to: the record would be tried for ever. */
function readOwnRequest(record: IncomingRecord, provider: ProviderId): RequestMessage | MessageError {
  try {
    const request = readRequest(record)
    if (replyPartitionIn(record, provider) === undefined)
      return new MessageError('the reply is wanted where this provider does not write')
    return request
  } catch (error) {
    if (error instanceof MessageError) return error
    throw error
  }
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000
