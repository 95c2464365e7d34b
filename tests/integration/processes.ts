// The real processes of the exchange, as compose runs them but on this machine: gateways and adapters over the given Kafka and
// Redis. Each test makes a platform of its own topics' providers and closes it. Nothing here waits by time.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createTopics } from '#bus/kafka-bus/topics-admin.ts'
import { planTopics } from '#bus/topics.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { makeSecrets } from '#runtime/secrets.ts'
import { until } from '#tests/bus/until.ts'

const root = join(import.meta.dirname, '../..')

export interface LogLine {
  event?: string
  level?: string
  [field: string]: unknown
}

export interface Process {
  readonly pid: number
  readonly lines: LogLine[]
  /** Undefined while it runs. */
  readonly exitCode: number | null | undefined
  signal(signal: NodeJS.Signals): void
  /** SIGTERM, then its exit code. */
  stop(): Promise<number | null>
}

export interface GatewayProcess extends Process {
  url: string
  operationsUrl: string
}

export interface Platform {
  dataDir: string
  startGateway(name: string, environment?: Record<string, string>): Promise<GatewayProcess>
  /** The one ledger; gateways know its address from the start. Started again it goes on where it stopped. */
  startLedger(environment?: Record<string, string>): Promise<GatewayProcess>
  startAdapter(provider: string, name: string, environment?: Record<string, string>): Promise<GatewayProcess>
  stop(): Promise<void>
}

export interface PlatformOptions {
  kafkaBrokers: readonly string[]
  redisUrl: string
  /** 1 to 15: counters of this test's own on the shared Redis. */
  redisDatabase?: number
  contractsDir?: string
}

/** Topics and secrets; processes are started by the test. */
export async function createPlatform({
  kafkaBrokers,
  redisUrl,
  redisDatabase = 0,
  contractsDir,
}: PlatformOptions): Promise<Platform> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ndx-platform-'))
  const registry = loadRegistry({
    idScheme: 'simulated',
    ...(contractsDir === undefined ? {} : { directory: contractsDir }),
  })
  makeSecrets(dataDir, registry)
  await createTopics([...kafkaBrokers], planTopics(registry.providers))
  const running: Process[] = []
  const ledgerPort = await freePort()
  const ledgerUrl = `http://127.0.0.1:${ledgerPort}`
  const shared = {
    NDX_LEDGER_URL: ledgerUrl,
    NDX_KAFKA_BROKERS: kafkaBrokers.join(),
    NDX_REDIS_URL: `${redisUrl}/${redisDatabase}`,
    NDX_DATA_DIR: dataDir,
    // Many processes share the machine: a gateway held up by the others does not shed.
    NDX_EVENT_LOOP_DELAY_MAX_MS: '60000',
    ...(contractsDir === undefined ? {} : { NDX_CONTRACTS_DIR: contractsDir }),
  }
  const start = async (
    script: string[],
    name: string,
    environment: Record<string, string>,
  ): Promise<GatewayProcess> => {
    const [anyPort, operationsPort] = await Promise.all([freePort(), freePort()])
    const port = environment['NDX_PORT'] ?? String(anyPort)
    const child = startProcess(script, {
      ...shared,
      NDX_INSTANCE: name,
      NDX_PORT: port,
      NDX_OPERATIONS_PORT: String(operationsPort),
      ...environment,
    })
    running.push(child)
    const isLedger = script[0] === 'ledger/main.ts'
    const urls = isLedger
      ? { url: ledgerUrl, operationsUrl: ledgerUrl }
      : { url: `http://127.0.0.1:${port}`, operationsUrl: `http://127.0.0.1:${operationsPort}` }
    const process = Object.assign(child, urls)
    await until(`${name} is ready`, () => isReady(process), 100_000)
    return process
  }
  return {
    dataDir,
    startGateway: (name, environment = {}) => start(['gateway/main.ts'], name, environment),
    startLedger: (environment = {}) =>
      start(['ledger/main.ts'], 'ledger', { NDX_LEDGER_PORT: String(ledgerPort), ...environment }),
    startAdapter: (provider, name, environment = {}) => start(['services/main.ts', provider], name, environment),
    stop: async () => {
      await Promise.all(running.map(process => process.stop()))
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Whether the process says that it can serve; throws when it has ended. */
export async function isReady({ operationsUrl, exitCode, lines }: GatewayProcess): Promise<boolean> {
  if (exitCode !== undefined)
    throw new Error(
      `the process ended with ${exitCode}: ${lines
        .slice(-12)
        .map(line => line['text'] ?? JSON.stringify(line))
        .join('\n')}`,
    )
  const response = await fetch(`${operationsUrl}/health/ready`, { signal: AbortSignal.timeout(20_000) }).catch(
    () => undefined,
  )
  return response?.ok === true
}

function startProcess(script: string[], environment: Record<string, string>): Process {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NDX_')))
  const child = spawn(process.execPath, script, {
    cwd: root,
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: LogLine[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', line => lines.push(parseLine(line)))
  let exitCode: number | null | undefined
  const ended = new Promise<number | null>(resolve =>
    child.once('exit', code => {
      exitCode = code
      resolve(code)
    }),
  )
  return {
    pid: child.pid as number,
    lines,
    get exitCode() {
      return exitCode
    },
    signal: signal => void child.kill(signal),
    stop: () => stopProcess(child, ended),
  }
}

async function stopProcess(child: ChildProcess, ended: Promise<number | null>): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGCONT')
    child.kill('SIGTERM')
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  return ended.finally(() => clearTimeout(timer))
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { event: 'text', text: line }
  }
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
