// What the bench tells this peer through its environment, and how each side talks to Kafka in the two variants. `documented`
// names no more than the framework's own pages do, and acks; `tuned` adds what a careful team would.
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { type KafkaOptions } from '@nestjs/microservices'

export const isTuned = process.env.VARIANT === 'tuned'
export const port = Number(need('PORT'))
export const redisUrl = need('REDIS_URL')
export const requestTopic = need('REQUEST_TOPIC')
export const path = need('EXCHANGE_PATH')
export const peopleFile = need('PEOPLE_FILE')
export const replyTimeoutMs = 5_000
/** Never reached: the count is the work, a refusal would spoil the figure. */
export const ratePerSecondMax = 1_000_000
export const auditKeyOf = (client: string): string => `audit:${requestTopic}:${client}`

export const readTokenRules = () => ({
  publicKey: readFileSync(need('PUBLIC_KEY_FILE'), 'utf8'),
  issuer: need('TOKEN_ISSUER'),
  audience: need('TOKEN_AUDIENCE'),
})

type Kafka = NonNullable<KafkaOptions['options']>

/** @param tunedRun how the tuned variant commits what it has read */
export function kafkaOptions(name: string, tunedRun: Kafka['run']): Kafka {
  const brokers = [need('KAFKA_BROKER')]
  return {
    client: { clientId: name, brokers, ...(isTuned ? { socketFactory: connectAtOnce } : {}) },
    consumer: { groupId: `${requestTopic}.${name}` },
    send: { acks: -1 },
    ...(isTuned ? { run: tunedRun } : {}),
  }
}

/** kafkajs leaves Nagle's algorithm on, which holds small requests back. */
function connectAtOnce(target: { host: string; port: number; onConnect: () => void }): Socket {
  const { host, port: targetPort, onConnect } = target
  return connect({ host, port: targetPort, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, onConnect)
}

function need(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set`)
  return value
}
