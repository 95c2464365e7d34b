// A record as kafkajs 2.2.4 decodes it (with record-decoder.ts), as the rest of NDX reads it.
import { type IncomingRecord } from '#bus/bus.ts'
import { type FetchedMessage } from './record-decoder.ts'

export function toIncoming(topic: string, partition: number, message: FetchedMessage): IncomingRecord {
  const headers: Record<string, string> = {}
  for (const name of Object.keys(message.headers)) {
    if (name === '__proto__') continue
    const value = message.headers[name]
    // Of a repeated header the first counts.
    headers[name] = (Array.isArray(value) ? value[0] : value)?.toString() ?? ''
  }
  return {
    topic,
    partition,
    offset: message.offset,
    timestampMs: Number(message.timestamp),
    key: message.key === null ? null : message.key.toString(),
    headers,
    value: message.value ?? Buffer.alloc(0),
  }
}
