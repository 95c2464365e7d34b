// One process of a run: its output goes to a file, it is asked to end and after ten seconds made to, and it does not
// outlive the bench, however that ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createGuard } from '#tests/stack/guard.ts'
import { waitUntil } from '#tests/stack/probes.ts'

export interface ChildOptions {
  name: string
  /** Default: this Node. */
  program?: string
  /** The script with its arguments. */
  script: readonly string[]
  /** The tree it runs in. */
  root: string
  outputFile: string
  nodeFlags?: readonly string[]
  environment?: Readonly<Record<string, string>>
}

export interface Child {
  pid: number
  /** Resolves when the address answers 2xx, or the question with yes; rejects when the process ends instead, or after a minute. */
  ready(url: string | (() => Promise<boolean>), maxMs?: number): Promise<void>
  stop(): Promise<void>
}

const readyMaxMs = 60_000
const stopMaxMs = 10_000

export function startChild(options: ChildOptions): Child {
  const { program = process.execPath, script, root, outputFile, nodeFlags = [], environment = {} } = options
  const output = openSync(outputFile, 'a')
  const child = spawn(program, [...nodeFlags, ...script], {
    cwd: root,
    env: { ...foreignEnvironment(), ...environment },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const guard = createGuard()
  guard.onLoss(`kill -s KILL ${child.pid}`)
  child.once('exit', () => guard.dismiss())
  return {
    pid: child.pid as number,
    ready: (url, maxMs = readyMaxMs) =>
      waitUntil(
        options.name,
        maxMs,
        () => (typeof url === 'string' ? answers(url) : url()),
        async () => assertRunning(child, options),
      ).catch(error => {
        throw new Error(`${(error as Error).message}${endOfOutput(options)}`, { cause: error })
      }),
    stop: () => end(child),
  }
}

/** Ours without NDX_* variables, which would be the child's settings. */
const foreignEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NDX_')))

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
  await response?.arrayBuffer()
  return response?.ok === true
}

function assertRunning(child: ChildProcess, { name }: ChildOptions): void {
  if (!isRunning(child)) throw new Error(`${name} ended instead of answering`)
}

function endOfOutput({ outputFile }: ChildOptions): string {
  const lines = readFileSync(outputFile, 'utf8').trim().split('\n')
  return `; the end of its output:\n${lines.slice(-10).join('\n')}`
}

export async function end(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMaxMs)
  await gone
  clearTimeout(timer)
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null
