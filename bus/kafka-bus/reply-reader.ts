// Reads one partition of several topics without a group, as the gateway reads its replies: no rebalance, no lost first reply, and
// every reader sees every record. Touches kafkajs only through partition-reader.ts.
import { type Reader, type ReplyReading } from '#bus/bus.ts'
import { type BusLog } from '#bus/log.ts'
import { type Client } from './client.ts'
import { PartitionReader } from './partition-reader.ts'

/** Bounds nothing that matters: a record wakes the poll, and stopping does not wait for it. */
const maxWaitMs = 500

export function readReplies(client: Client, reading: ReplyReading, log: BusLog): Reader {
  const { partition, sinceMs } = reading
  const reader = new PartitionReader({
    client,
    maxWaitMs,
    log,
    onState: (state, cause) => reading.onState?.(state, cause),
    onRecords: (_part, records) => {
      for (const record of records) {
        try {
          reading.onRecord(record)
        } catch (error) {
          log('error', 'a reader threw; it goes on at the next record', { error })
        }
      }
    },
  })
  const ready = reader.assign(reading.topics.map(topic => ({ topic, partition, position: null, start: { sinceMs } })))
  return { ready, stop: () => reader.stop() }
}
