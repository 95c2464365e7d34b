// The shared stack on Docker: `kafka` and `redis` of the project's own docker-compose.yml, so that the tests run on what
// is deployed, on free ports and with a password of this run. The other services of the file are not started.
import { randomBytes, randomUUID } from 'node:crypto'
import { access } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type StartedDockerComposeEnvironment } from 'testcontainers'
import { ContainerOutage, guardLabel, sweep } from './docker.ts'
import { findFreePort } from './ports.ts'
import { isKafkaAnswering, isRedisAnswering, kafkaDeadlineMs, redisDeadlineMs } from './probes.ts'
import { announce, withDeadline } from './progress.ts'
import { type Stack } from './stack.ts'

// Long enough for images to be pulled over a slow line.
const upMs = 10 * 60_000

export const projectComposeFile = join(import.meta.dirname, '..', '..', 'docker-compose.yml')

/** @param version the engine's, for the description */
export async function startComposeStack(version: string, composeFile: string = projectComposeFile): Promise<Stack> {
  await access(composeFile)
  const project = `ndx-stack-${randomUUID()}`
  const label = `com.docker.compose.project=${project}`
  const guard = guardLabel(label)
  const settings = { kafkaPort: await findFreePort(), redisPort: await findFreePort(), password: createPassword() }
  const brokers = [`127.0.0.1:${settings.kafkaPort}`]
  const redisUrl = `redis://:${settings.password}@127.0.0.1:${settings.redisPort}`
  try {
    const up = withDeadline('docker compose up', upMs, composeUp(composeFile, project, settings))
    const environment = await announce('stack: docker compose up kafka redis (pulls the images the first time)', up)
    const kafka = outageOf(environment, 'kafka', kafkaDeadlineMs, () => isKafkaAnswering(brokers))
    const redis = outageOf(environment, 'redis', redisDeadlineMs, () => isRedisAnswering(redisUrl))
    await announce('stack: waiting for kafka and redis', Promise.all([kafka.untilItAnswers(), redis.untilItAnswers()]))
    const describe = () => `compose (Docker ${version}): kafka ${brokers}, redis 127.0.0.1:${settings.redisPort}`
    return { kind: 'compose', kafkaBrokers: brokers, redisUrl, kafka, redis, describe, stop }
  } catch (error) {
    await sweep(label) // The guard stays: what we gave up may still be making containers.
    throw error
  }

  async function stop(): Promise<void> {
    await announce('stack: removing the containers', sweep(label))
    guard.dismiss()
  }
}

interface Settings {
  kafkaPort: number
  redisPort: number
  password: string
}

async function composeUp(file: string, project: string, settings: Settings): Promise<StartedDockerComposeEnvironment> {
  const { DockerComposeEnvironment } = await import('testcontainers')
  return new DockerComposeEnvironment(dirname(file), basename(file))
    .withProjectName(project)
    .withEnvironment({
      NDX_KAFKA_PORT: String(settings.kafkaPort),
      NDX_REDIS_PORT: String(settings.redisPort),
      NDX_REDIS_PASSWORD: settings.password,
    })
    .withStartupTimeout(kafkaDeadlineMs)
    .up(['kafka', 'redis'])
}

function outageOf(
  environment: StartedDockerComposeEnvironment,
  name: string,
  answerMs: number,
  isAnswering: () => Promise<boolean>,
): ContainerOutage {
  const id = environment.getContainer(`${name}-1`).getId()
  return new ContainerOutage({ name, id, answerMs, isAnswering })
}

function createPassword(): string {
  return randomBytes(16).toString('hex')
}
