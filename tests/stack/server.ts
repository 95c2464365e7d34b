// What a test or the bench can do with a real Kafka or a real Redis, wherever it runs: reach it, take it
// away in two ways, bring it back, and end it. Containers and local processes both promise exactly this.

export type StackKind = 'compose' | 'local'

/**
 * A server that can be taken away. Each call resolves when its effect is there: `start` and `resume` when the server
 * answers a client again, on the same address and with the same data. Calls that change nothing do nothing.
 */
export interface Outage {
  /** The server's process on this machine, for measuring its CPU; undefined while it is killed or in a virtual machine. */
  readonly pid: number | undefined
  /** Freezes it: connections stay open, new ones are taken, nothing is ever answered. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** SIGKILL: connections break at once, new ones are refused. */
  kill(): Promise<void>
  start(): Promise<void>
}

export interface KafkaServer extends Outage {
  readonly kind: StackKind
  /** `host:port` of each broker. */
  readonly brokers: string[]
  /** Removes it with its data. */
  stop(): Promise<void>
}

export interface RedisServer extends Outage {
  readonly kind: StackKind
  /** `redis://:password@host:port` */
  readonly url: string
  /** Removes it with its data. */
  stop(): Promise<void>
}

/** A Kafka and a Redis that were started together. */
export interface Stack {
  readonly kind: StackKind
  /** `host:port` of each broker. */
  readonly kafkaBrokers: string[]
  /** `redis://:password@host:port` */
  readonly redisUrl: string
  readonly kafka: Outage
  readonly redis: Outage
  /** One line for people, without the password. */
  describe(): string
  /** Removes both with their data. */
  stop(): Promise<void>
}
