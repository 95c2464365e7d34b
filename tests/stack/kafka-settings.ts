// The broker's settings, the same for a container and for a local process: one KRaft node that loses nothing it should
// not and waits for nothing it need not. The project's docker-compose.yml has its own copy, as a deployment must.

export const kafkaVersion = '4.1.1'
export const kafkaHeapOptions = '-Xms256m -Xmx1g'

export interface KafkaAddresses {
  /** What the client's listener binds to, `host:port`; an empty host is every interface. */
  listener: string
  /** Where clients find it, `host:port`. */
  advertised: string
  /** The controller's listener, `host:port`. */
  controller: string
  /** The folder of the log. */
  logDir: string
  /** More listeners for clients that come another way, through a proxy: where each binds to, and where it says it is. */
  detours?: readonly { listener: string; advertised: string }[]
}

export function kafkaProperties(addresses: KafkaAddresses): Record<string, string> {
  const detours = (addresses.detours ?? []).map((detour, index) => ({ ...detour, name: `DETOUR${index}` }))
  const listeners = [{ name: 'PLAINTEXT', listener: addresses.listener, advertised: addresses.advertised }, ...detours]
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${addresses.controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [
      ...listeners.map(({ name, listener }) => `${name}://${listener}`),
      `CONTROLLER://${addresses.controller}`,
    ].join(),
    'advertised.listeners': listeners.map(({ name, advertised }) => `${name}://${advertised}`).join(),
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': ['CONTROLLER', ...listeners.map(({ name }) => name)]
      .map(name => `${name}:PLAINTEXT`)
      .join(),
    'log.dirs': addresses.logDir,
    // A broker that was killed is let in again only when its old session is over: 3 s instead of 9.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
  }
}

/** The lines of a `server.properties`. */
export function toPropertiesFile(properties: Record<string, string>): string {
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}`)
  return `${lines.join('\n')}\n`
}

/** The same as the variables that Kafka's official image understands: `log.dirs` is `KAFKA_LOG_DIRS`. */
export function toEnvironment(properties: Record<string, string>): Record<string, string> {
  const pairs = Object.entries(properties).map(([name, value]) => [
    `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`,
    value,
  ])
  return Object.fromEntries(pairs)
}
