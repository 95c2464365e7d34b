// A broker made of Kafka's own jars as a child process: one KRaft node, formatted once, in a folder of its own.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ensureKafkaJars } from './kafka-jars.ts'
import { kafkaHeapOptions, kafkaProperties, toPropertiesFile } from './kafka-settings.ts'
import { LocalProcess } from './local-process.ts'
import { findFreePort } from './ports.ts'
import { isKafkaAnswering, kafkaDeadlineMs } from './probes.ts'
import { type KafkaServer } from './server.ts'

const run = promisify(execFile)
const clusterId = 'bmR4LXRlc3Qtc3RhY2swMA'
const logging = `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'kafka.log4j2.properties')}`

export interface LocalKafkaOptions {
  /** Addresses (`host:port`) of proxies in front of it: each gets a listener of its own, which says it is there. */
  proxies?: readonly string[]
}

export interface LocalKafka extends KafkaServer {
  /** Where each of the proxies must pass its clients on to. */
  readonly behindProxies: readonly string[]
}

/** @param parent where its folder is made */
export async function startLocalKafka(
  parent: string = tmpdir(),
  { proxies = [] }: LocalKafkaOptions = {},
): Promise<LocalKafka> {
  const classPath = ['-cp', join(await ensureKafkaJars(), '*')]
  const port = await findFreePort()
  const broker = `127.0.0.1:${port}`
  await mkdir(parent, { recursive: true })
  const detours = await Promise.all(
    proxies.map(async advertised => ({ listener: `127.0.0.1:${await findFreePort()}`, advertised })),
  )
  const dir = await mkdtemp(join(parent, 'ndx-kafka-'))
  const file = join(dir, 'server.properties')
  const server = new LocalProcess({
    name: 'kafka',
    command: 'java',
    args: [...kafkaHeapOptions.split(' '), logging, ...classPath, 'kafka.Kafka', file],
    dir,
    answerMs: kafkaDeadlineMs,
    isAnswering: () => isKafkaAnswering([broker]),
  })
  try {
    const controller = `127.0.0.1:${await findFreePort()}`
    const logDir = join(dir, 'log')
    const properties = kafkaProperties({ listener: broker, advertised: broker, controller, logDir, detours })
    await writeFile(file, toPropertiesFile(properties))
    await format(classPath, file)
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  const behindProxies = detours.map(({ listener }) => listener)
  return Object.assign(server, { kind: 'local' as const, brokers: [broker], behindProxies })
}

async function format(classPath: string[], file: string): Promise<void> {
  const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', file]
  await run('java', ['-XX:TieredStopAtLevel=1', logging, ...classPath, ...tool], { timeout: kafkaDeadlineMs })
}
