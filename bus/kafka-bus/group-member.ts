// One member of a consumer group: joins, is dealt partitions, keeps its place by heartbeats, commits, and comes back by itself
// after whatever happens to the coordinator. Uses of kafkajs 2.2.4: Broker.joinGroup, syncGroup, heartbeat, offsetFetch,
// offsetCommit, leaveGroup and the round-robin assigner through internals.ts; not its consumer, which cannot commit before a
// rebalance, restarts itself after it was stopped, and sleeps through a long poll when all its partitions are paused.
import { type BusLog } from '#bus/log.ts'
import { Backoff } from './backoff.ts'
import { type Client } from './client.ts'
import {
  type Assigner,
  type Broker,
  createRoundRobinAssigner,
  decodeAssignment,
  type Fault,
  faultOf,
} from './internals.ts'
import { TopicLookup } from './topic-lookup.ts'

const sessionTimeoutMs = 6_000
/** How long the others wait for a member that is slow to join anew. */
const rebalanceTimeoutMs = 6_000
const heartbeatIntervalMs = 1_000
const commitIntervalMs = 200
const backoffMinMs = 50
const backoffMaxMs = 1_000

export interface GroupMemberOptions {
  client: Client
  topic: string
  group: string
  /** The group deals anew; what is finished when this resolves is committed before. Must not reject. */
  onRebalance(): Promise<void>
  /** The partitions held from now on, with what is committed of each; null: nothing yet. */
  onAssigned(committed: ReadonlyMap<number, number | null>): void
  /** What may be committed of the partitions held: the lowest offset not finished of each. */
  finished(): ReadonlyMap<number, number>
  onState(state: 'working' | 'interrupted', cause?: unknown): void
  log: BusLog
}

export class GroupMember {
  readonly #options: GroupMemberOptions
  readonly #assigner: Assigner
  readonly #lookup: TopicLookup
  readonly #backoff = new Backoff(backoffMinMs, backoffMaxMs)
  readonly #running: Promise<void>
  #coordinator: Broker | null = null
  #memberId = ''
  #generationId = -1
  /** What the group has committed, as far as this member knows. */
  #committed = new Map<number, number | null>()
  #rewinds = 0
  #isWorking = false
  #isStopping = false

  constructor(options: GroupMemberOptions) {
    this.#options = options
    const { client, log } = options
    this.#lookup = new TopicLookup({ client, log, now: () => 0 })
    this.#assigner = createRoundRobinAssigner({ cluster: options.client.cluster })
    this.#running = this.#run()
  }

  /** Commits what is finished, leaves the group and closes the client. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#backoff.stop()
    // Without a place in the group there is nothing to say, and what is under way may take long.
    if (!this.#coordinator) await this.#options.client.close()
    await this.#running
    await this.#options.client.close()
  }

  /** What is finished of a partition next may be below what was committed: its log is another one now. */
  rewind(partition: number): void {
    this.#rewinds++
    if (this.#committed.has(partition)) this.#committed.set(partition, null)
  }

  /** As if the process died: the group finds out by itself. */
  async abandon(): Promise<void> {
    this.#coordinator = null
    this.#isStopping = true
    this.#backoff.stop()
    await this.#options.client.close()
    await this.#running
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.#join()
        await this.#stay()
      } catch (error) {
        await this.#recover(faultOf(error))
      }
    }
    await this.#leave()
  }

  async #join(): Promise<void> {
    const { client, topic, group } = this.#options
    const { cluster } = client
    await this.#lookup.refresh([topic])
    // Whoever is dealt no partition of a topic that is not there would wait for ever.
    if (this.#lookup.idOf(topic) === undefined)
      throw this.#lookup.errorOf(topic) ?? new Error(`nothing is known of ${topic}`)
    const coordinator = await cluster.findGroupCoordinator({ groupId: group })
    const joined = await coordinator.joinGroup({
      groupId: group,
      memberId: this.#memberId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      groupProtocols: [this.#assigner.protocol({ topics: [topic] })],
    })
    this.#memberId = joined.memberId
    const isLeader = joined.leaderId === joined.memberId
    const { memberAssignment } = await coordinator.syncGroup({
      groupId: group,
      memberId: joined.memberId,
      generationId: joined.generationId,
      groupAssignment: isLeader ? await this.#assigner.assign({ members: joined.members, topics: [topic] }) : [],
    })
    this.#committed = await this.#readCommitted(coordinator, decodeAssignment(memberAssignment, topic))
    this.#generationId = joined.generationId
    this.#coordinator = coordinator
    if (this.#isStopping) return
    this.#options.onAssigned(this.#committed)
    this.#isWorking = true
    this.#backoff.reset()
    this.#options.onState('working')
  }

  async #readCommitted(coordinator: Broker, partitions: number[]): Promise<Map<number, number | null>> {
    const { topic, group } = this.#options
    if (partitions.length === 0) return new Map()
    const topics = [{ topic, partitions: partitions.map(partition => ({ partition })) }]
    const { responses } = await coordinator.offsetFetch({ groupId: group, topics })
    const committed = new Map<number, number | null>()
    for (const { partition, offset } of responses[0]?.partitions ?? []) {
      committed.set(partition, Number(offset) < 0 ? null : Number(offset))
    }
    return committed
  }

  /** Heartbeats and commits, until the group or the coordinator makes one of them fail. */
  async #stay(): Promise<void> {
    let beatAtMs = Date.now() + heartbeatIntervalMs
    while (!this.#isStopping) {
      await this.#backoff.pauseFor(commitIntervalMs)
      await this.#commit()
      if (this.#isStopping || Date.now() < beatAtMs) continue
      await this.#coordinator?.heartbeat({
        groupId: this.#options.group,
        memberId: this.#memberId,
        groupGenerationId: this.#generationId,
      })
      beatAtMs = Date.now() + heartbeatIntervalMs
    }
  }

  /** Only partitions held in this generation, and only what has changed; the coordinator refuses an older generation. */
  async #commit(): Promise<void> {
    const { topic, group } = this.#options
    const finished = this.#options.finished()
    const changed = [...finished].filter(
      ([partition, offset]) => this.#committed.has(partition) && offset > (this.#committed.get(partition) ?? 0),
    )
    if (changed.length === 0) return
    const rewinds = this.#rewinds
    await this.#coordinator?.offsetCommit({
      groupId: group,
      memberId: this.#memberId,
      groupGenerationId: this.#generationId,
      topics: [{ topic, partitions: changed.map(([partition, offset]) => ({ partition, offset: String(offset) })) }],
    })
    // What was on its way meanwhile is of a log that is gone: all are committed once more.
    if (rewinds === this.#rewinds) for (const [partition, offset] of changed) this.#committed.set(partition, offset)
  }

  async #recover(fault: Fault): Promise<void> {
    if (this.#isStopping) return
    if (fault.type === 'REBALANCE_IN_PROGRESS') {
      await this.#options.onRebalance()
      // Whoever is dealt our partitions shall not do again what is done.
      await this.#commit().catch(error => this.#options.log('debug', 'not committed before a rebalance', { error }))
      return
    }
    this.#coordinator = null
    if (
      fault.type === 'UNKNOWN_MEMBER_ID' ||
      fault.type === 'ILLEGAL_GENERATION' ||
      fault.type === 'FENCED_INSTANCE_ID'
    ) {
      this.#options.log('warn', `${this.#options.group} went on without this member (${fault.type}): joining anew`)
      if (fault.type !== 'ILLEGAL_GENERATION') this.#memberId = ''
    } else {
      if (this.#isWorking) this.#options.onState('interrupted', fault.error)
      this.#isWorking = false
      this.#options.log('warn', `no place in ${this.#options.group}: trying again`, { error: fault.error })
      await this.#options.client.reset()
    }
    await this.#backoff.pause()
  }

  async #leave(): Promise<void> {
    if (!this.#coordinator) return
    try {
      await this.#commit()
      await this.#coordinator.leaveGroup({ groupId: this.#options.group, memberId: this.#memberId })
    } catch (error) {
      this.#options.log('warn', `left ${this.#options.group} without a word`, { error })
    }
  }
}
