// The client's side of the road, as a gateway has it, but nothing is taken for granted: replies are found by either of the places
// that name their exchange, on every partition, and read without being held to their form. Judging them is the checks' business.
import { type Bus, type IncomingRecord, type Reader } from '#bus/bus.ts'
import { type ExchangeId, headerNames } from '#bus/message.ts'
import { announce } from '#bus/probe.ts'
import { deadLetterTopic, notePartitions, noteTopic, replyPartitions, replyTopic, requestTopic } from '#bus/topics.ts'
import { type ProviderId, type Service, type ServiceId } from '#contracts/contract.ts'
import { isJsonObject, type JsonObject } from '#contracts/json.ts'
import { readJson } from '#contracts/strict-json.ts'
import { type Asking, type Question, writeQuestion } from './questions.ts'

export interface SeenRecord {
  topic: string
  partition: number
  timestampMs: number
  key: string | null
  headers: Readonly<Record<string, string>>
  text: string
  /** The value, if it is a JSON object. */
  event?: JsonObject
  /** When it was read, monotonic ms. */
  seenMs: number
}

/** A reply as far as it can be read. */
export interface SeenReply {
  record: SeenRecord
  outcome?: string
  code?: string
  data?: JsonObject
}

/** How a question ended, as far as it was waited for. */
export interface Ending {
  replies: readonly SeenReply[]
  /** The last of them. */
  reply?: SeenReply
  isDeferred: boolean
}

export interface RoadClientOptions {
  bus: Bus
  provider: ProviderId
  /** How long a reply is waited for; and, of a question that was deferred, once more. */
  patienceMs: number
}

/** The road is not there within this. */
const openWithinMs = 15_000
const readersLateMs = 1_000
/** Records that are kept; a run sees some hundred. */
const seenMax = 20_000

export class RoadClient {
  readonly #options: RoadClientOptions
  readonly #readers: readonly Reader[]
  /** What was seen of each question of ours. */
  readonly #asked = new Map<string, SeenRecord[]>()
  readonly #seen: SeenRecord[] = []
  /** They defer, and an answer takes longer than anybody here waits. */
  readonly #slow = new Set<ServiceId>()
  readonly #waiting = new Set<() => void>()
  #turn = 0

  private constructor(options: RoadClientOptions) {
    const { bus, provider } = options
    this.#options = options
    const sinceMs = bus.now() - readersLateMs
    this.#readers = Array.from({ length: replyPartitions }, (_, partition) =>
      bus.readReplies({
        topics: topicsOf(provider, partition),
        partition,
        sinceMs,
        onRecord: record => this.#take(record),
      }),
    )
  }

  /** Resolves when it reads. Rejects when the road is away. */
  static async open(options: RoadClientOptions): Promise<RoadClient> {
    await announce(options.bus, 'conformance')
    const client = new RoadClient(options)
    try {
      await within(openWithinMs, Promise.all(client.#readers.map(reader => reader.ready)))
      return client
    } catch (error) {
      await client.close()
      throw error
    }
  }

  /** Every reply to a question of ours, every note and dead letter about one, every dead letter without an exchange. */
  get seen(): readonly SeenRecord[] {
    return this.#seen
  }

  /** Resolves when it is on the topic. Each goes to another partition of the replies, unless it says which. */
  async ask(asking: Asking): Promise<Question> {
    const { bus, provider } = this.#options
    const replyPartition = asking.replyPartition ?? this.#turn++ % replyPartitions
    const question = writeQuestion({ ...asking, replyPartition }, bus.now())
    this.#asked.set(question.exchangeId, [])
    await bus.publish(requestTopic(provider), question.record)
    return question
  }

  /** A record made of a question, as it is. */
  async send(question: Question): Promise<void> {
    if (!this.#asked.has(question.exchangeId)) this.#asked.set(question.exchangeId, [])
    await this.#options.bus.publish(requestTopic(this.#options.provider), question.record)
  }

  /** The same exchange with a new deadline, as an operator's replay sends it: by now its own may be past, or itself void. */
  sendAnew(question: Question, { contract }: Service): Promise<void> {
    const deadlineMs = this.#options.bus.now() + contract.deadlineMs
    const headers = { ...question.record.headers, [headerNames.deadline]: String(deadlineMs) }
    return this.send({ ...question, deadlineMs, record: { ...question.record, headers } })
  }

  /** Writes it and does not send it. */
  write(asking: Asking): Question {
    return writeQuestion(asking, this.#options.bus.now())
  }

  /** Waits for so many replies, or until patience ends; for what a service defers and does not answer in time only once. */
  async ending(
    { exchangeId, service }: Pick<Question, 'exchangeId' | 'service'>,
    count = 1,
    patienceMs?: number,
  ): Promise<Ending> {
    const waitMs = patienceMs ?? this.#options.patienceMs
    const isReplied = (): boolean => this.#repliesTo(exchangeId).length >= count
    await this.until(() => isReplied() || this.#isDeferred(exchangeId), waitMs)
    const isWorthIt = this.#isDeferred(exchangeId) && !this.#slow.has(service)
    if (isWorthIt && !(await this.until(isReplied, waitMs)) && count === 1) this.#slow.add(service)
    return this.endingSoFar({ exchangeId })
  }

  endingSoFar({ exchangeId }: Pick<Question, 'exchangeId'>): Ending {
    const replies = this.#repliesTo(exchangeId).map(readReply)
    const reply = replies.at(-1)
    return { replies, isDeferred: this.#isDeferred(exchangeId), ...(reply === undefined ? {} : { reply }) }
  }

  /** Dead letters that name this exchange. */
  lettersOf(exchangeId: ExchangeId): SeenRecord[] {
    return this.#of(exchangeId).filter(({ topic }) => topic === deadLetterTopic)
  }

  /** Resolves with whether it came true in time; looked at whenever a record was read. */
  until(isMet: () => boolean, withinMs: number): Promise<boolean> {
    if (isMet()) return Promise.resolve(true)
    return new Promise(resolve => {
      const end = (met: boolean): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(met)
      }
      const look = (): void => {
        if (isMet()) end(true)
      }
      const timer = setTimeout(end, withinMs, false)
      this.#waiting.add(look)
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map(reader => reader.stop()))
  }

  #take({ value, heldSinceMs: _, offset: __, ...record }: IncomingRecord): void {
    const text = value.toString('utf8')
    const event = parse(text)
    const seen = { ...record, text, ...(event === undefined ? {} : { event }), seenMs: performance.now() }
    const lists = [...namesIn(seen)].map(name => this.#asked.get(name)).filter(list => list !== undefined)
    if (lists.length === 0 && !isLetterOf(seen, this.#options.provider)) return
    if (this.#seen.length >= seenMax) return
    for (const list of [this.#seen, ...lists]) list.push(seen)
    for (const look of [...this.#waiting]) look()
  }

  #of = (exchangeId: string): readonly SeenRecord[] => this.#asked.get(exchangeId) ?? []

  #repliesTo = (exchangeId: string): SeenRecord[] =>
    this.#of(exchangeId).filter(({ topic }) => topic === replyTopic(this.#options.provider))

  #isDeferred = (exchangeId: string): boolean =>
    this.#of(exchangeId).some(({ topic, event }) => topic === noteTopic && event?.['type'] === `${noteTopic}.deferred`)
}

function topicsOf(provider: ProviderId, partition: number): string[] {
  return [
    replyTopic(provider),
    ...(partition < notePartitions ? [noteTopic] : []),
    ...(partition === 0 ? [deadLetterTopic] : []),
  ]
}

/** The exchanges a record is about, in whatever place it says so. */
function namesIn({ headers, event }: Pick<SeenRecord, 'headers' | 'event'>): Set<string> {
  const data = event?.['data']
  const id = event?.['id']
  const names = [
    headers[headerNames.exchangeId],
    typeof id === 'string' ? id.split(':')[0] : undefined,
    isJsonObject(data) ? data['exchangeId'] : undefined,
  ]
  return new Set(names.filter(name => typeof name === 'string'))
}

/** Letters of a record whose exchange nobody knows. */
const isLetterOf = ({ topic, text }: SeenRecord, provider: ProviderId): boolean =>
  topic === deadLetterTopic && text.includes(requestTopic(provider))

function readReply(record: SeenRecord): SeenReply {
  const { ndxoutcome, ndxcode, data } = record.event ?? {}
  return {
    record,
    ...(typeof ndxoutcome === 'string' ? { outcome: ndxoutcome } : {}),
    ...(typeof ndxcode === 'string' ? { code: ndxcode } : {}),
    ...(isJsonObject(data) ? { data } : {}),
  }
}

function parse(text: string): JsonObject | undefined {
  const value = readJson(text)
  return isJsonObject(value) ? value : undefined
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the topics could not be read in time')), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
