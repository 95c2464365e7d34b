// Runs the command line as its users do: a child process with an environment of its own. Nothing of the machine's NDX_*
// variables reaches it. Whoever starts a process that lives on ends it.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { dispatch } from '#cli/dispatch.ts'
import { createTerminal } from '#cli/terminal.ts'
import { until, within } from '#tests/bus/until.ts'

export const projectDir = resolve(import.meta.dirname, '../..')
const entry = join(projectDir, 'cli/ndx.ts')
const endsWithinMs = 110_000

export type Environment = Record<string, string>

/** A system's variables, and `node` and `npx` on the path; colours are never asked for. */
export const baseEnvironment = (extra: Environment = {}): Environment => ({
  PATH: `${join(projectDir, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  HOME: process.env['HOME'] ?? tmpdir(),
  TZ: 'UTC',
  ...(process.env['NODE_COMPILE_CACHE'] === undefined ? {} : { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }),
  ...extra,
})

export interface Finished {
  status: number | null
  stdout: string
  stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** So far. */
  stdout(): string
  stderr(): string
  /** Resolves when the process has ended and its output is whole. */
  ended: Promise<Finished>
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Finished>
}

export function launch(args: readonly string[], environment: Environment = {}, input?: string | Buffer): Running {
  return watchOver(
    spawn(process.execPath, [entry, ...args], {
      cwd: projectDir,
      env: baseEnvironment(environment),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    }),
    input,
  )
}

/** A line for a real shell, in the project folder. */
export const launchShell = (line: string, environment: Environment = {}): Running =>
  watchOver(
    spawn('sh', ['-c', line], {
      cwd: projectDir,
      env: baseEnvironment(environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )

/** Runs to the end, which must come within two minutes. */
export const ndx = (
  args: readonly string[],
  environment: Environment = {},
  input?: string | Buffer,
): Promise<Finished> => launch(args, environment, input).ended

/** The same without a process of its own, where none is needed: some hundred milliseconds less. */
export async function ndxHere(
  args: readonly string[],
  env: Environment = {},
  input: string | Buffer = '',
): Promise<Finished> {
  const written = { stdout: '', stderr: '' }
  const streamOf = (name: 'stdout' | 'stderr') => ({
    write: (text: string, done?: () => void) => {
      written[name] += text
      done?.()
    },
  })
  const stdin = Readable.from([Buffer.from(input)])
  const streams = { stdin, stdout: streamOf('stdout'), stderr: streamOf('stderr'), env }
  const { status } = await dispatch(args, createTerminal(streams as never))
  return { status, ...written }
}

export const shell = (line: string, environment: Environment = {}): Promise<Finished> =>
  toItsEnd(launchShell(line, environment))

async function toItsEnd(running: Running): Promise<Finished> {
  try {
    return await within(endsWithinMs, 'the end of a command', running.ended)
  } catch (error) {
    running.child.kill('SIGKILL')
    throw error
  }
}

function watchOver(child: ChildProcess, input?: string | Buffer): Running {
  const collected = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      collected[name] += text
    })
  }
  child.stdin?.on('error', () => {}) // it may end without reading all
  if (input !== undefined) child.stdin?.end(input)
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', status => {
      process.removeListener('exit', kill)
      resolve({ status, ...collected })
    })
  })
  return {
    child,
    stdout: () => collected.stdout,
    stderr: () => collected.stderr,
    ended,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

export interface Exchange {
  process: Running
  url: string
  operationsUrl: string
  ledgerUrl: string
  dataDir: string
  /** For commands that shall find this exchange. */
  environment: Environment
  stop(signal?: NodeJS.Signals): Promise<Finished>
}

/** Test files run side by side: an exchange held up by the others does not shed. */
const busyMachine = { NDX_EVENT_LOOP_DELAY_MAX_MS: '60000' }

/** An embedded exchange on free ports with a data directory of its own, started by `ndx start`. */
export async function startExchange(extra: Environment = {}): Promise<Exchange> {
  const dataDir = makeFolder()
  const ports = { NDX_PORT: '0', NDX_OPERATIONS_PORT: '0', NDX_LEDGER_PORT: '0' }
  const settings = { NDX_DATA_DIR: dataDir, ...ports, ...busyMachine, ...extra }
  const running = launch(['start'], settings)
  let hasEnded = false
  void running.ended.then(() => {
    hasEnded = true
  })
  await until('the exchange is ready', () => hasEnded || running.stdout().includes('Ctrl-C stops'))
  if (hasEnded) throw new Error(`the exchange did not start: ${running.stderr()}`)
  const find = (pattern: RegExp): string => pattern.exec(running.stdout())?.[1] ?? ''
  const url = find(/gateway {5}(\S+)/)
  const operationsUrl = find(/operations {2}(\S+)\/metrics/)
  const ledgerUrl = find(/ledger {6}(\S+)/)
  return {
    process: running,
    url,
    operationsUrl,
    ledgerUrl,
    dataDir,
    environment: {
      NDX_DATA_DIR: dataDir,
      NDX_URL: url,
      NDX_OPERATIONS_URL: operationsUrl,
      NDX_LEDGER_URL: ledgerUrl,
    },
    stop: async signal => {
      const finished = await running.stop(signal)
      rmSync(dataDir, { recursive: true, force: true })
      return finished
    },
  }
}

export const makeFolder = (): string => mkdtempSync(join(tmpdir(), 'ndx-cli-'))
