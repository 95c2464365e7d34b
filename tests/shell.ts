// Runs what a reader would paste, in a real shell, with the project's Node first on the path.
import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { root } from './documents.ts'

export interface Ran {
  status: number | null
  stdout: string
  stderr: string
}

export interface ShellOptions {
  cwd?: string
  environment?: Readonly<Record<string, string>>
  timeoutMs?: number
}

/** Ends after its time, so that a command that hangs fails its test. */
export async function run(
  command: string,
  { cwd = root, environment = {}, timeoutMs = 110_000 }: ShellOptions = {},
): Promise<Ran> {
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: environmentOf(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
  })
  const read = async (stream: NodeJS.ReadableStream): Promise<string> => {
    const parts: Buffer[] = []
    for await (const part of stream) parts.push(part as Buffer)
    return Buffer.concat(parts).toString('utf8')
  }
  const status = new Promise<number | null>(resolve => child.once('close', resolve))
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)])
  return { status: await status, stdout, stderr }
}

/** Starts a command that goes on, in a process group of its own; resolves with what it printed once `isUp` says so. */
export async function start(
  command: string,
  isUp: (printed: string) => boolean,
  { cwd = root, environment = {}, timeoutMs = 50_000 }: ShellOptions = {},
) {
  const child = spawn('sh', ['-c', command], {
    cwd,
    env: environmentOf(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let printed = ''
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not up within ${timeoutMs} ms: ${command}\n${printed}`)),
      timeoutMs,
    )
    const onText = (text: Buffer): void => {
      printed += text.toString('utf8')
      if (isUp(printed)) settle(resolve)
    }
    const settle = (action: () => void): void => {
      clearTimeout(timer)
      action()
    }
    child.stdout.on('data', onText)
    child.stderr.on('data', onText)
    child.once('close', () => settle(() => reject(new Error(`ended: ${command}\n${printed}`))))
  }).catch(async error => {
    endGroup(child)
    throw error
  })
  return {
    printed,
    stop: async (): Promise<void> => {
      endGroup(child)
      await ended
    },
  }
}

function endGroup({ pid, exitCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGTERM')
}

function environmentOf(environment: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => !entry[0].startsWith('NDX_') && entry[1] !== undefined,
  )
  const path = [dirname(process.execPath), join(root, 'node_modules/.bin'), process.env['PATH']].join(':')
  // What npm has to say of its user's own settings is not ours.
  return { ...Object.fromEntries(inherited), npm_config_loglevel: 'error', ...environment, PATH: path }
}
