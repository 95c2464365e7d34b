// All of docker-compose.yml, up under a project name, ports, data folder and image name of its own; nothing of it is left, not
// even when this process is killed (tests/stack/guard.ts).
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { guardLabel, sweep } from '#tests/stack/docker.ts'
import { createGuard, quote } from '#tests/stack/guard.ts'
import { findFreePort } from '#tests/stack/ports.ts'
import { root } from './compose-file.ts'

export interface Container {
  service: string
  id: string
  state: { Status: string; ExitCode: number; Health?: { Status: string } }
  host: {
    ReadonlyRootfs: boolean
    CapDrop: string[]
    SecurityOpt: string[]
    Memory: number
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]>
  }
}

export interface WholeStack {
  url: string
  operationsUrl: string
  ledgerUrl: string
  dataDir: string
  /** Those that ended included. */
  containers(): Promise<Container[]>
  /** `docker compose` with these arguments; what it printed. Rejects with its output. */
  compose(...args: string[]): Promise<string>
  /** A command in a service's container; what it printed. Rejects when it fails. */
  exec(service: string, ...command: string[]): Promise<string>
  /** All that the containers logged. */
  logs(): Promise<string>
  remove(): Promise<void>
}

const run = promisify(execFile)
/** The first build fetches the packages. */
const upMs = 8 * 60_000
const image = 'ndx:compose-test'

export async function startWholeStack(): Promise<WholeStack> {
  const project = `ndx-compose-${randomUUID()}`
  const label = `com.docker.compose.project=${project}`
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-compose-'))
  const guards = [guardLabel(label), createGuard()]
  guards[1]?.onLoss(`sleep 12; docker image rm -f ${image}; rm -rf ${quote(dataDir)}`)
  const [port, operationsPort, ledgerPort, kafkaPort, redisPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ]
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NDX_'))),
    NDX_PORT: String(port),
    NDX_OPERATIONS_PORT: String(operationsPort),
    NDX_LEDGER_PORT: String(ledgerPort),
    NDX_KAFKA_PORT: String(kafkaPort),
    NDX_REDIS_PORT: String(redisPort),
    NDX_DATA_DIR: dataDir,
    NDX_IMAGE: image,
  }
  const docker = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await run('docker', args, { cwd: root, env, timeout: upMs, maxBuffer: 64 * 2 ** 20 })
    return stdout + stderr
  }
  const compose = (...args: string[]): Promise<string> => docker('compose', '-p', project, ...args)
  const remove = async (): Promise<void> => {
    await sweep(label)
    await docker('image', 'rm', '-f', image)
    rmSync(dataDir, { recursive: true, force: true })
    for (const guard of guards) guard.dismiss()
  }
  try {
    await compose('up', '--wait')
  } catch (error) {
    const logs = await compose('logs', '--no-color', '--tail', '30').catch(String)
    await remove()
    throw new Error(`docker compose up failed\n${(error as { stderr?: string }).stderr ?? ''}\n${logs}`, {
      cause: error,
    })
  }
  return {
    url: `http://127.0.0.1:${port}`,
    operationsUrl: `http://127.0.0.1:${operationsPort}`,
    ledgerUrl: `http://127.0.0.1:${ledgerPort}`,
    dataDir,
    containers: async () => inspect(await run('docker', ['ps', '-aq', '--filter', `label=${label}`])),
    compose,
    exec: (service, ...command) => compose('exec', '-T', service, ...command),
    logs: () => compose('logs', '--no-color'),
    remove,
  }
}

async function inspect({ stdout }: { stdout: string }): Promise<Container[]> {
  const found = await run('docker', ['inspect', ...stdout.split('\n').filter(id => id !== '')])
  const described = JSON.parse(found.stdout) as {
    Id: string
    Config: { Labels: Record<string, string> }
    State: Container['state']
    HostConfig: Container['host']
  }[]
  return described.map(({ Id, Config, State, HostConfig }) => ({
    service: String(Config.Labels['com.docker.compose.service']),
    id: Id,
    state: State,
    host: HostConfig,
  }))
}
