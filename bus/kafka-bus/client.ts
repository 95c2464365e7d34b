// Opens a cluster (kafkajs 2.2.4 `src/cluster`) the way NDX wants it: Nagle off, seconds instead of half minutes, no topic made
// by accident, no retry of kafkajs's own (each user of a cluster has one policy, its own), and an end that leaves nothing behind:
// sockets are known here, so a long poll or a hung peer holds up neither a close nor the process.
import { connect, type Socket } from 'node:net'
import { type ISocketFactory, Kafka, logLevel } from 'kafkajs'
import { type BusLog, silent } from '#bus/log.ts'
import { type Cluster, ClusterClass, tellTopicsApart } from './internals.ts'

export interface ClientOptions {
  /** `host:port` of any of them; the others are learnt. */
  brokers: readonly string[]
  clientId: string
  log?: BusLog
}

export interface Client {
  readonly cluster: Cluster
  readonly isClosed: boolean
  /** Drops the connections to one broker; the next request opens what it needs. A vanished peer tells nothing by itself. */
  drop(nodeId: string): Promise<void>
  /** Drops every connection. */
  reset(): Promise<void>
  /** Rejects what is under way and frees everything. Idempotent. */
  close(): Promise<void>
}

export const requestTimeoutMs = 3_000
const connectionTimeoutMs = 1_500
const keepAliveMs = 30_000
/** Leaders are looked up again when a broker says so; this only bounds how long a new broker goes unnoticed. */
const metadataMaxAgeMs = 300_000

/** It knows topics by their ids, and one that is gone, forbidden or without a leader hides no other. */
export function openClient(options: ClientOptions): Client {
  const client = new RoadClient(options)
  tellTopicsApart(client.cluster)
  return client
}

/** The public client, for administration. What a broker has to carry out first may take longer than a record: `timeoutMs`. */
export function createKafka(
  { brokers, clientId, log = silent, timeoutMs = requestTimeoutMs }: ClientOptions & { timeoutMs?: number },
  socketFactory: ISocketFactory = openSocket,
): Kafka {
  return new Kafka({
    brokers: [...brokers],
    clientId,
    socketFactory,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: timeoutMs,
    retry: { initialRetryTime: 30, retries: 4, maxRetryTime: 500 },
    logLevel: logLevel.WARN,
    logCreator: () => entry =>
      log(levelOf(entry.level), `kafkajs: ${entry.log.message}`, {
        namespace: entry.namespace,
        error: entry.log['error'],
      }),
  })
}

class RoadClient implements Client {
  readonly cluster: Cluster
  readonly #sockets = new Set<Socket>()
  #closing: Promise<void> | null = null

  constructor(options: ClientOptions) {
    const socketFactory: ISocketFactory = target => this.#open(target)
    const log: BusLog = (...entry) => (this.#closing ? undefined : options.log?.(...entry))
    this.cluster = new ClusterClass({
      logger: createKafka({ ...options, log }, socketFactory).logger(),
      socketFactory,
      brokers: [...options.brokers],
      clientId: options.clientId,
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      enforceRequestTimeout: true,
      metadataMaxAge: metadataMaxAgeMs,
      retry: { retries: 0, initialRetryTime: 30, maxRetryTime: 500 },
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
      isolationLevel: 0,
    })
  }

  get isClosed(): boolean {
    return this.#closing !== null
  }

  async drop(nodeId: string): Promise<void> {
    await this.cluster.brokerPool.brokers[nodeId]?.disconnect().catch(() => {})
  }

  async reset(): Promise<void> {
    this.#destroySockets('the connection was given up')
    const { brokers, seedBroker } = this.cluster.brokerPool
    const all = new Set([...Object.values(brokers), ...(seedBroker ? [seedBroker] : [])])
    await Promise.allSettled([...all].map(broker => broker.disconnect()))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#destroySockets('closed')
    await this.cluster.disconnect().catch(() => {})
    this.#destroySockets('closed')
  }

  #open(target: Parameters<ISocketFactory>[0]): Socket {
    if (this.#closing) throw new Error('closed')
    const socket = openSocket(target)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }

  /** With an error, since kafkajs listens to `error` and `end` but not to `close`: what is under way is rejected at once. */
  #destroySockets(why: string): void {
    for (const socket of this.#sockets) socket.destroy(new Error(why))
  }
}

function openSocket({ host, port, onConnect }: Parameters<ISocketFactory>[0]): Socket {
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }, onConnect)
  // kafkajs unrefs a socket at every disconnect; on one that has ended Node would keep a listener for each.
  socket.once('close', () => (socket.unref = () => socket))
  return socket
}

/** What is an error to kafkajs is often a retry to us. */
function levelOf(level: logLevel): 'debug' | 'info' | 'warn' {
  if (level <= logLevel.WARN) return 'warn'
  return level === logLevel.INFO ? 'info' : 'debug'
}
