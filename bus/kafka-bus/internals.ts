// The parts of kafkajs 2.2.4 below its public face, typed as far as they are used: `src/cluster` (metadata, leaders, brokers),
// `src/broker` (one method a request), the round-robin assigner and its encoding in `src/consumer`, and its errors' shapes. What
// is written and read in numbers, produce and fetch, and what kafkajs does not know yet, is encoded and decoded by files beside this.
import './patches.ts'
import { createRequire } from 'node:module'
import { type ISocketFactory, type Logger, type RetryOptions } from 'kafkajs'
import { encodeFetch, type FetchRequest, fetchVersion } from './fetch-request.ts'
import { decodeFetch, type Fetched, type FetchedPartition } from './fetch-response.ts'
import { decodeMetadata, encodeMetadata, type Metadata, metadataVersion } from './metadata.ts'
import { encodeProduce, type ProduceRequest } from './produce-request.ts'

const require = createRequire(import.meta.url)

export interface ClusterOptions {
  logger: Logger
  socketFactory: ISocketFactory
  brokers: string[]
  clientId: string
  connectionTimeout: number
  requestTimeout: number
  enforceRequestTimeout: boolean
  metadataMaxAge: number
  retry: RetryOptions
  allowAutoTopicCreation: boolean
  maxInFlightRequests: null
  isolationLevel: 0 | 1
}

/** Knows where partitions lead to, and hands out connected brokers. */
export interface Cluster {
  readonly targetTopics: Set<string>
  readonly brokerPool: {
    readonly brokers: Record<string, Broker>
    readonly seedBroker?: Broker
    readonly metadata: Pick<Metadata, 'clusterId' | 'topicMetadata'> | null
    /** How each broker is made that the pool hands out. */
    createBroker(options: object): Broker
  }
  connect(): Promise<void>
  disconnect(): Promise<void>
  refreshMetadata(): Promise<void>
  findBroker(node: { nodeId: string }): Promise<Broker>
  findGroupCoordinator(group: { groupId: string }): Promise<Broker>
  /** An offset of -1: no record is that young. `fromTimestamp` -1 asks for the end, -2 for the beginning. */
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromTimestamp: number }[],
  ): Promise<TopicOffsets[]>
}

export interface TopicOffsets {
  topic: string
  partitions: { partition: number; offset: string }[]
}

export interface Broker {
  disconnect(): Promise<void>
  readonly connectionPool: { send(exchange: ProtocolExchange): Promise<unknown> }
  metadata(topics: readonly string[]): Promise<unknown>
  joinGroup(request: JoinRequest): Promise<JoinResponse>
  syncGroup(
    request: GroupMember & { generationId: number; groupAssignment: unknown[] },
  ): Promise<{ memberAssignment: Buffer }>
  heartbeat(request: GroupMember & { groupGenerationId: number }): Promise<unknown>
  leaveGroup(request: GroupMember): Promise<unknown>
  offsetFetch(request: { groupId: string; topics: { topic: string; partitions: { partition: number }[] }[] }): Promise<{
    responses: TopicOffsets[]
  }>
  offsetCommit(request: GroupMember & { groupGenerationId: number; topics: TopicOffsets[] }): Promise<unknown>
}

/** A request's encoding and its response's decoding, as `src/protocol/requests` pairs them. */
interface ProtocolExchange {
  request: unknown
  response: { decode(data: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> }
  requestTimeout?: number
}

interface ProduceResponse {
  topics: { topicName: string; partitions: { partition: number; errorCode: number; logAppendTime: string }[] }[]
}

/** What became of a produce request. */
export interface Produced {
  /** By partition: an error, or null when it is written for good. */
  outcomes: Map<number, Error | null>
  /** When it was written by the broker's clock, epoch ms; null where the topic keeps the writers' times. */
  appendedMs: number | null
}

export interface GroupMember {
  groupId: string
  memberId: string
}

export interface JoinRequest extends GroupMember {
  sessionTimeout: number
  rebalanceTimeout: number
  groupProtocols: unknown[]
}

export interface JoinResponse {
  generationId: number
  leaderId: string
  memberId: string
  members: unknown[]
}

/** Deals partitions to members; its name is part of the protocol, so members of other kafkajs programs fit in. */
export interface Assigner {
  protocol(subject: { topics: string[] }): unknown
  assign(group: { members: unknown[]; topics: string[] }): Promise<unknown[]>
}

export const ClusterClass: new (options: ClusterOptions) => Cluster = require('kafkajs/src/cluster')

export const createRoundRobinAssigner: (options: { cluster: Cluster }) => Assigner =
  require('kafkajs/src/consumer/assigners').roundRobin

const Encoder: new (initialBytes: number) => object = require('kafkajs/src/protocol/encoder')
const apiKeys: { Produce: number; Fetch: number; Metadata: number } = require('kafkajs/src/protocol/requests/apiKeys')
const produceVersion = 7
const produceResponse: ProtocolExchange['response'] = require('kafkajs/src/protocol/requests/produce/v7/response')
const protocolErrors: {
  failure(code: number): boolean
  createErrorFromCode(code: number): Error
} = require('kafkajs/src/protocol/error')

/**
 * Writes to partitions of one topic, and tells what became of each.
 * kafkajs's own `broker.produce` throws the first error it finds, and with it what went well. Brokers since 2.1 know version 7.
 */
export async function produce(broker: Broker, request: ProduceRequest): Promise<Produced> {
  const answer = await broker.connectionPool.send({
    request: {
      apiKey: apiKeys.Produce,
      apiVersion: produceVersion,
      apiName: 'Produce',
      encode: async () => toEncoder(encodeProduce(request)),
    },
    response: { decode: produceResponse.decode, parse: async decoded => decoded },
  })
  const partitions = (answer as ProduceResponse).topics.flatMap(topic => topic.partitions)
  const outcomes = new Map<number, Error | null>()
  let appendedMs: number | null = null
  for (const { partition, errorCode, logAppendTime } of partitions) {
    outcomes.set(partition, protocolErrors.failure(errorCode) ? protocolErrors.createErrorFromCode(errorCode) : null)
    // -1: refused, or the topic keeps the writers' times.
    if (logAppendTime !== '-1') appendedMs ??= Number(logAppendTime)
  }
  return { outcomes, appendedMs }
}

/** As much of kafkajs's Encoder as a finished one needs. */
const toEncoder = (bytes: Buffer): object => Object.assign(new Encoder(0), { buf: bytes, offset: bytes.length })

/** Rejects when the whole request failed; what became of each partition stands in its part of the answer. */
export async function fetchRecords(broker: Broker, request: FetchRequest): Promise<FetchedPartition[]> {
  const names = new Map(request.parts.map(({ topicId, topic }) => [topicId, topic]))
  const answer = await broker.connectionPool.send({
    request: {
      apiKey: apiKeys.Fetch,
      apiVersion: fetchVersion,
      apiName: 'Fetch',
      encode: async () => toEncoder(encodeFetch(request)),
    },
    response: {
      decode: async bytes => {
        const fetched = decodeFetch(bytes, id => names.get(id))
        return { ...fetched, clientSideThrottleTime: fetched.throttleMs }
      },
      parse: async decoded => decoded,
    },
  })
  const { errorCode, partitions } = answer as Fetched
  const error = errorOf(errorCode)
  if (error) throw error
  return partitions
}

/** From now on the cluster asks for topics in a way that tells their ids, and each one's error instead of rejecting with one. */
export function tellTopicsApart({ brokerPool }: Cluster): void {
  const createBroker = brokerPool.createBroker
  brokerPool.createBroker = options => {
    const broker = createBroker(options)
    return Object.assign(broker, { metadata: (topics: readonly string[]) => askMetadata(broker, topics) })
  }
}

async function askMetadata({ connectionPool }: Broker, topics: readonly string[]): Promise<Metadata> {
  const answer = await connectionPool.send({
    request: {
      apiKey: apiKeys.Metadata,
      apiVersion: metadataVersion,
      apiName: 'Metadata',
      encode: async () => toEncoder(encodeMetadata(topics)),
    },
    response: { decode: async bytes => decodeMetadata(bytes), parse: async decoded => decoded },
  })
  return answer as Metadata
}

/** Null: the code says that all is well. */
export function errorOf(code: number): Error | null {
  if (!protocolErrors.failure(code)) return null
  const type = typesSince.get(code)
  return Object.assign(protocolErrors.createErrorFromCode(code), type === undefined ? {} : { type })
}

/** What a broker would have said. */
export const leaderless = (topic: string, partition: number): Error =>
  Object.assign(new Error(`${topic}/${partition} has no leader now`), { type: 'LEADER_NOT_AVAILABLE', retriable: true })

/** What kafkajs does not know yet: a topic that is gone, or was made anew. */
const typesSince = new Map([
  [100, 'UNKNOWN_TOPIC_ID'],
  [103, 'INCONSISTENT_TOPIC_ID'],
])

const { MemberAssignment } = require('kafkajs/src/consumer/assignerProtocol')

/** The partitions of a topic that a member was dealt. */
export function decodeAssignment(memberAssignment: Buffer, topic: string): number[] {
  const decoded: { assignment: Record<string, number[]> } | null = MemberAssignment.decode(memberAssignment)
  return decoded?.assignment[topic] ?? []
}

/** kafkajs wraps errors in errors when it gives up: this is the one that tells. */
export interface Fault {
  /** The broker's code by name, such as NOT_LEADER_FOR_PARTITION; undefined where no broker spoke. */
  type: string | undefined
  /** The class by name, such as KafkaJSConnectionClosedError. */
  name: string
  error: unknown
}

export function faultOf(error: unknown): Fault {
  let inner = error as { name?: string; type?: string; cause?: unknown } | undefined
  for (let depth = 0; depth < 5 && inner?.type === undefined && inner?.cause instanceof Error; depth++)
    inner = inner.cause
  return { type: inner?.type, name: inner?.name ?? 'unknown', error: inner }
}

/** Metadata is stale, or the cluster is still settling: the same request may do in a moment. */
export function isStale(fault: Fault): boolean {
  return fault.type !== undefined && staleTypes.has(fault.type)
}

/** The broker refused before it wrote; after the other errors the record may be in the log all the same. */
export function isRefusal(fault: Fault): boolean {
  return fault.type !== undefined && !unsureTypes.has(fault.type)
}

const unsureTypes = new Set(['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'UNKNOWN', 'NETWORK_EXCEPTION'])

/** The log does not have the offset that was asked for, or never had the epoch. */
export const isOutOfRange = ({ type }: Fault): boolean => type === 'OFFSET_OUT_OF_RANGE'

const staleTypes = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
])
