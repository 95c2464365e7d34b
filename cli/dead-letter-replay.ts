// Reads the dead letters from the road, and has one done again when two operators want it: the proposal and the approval are on the
// topic, signed, before the request is sent. The request is the original record with a new deadline: same exchange, same key.
import { type KeyObject } from 'node:crypto'
import { type Bus, type IncomingRecord, type OutgoingRecord } from '#bus/bus.ts'
import { type DeadLetter, type ReplayStep, writeReplayStep } from '#bus/dead-letter.ts'
import { exchangeIdOf, headerNames, MessageError, type RequestMessage, readRequest } from '#bus/message.ts'
import { deadLetterTopic, requestTopic } from '#bus/topics.ts'
import { CommandError } from './command.ts'
import { type DeadLetterCase, DeadLetterCases, decideReplay } from './dead-letter-cases.ts'
import { type IsSigned, signStep } from './operators.ts'

/** Records taken at once. */
const recordsMax = 500
const lookEveryMs = 20

/** All of the topic, as of now. */
export async function readCases(bus: Bus, withinMs: number): Promise<DeadLetterCases> {
  const cases = new DeadLetterCases()
  const follower = bus.follow({
    topics: [deadLetterTopic],
    from: () => undefined,
    recordsMax,
    onRecords: async records => {
      for (const record of records) cases.add(record)
    },
  })
  try {
    const endMs = performance.now() + withinMs
    while (follower.caughtUpMs === 0 || follower.lag > 0) {
      if (performance.now() > endMs)
        throw new CommandError(
          `the dead letters could not be read within ${withinMs / 1000} s.\nIs Kafka running, and is NDX_KAFKA_BROKERS right?`,
        )
      await new Promise(resolve => setTimeout(resolve, lookEveryMs))
    }
    return cases
  } finally {
    await follower.stop()
  }
}

export interface Replaying {
  bus: Bus
  operator: string
  key: KeyObject
  isSigned: IsSigned
  /** Epoch ms, the operator's own clock. */
  nowMs: number
}

/** Proposes it, or approves another's proposal and sends the request again. Throws CommandError with what stands against it. */
export async function replay(one: DeadLetterCase, replaying: Replaying): Promise<'proposed' | 'approved'> {
  const { letter } = one
  const decision = decideReplay(one, replaying.operator, replaying)
  if (decision.act === 'refuse') throw new CommandError(`${letter.id} is not replayed: ${decision.reason}.`)
  const { record, request } = await readOriginal(letter, replaying.bus)
  if (decision.act === 'propose') {
    await publishStep({ step: 'proposed' }, letter, replaying)
    return 'proposed'
  }
  const { operator, signature } = decision.proposal
  await publishStep({ step: 'approved', approves: { operator, signature } }, letter, replaying)
  try {
    await replaying.bus.publish(letter.topic, withNewDeadline(record, request, replaying.bus.now()))
  } catch (cause) {
    throw new CommandError(
      `${letter.id} is approved, but its request could not be sent: ${messageOf(cause)}.\nIt may be there nevertheless. If it is not, propose it again.`,
      { cause },
    )
  }
  return 'approved'
}

/** The record that was given up on, if it is still there, is that one, and can be read. */
async function readOriginal(
  letter: DeadLetter,
  bus: Bus,
): Promise<{ record: IncomingRecord; request: RequestMessage }> {
  const { id, topic, partition, offset, provider, exchangeId } = letter
  const refuse = (reason: string): CommandError => new CommandError(`${id} is not replayed: ${reason}`)
  if (topic !== requestTopic(provider)) throw refuse('it is not from a request topic.')
  let record: IncomingRecord | undefined
  try {
    record = await bus.readAt(topic, partition, offset)
  } catch (cause) {
    throw new CommandError(`${id}: the original record could not be read: ${messageOf(cause)}.\nTry again.`, { cause })
  }
  if (record === undefined)
    throw refuse(
      `its record ${topic}/${partition}/${offset} is gone; requests are kept for a day.\nThe client has to ask again.`,
    )
  try {
    const request = readRequest(record)
    if (exchangeIdOf(record) === exchangeId) return { record, request }
  } catch (cause) {
    if (!(cause instanceof MessageError)) throw cause
    throw refuse(`its record cannot be read (${cause.message}); it would be given up on again.`)
  }
  throw refuse('another record is at its place: the topic was made anew.')
}

async function publishStep(
  step: Pick<ReplayStep, 'step' | 'approves'>,
  letter: DeadLetter,
  { bus, operator, key, nowMs }: Replaying,
): Promise<void> {
  const signed = signStep({ ...step, letterId: letter.id, operator, signedMs: nowMs }, letter, key)
  try {
    await bus.publish(deadLetterTopic, writeReplayStep(signed, letter.exchangeId))
  } catch (cause) {
    throw new CommandError(
      `${letter.id}: nothing was done, the road did not take it: ${messageOf(cause)}.\nTry again.`,
      {
        cause,
      },
    )
  }
}

/** As much time as it had; on the partition it was on, so that the order of its key stays. */
function withNewDeadline(record: IncomingRecord, request: RequestMessage, nowMs: number): OutgoingRecord {
  const allowedMs = request.deadlineMs - request.acceptedMs
  const deadlineMs = nowMs + (allowedMs > 0 ? allowedMs : deadlineFallbackMs)
  return {
    key: record.key,
    partition: record.partition,
    headers: { ...record.headers, [headerNames.deadline]: String(deadlineMs) },
    value: record.value.toString('utf8'),
  }
}

/** For a record whose own times make no sense. */
const deadlineFallbackMs = 60_000

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
