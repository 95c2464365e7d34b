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

/** @param parent where its folder is made */
export async function startLocalKafka(parent: string = tmpdir()): Promise<KafkaServer> {
  const classPath = ['-cp', join(await ensureKafkaJars(), '*')]
  const port = await findFreePort()
  const broker = `127.0.0.1:${port}`
  await mkdir(parent, { recursive: true })
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
    const properties = kafkaProperties({ listener: broker, advertised: broker, controller, logDir: join(dir, 'log') })
    await writeFile(file, toPropertiesFile(properties))
    await format(classPath, file)
    await server.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  return Object.assign(server, { kind: 'local' as const, brokers: [broker] })
}

async function format(classPath: string[], file: string): Promise<void> {
  const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', file]
  await run('java', ['-XX:TieredStopAtLevel=1', logging, ...classPath, ...tool], { timeout: kafkaDeadlineMs })
}
