// The road over Kafka. Each kind of record has connections of its own, so that a slow note never delays a request, and each
// reader its own, so that a long poll delays nobody. Nothing is connected before it is used. Loads kafkajs 2.2.4 (via client.ts).
import {
  type Bus,
  type Follower,
  type Following,
  type IncomingRecord,
  type OutgoingRecord,
  PublishError,
  type Reader,
  type ReplyReading,
  type Worker,
  type Working,
} from '#bus/bus.ts'
import { silent } from '#bus/log.ts'
import { placeRecord } from '#bus/placement.ts'
import { RoadClock } from '#bus/road-clock.ts'
import { isReplyTopic, isRequestTopic } from '#bus/topics.ts'
import { type Client, type ClientOptions, openClient } from './client.ts'
import { KafkaFollower } from './follower.ts'
import { MicroBatcher } from './micro-batch.ts'
import { RecordFinder } from './record-finder.ts'
import { readReplies } from './reply-reader.ts'
import { KafkaWorker } from './worker.ts'

export function createKafkaBus(options: ClientOptions): Bus {
  return new KafkaBus(options)
}

type Kind = 'request' | 'reply' | 'other'

class KafkaBus implements Bus {
  readonly #options: ClientOptions
  readonly #clock = new RoadClock()
  readonly #finder: RecordFinder
  readonly #batchers = new Map<Kind, MicroBatcher>()
  /** What `close` ends if its owner did not. */
  readonly #ends = new Set<() => Promise<void>>()
  #closing: Promise<void> | null = null

  constructor(options: ClientOptions) {
    this.#options = options
    this.#finder = new RecordFinder(this.#client('finder'))
  }

  publish(topic: string, record: OutgoingRecord): Promise<void> {
    try {
      if (this.#closing) throw new PublishError('the bus is closed', true)
      return this.#batcher(kindOf(topic)).publish(topic, placeRecord(topic, record), record)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  readReplies(reading: ReplyReading): Reader {
    const reader = readReplies(this.#client('replies'), reading, this.#options.log ?? silent)
    return this.#own(reader, () => reader.stop())
  }

  work(working: Working): Worker {
    const clients = {
      member: this.#client(`${working.group}-member`),
      reader: this.#client(`${working.group}-reader`),
    }
    const worker = new KafkaWorker(clients, working, this.#options.log ?? silent)
    const { ready, stop } = this.#own(worker, () => worker.abandon())
    return {
      ready,
      stop,
      get held() {
        return worker.held
      },
      get stillMs() {
        return worker.stillMs
      },
    }
  }

  follow(following: Following): Follower {
    const context = { log: this.#options.log ?? silent, now: () => this.now() }
    const follower = new KafkaFollower(this.#client('follower'), following, context)
    const { ready, stop } = this.#own(follower, () => follower.abandon())
    return {
      ready,
      stop,
      get lag() {
        return follower.lag
      },
      get caughtUpMs() {
        return follower.caughtUpMs
      },
      caughtUpMsOf: (topic, partition) => follower.caughtUpMsOf(topic, partition),
    }
  }

  readAt(topic: string, partition: number, offset: string): Promise<IncomingRecord | undefined> {
    return this.#finder.readAt(topic, partition, Number(offset))
  }

  endOf(topic: string, partition: number): Promise<number> {
    return this.#finder.endOf(topic, partition)
  }

  now(): number {
    return this.#clock.now()
  }

  id(): Promise<string> {
    return this.#finder.clusterId()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all(Array.from(this.#batchers.values(), batcher => batcher.close()))
    await Promise.all([this.#finder.close(), ...Array.from(this.#ends, end => end())])
  }

  #own(reader: Reader, end: () => Promise<void>): Reader {
    this.#ends.add(end)
    const stop = async (): Promise<void> => {
      await reader.stop()
      this.#ends.delete(end)
    }
    return { ready: reader.ready, stop }
  }

  #batcher(kind: Kind): MicroBatcher {
    const known = this.#batchers.get(kind)
    if (known) return known
    const batcher = new MicroBatcher(this.#client(`${kind}-writer`), this.#clock, this.#options.log ?? silent)
    this.#batchers.set(kind, batcher)
    return batcher
  }

  #client(part: string): Client {
    return openClient({ ...this.#options, clientId: `${this.#options.clientId}-${part}` })
  }
}

function kindOf(topic: string): Kind {
  if (isRequestTopic(topic)) return 'request'
  return isReplyTopic(topic) ? 'reply' : 'other'
}
