// Sends what one turn of the event loop brings as one produce request a topic: at most 200 records, one request under way per
// topic. Has one retry policy, bounded in tries and time, and says of what failed whether a byte of it may have left. Uses of
// kafkajs 2.2.4: Cluster (leaders) and its connections through internals.ts; not its producer, which hides that difference,
// copies a partition's list once a record, and gives up later than anyone who waits for an HTTP answer.
import { type OutgoingRecord, PublishError, publishQueueMax } from '#bus/bus.ts'
import { Fifo } from '#bus/fifo.ts'
import { type BusLog } from '#bus/log.ts'
import { Turns } from '#bus/placement.ts'
import { type RoadClock } from '#bus/road-clock.ts'
import { noteTopic } from '#bus/topics.ts'
import { Backoff } from './backoff.ts'
import { type Client, requestTimeoutMs } from './client.ts'
import { faultOf, isRefusal, isStale, leaderless, produce } from './internals.ts'
import { estimateRecordBytes, type ProduceMessage } from './produce-request.ts'
import { TopicLookup } from './topic-lookup.ts'

const batchRecordsMax = 200
/** Below the broker's limit for a batch of one partition (`max.message.bytes`, 1 MiB), if all went to one. */
const batchBytesMax = 900_000
const retriesMax = 4
const retryMinMs = 30
const retryMaxMs = 500
/** No retry is begun later than this after the first try. */
const retryWithinMs = 3_000
/** Between two looks for a partition that has no leader, while others of its topic have one. */
const lookAgainMs = 100
/** Nobody waits for a note: many go in one request. */
const noteLingerMs = 20

interface Waiting {
  readonly record: OutgoingRecord
  /** Undefined until it is sent: then that of its batch, since each partition of a request costs both ends. */
  partition: number | undefined
  readonly bytes: number
  /** Handed to a socket, and not refused by the broker: it may be in the log. */
  mayBeWritten: boolean
  resolve(): void
  reject(error: PublishError): void
}

interface Queue {
  readonly topic: string
  readonly waiting: Fifo<Waiting>
  isSending: boolean
}

export class MicroBatcher {
  readonly #client: Client
  readonly #clock: RoadClock
  readonly #lookup: TopicLookup
  readonly #queues = new Map<string, Queue>()
  /** Leaders whose last answer was a fault or none; where topics lie is asked for again before they are used. */
  readonly #suspects = new Map<string, unknown>()
  /** When it was asked where a topic lies, monotonic. */
  readonly #lookedMs = new Map<string, number>()
  readonly #turns = new Turns()
  #due: Queue[] = []
  #onIdle: (() => void) | null = null
  #isClosing = false

  /**
   * @param client one that tells topics apart
   * @param clock is told when what was sent was written
   */
  constructor(client: Client, clock: RoadClock, log: BusLog) {
    this.#client = client
    this.#clock = clock
    this.#lookup = new TopicLookup({ client, log, now: () => clock.now() })
  }

  /** @param partition one that the topic has, or undefined for any */
  publish(topic: string, partition: number | undefined, record: OutgoingRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosing) throw new PublishError('the bus is closed', true)
      const queue = this.#queue(topic)
      if (queue.waiting.length >= publishQueueMax) throw new PublishError(`the queue of ${topic} is full`, true)
      const bytes = estimateRecordBytes(record)
      queue.waiting.push({ record, partition, bytes, mayBeWritten: false, resolve, reject })
      this.#schedule(queue)
    })
  }

  /** Sends what waits, which takes no longer than a publish may, and closes. Idempotent. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (!this.#isIdle()) await new Promise<void>(resolve => (this.#onIdle = resolve))
    await this.#client.close()
  }

  #queue(topic: string): Queue {
    const known = this.#queues.get(topic)
    if (known) return known
    const queue: Queue = { topic, waiting: new Fifo(), isSending: false }
    this.#queues.set(topic, queue)
    return queue
  }

  /** A queue is due once a turn; one that is sending comes round when that has ended. */
  #schedule(queue: Queue): void {
    if (queue.isSending) return
    queue.isSending = true
    if (queue.topic === noteTopic && !this.#isClosing) {
      setTimeout(() => void this.#send(queue), noteLingerMs)
      return
    }
    if (this.#due.length === 0) setImmediate(() => this.#flush())
    this.#due.push(queue)
  }

  #flush(): void {
    const due = this.#due
    this.#due = []
    for (const queue of due) void this.#send(queue)
  }

  async #send(queue: Queue): Promise<void> {
    const batch = takeBatch(queue.waiting)
    if (batch.some(({ partition }) => partition === undefined)) this.#placeTogether(queue.topic, batch)
    await this.#deliver(queue, batch)
    queue.isSending = false
    if (queue.waiting.length > 0) this.#schedule(queue)
    else if (this.#isIdle()) this.#onIdle?.()
  }

  #placeTogether(topic: string, batch: readonly Waiting[]): void {
    const turn = this.#turns.take(topic)
    for (const waiting of batch) waiting.partition ??= turn
  }

  /** Ends with every record of the batch settled. */
  async #deliver(queue: Queue, batch: Waiting[]): Promise<void> {
    const startedMs = Date.now()
    const backoff = new Backoff(retryMinMs, retryMaxMs)
    let rest = batch
    for (let retry = 0; ; retry++) {
      const { failed, error } = await this.#tryOnce(queue.topic, rest)
      if (failed.length === 0) return
      // A leader that is moving, or a topic that is being made, takes its time and has written nothing: only time bounds that.
      const mayRetry = isStale(faultOf(error)) || (retry < retriesMax && isRetriable(error))
      if (!mayRetry || Date.now() - startedMs > retryWithinMs) {
        this.#refuse(queue, failed, error)
        return
      }
      await backoff.pause()
      rest = failed
    }
  }

  /** One produce request to each leader. What has none now fails, and nothing else with it. */
  async #tryOnce(topic: string, batch: readonly Waiting[]): Promise<{ failed: Waiting[]; error: unknown }> {
    const parts = new Map<string, Waiting[]>()
    const failed: Waiting[] = []
    let fault: unknown
    try {
      if (this.#isToBeFound(topic)) await this.#lookAgain(topic)
      for (const waiting of batch) {
        const leader = this.#lookup.leaderOf(topic, waiting.partition as number)
        const part = leader === undefined ? failed : parts.get(leader)
        if (part) part.push(waiting)
        else parts.set(leader as string, [waiting])
      }
    } catch (error) {
      return { failed: [...batch], error }
    }
    if (failed[0] !== undefined) fault = this.#whyLeaderless(topic, failed[0].partition as number)
    const sendPart = async ([leader, part]: [string, Waiting[]]): Promise<void> => {
      const error = await this.#produce(topic, leader, part, failed).catch(thrown => {
        failed.push(...part)
        return thrown
      })
      if (!error) return
      fault = error
      this.#suspects.set(leader, error)
    }
    await Promise.all(Array.from(parts, sendPart))
    return { failed, error: fault }
  }

  /** Where it lies is not known, whatever made an earlier look fail, or may be another place than is known. */
  #isToBeFound(topic: string): boolean {
    if (this.#suspects.size > 0 || this.#lookup.idOf(topic) === undefined) return true
    return !this.#lookup.isServed(topic) && performance.now() - (this.#lookedMs.get(topic) ?? 0) > lookAgainMs
  }

  #whyLeaderless(topic: string, partition: number): Error {
    return this.#lookup.hasPartition(topic, partition) === false
      ? new PublishError(`the broker's ${topic} has no partition ${partition}`, true)
      : leaderless(topic, partition)
  }

  /** Settles what is written, adds what was refused to `failed`, and returns the last refusal. Rejects when nothing is known. */
  async #produce(topic: string, leader: string, part: readonly Waiting[], failed: Waiting[]): Promise<unknown> {
    const broker = await this.#client.cluster.findBroker({ nodeId: leader })
    const messages = new Map<number, ProduceMessage[]>()
    for (const { partition, record } of part) {
      const list = messages.get(partition as number)
      if (list) list.push(record)
      else messages.set(partition as number, [record])
    }
    const maybeBefore = part.map(waiting => waiting.mayBeWritten)
    for (const waiting of part) waiting.mayBeWritten = true
    const request = { topic, messages, timeoutMs: requestTimeoutMs - 500, nowMs: Date.now() }
    const sentMs = performance.now()
    const { outcomes, appendedMs } = await produce(broker, request)
    if (appendedMs !== null) this.#clock.add({ sentMs, ackedMs: performance.now(), appendedMs })
    let refusal: unknown
    for (const [i, waiting] of part.entries()) {
      const error = outcomes.get(waiting.partition as number)
      if (error === null) {
        waiting.resolve()
        continue
      }
      refusal = error ?? new Error(`no word about partition ${waiting.partition}`)
      if (isRefusal(faultOf(refusal))) waiting.mayBeWritten = maybeBefore[i] ?? true
      failed.push(waiting)
    }
    return refusal
  }

  /** Makes a try start from what is true now. */
  async #lookAgain(topic: string): Promise<void> {
    const suspects = [...this.#suspects]
    for (const [leader, error] of suspects) if (!isStale(faultOf(error))) await this.#client.drop(leader)
    this.#lookedMs.set(topic, performance.now())
    await this.#lookup.refresh([topic])
    for (const [leader] of suspects) this.#suspects.delete(leader)
  }

  /** What waited behind a batch that could not be sent is refused with it: nothing waits longer than one batch may take. */
  #refuse(queue: Queue, failed: readonly Waiting[], cause: unknown): void {
    for (const { mayBeWritten, reject } of failed) {
      const message = mayBeWritten ? `${queue.topic} did not acknowledge` : `${queue.topic} cannot be reached`
      reject(new PublishError(message, !mayBeWritten, { cause }))
    }
    for (const { reject } of queue.waiting.take(queue.waiting.length)) {
      reject(new PublishError(`${queue.topic} cannot be reached`, true, { cause }))
    }
  }

  #isIdle(): boolean {
    for (const queue of this.#queues.values()) if (queue.isSending || queue.waiting.length > 0) return false
    return true
  }
}

/** A fault of the request itself would come again. */
function isRetriable(error: unknown): boolean {
  if (error instanceof PublishError) return false
  const { error: inner } = faultOf(error)
  return (inner as { retriable?: boolean } | undefined)?.retriable !== false
}

function takeBatch(waiting: Fifo<Waiting>): Waiting[] {
  const batch: Waiting[] = []
  let bytes = 0
  for (let next = waiting.peek(); next && batch.length < batchRecordsMax; next = waiting.peek()) {
    bytes += next.bytes
    if (bytes > batchBytesMax && batch.length > 0) break
    batch.push(next)
    waiting.shift()
  }
  return batch
}
