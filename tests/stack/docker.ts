// The Docker engine: whether one answers that the tests can use, what to sweep away, and a container's outages.
// testcontainers is loaded only here and in the files that start containers, and only when they are wanted.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createGuard, type Guard, quote } from './guard.ts'
import { waitUntil } from './probes.ts'
import { type Outage } from './server.ts'

/** `version` when an engine and Docker Compose answer; else `missing` says what did not. */
export type Engine = { version: string } | { missing: string }

const run = promisify(execFile)
const answerMs = 10_000
const freezeTries = 5
const sweepMs = 60_000
let found: Promise<Engine> | undefined

/** Asks once a process, through Docker's own command, so that DOCKER_HOST and contexts mean what they always mean. */
export function findEngine(): Promise<Engine> {
  found ??= askEngine()
  return found
}

async function askEngine(): Promise<Engine> {
  try {
    const [version, endpoint] = await Promise.all([
      docker('version', '--format', '{{.Server.Version}}'),
      docker('context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'),
      docker('compose', 'version', '--short'),
    ])
    if (!isOnThisMachine(endpoint)) return { missing: `the engine at ${endpoint} is on another machine` }
    configureTestcontainers(endpoint)
    return { version }
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return { missing: isAbsent ? 'there is no docker command' : firstLine(error) }
  }
}

async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { timeout: answerMs })
  return stdout.trim()
}

/** Ports are published on 127.0.0.1, so only an engine of this machine is of use. */
function isOnThisMachine(endpoint: string): boolean {
  return /^(unix:|npipe:|tcp:\/\/(localhost|127\.0\.0\.1)\b)/.test(endpoint)
}

/**
 * The reaper and the helper that finds the host's address are images of their own, which not everybody can pull; the
 * guards below do the reaper's work, and the address is known. What the user has set stays.
 */
function configureTestcontainers(endpoint: string): void {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= '127.0.0.1'
  if (endpoint !== 'unix:///var/run/docker.sock') process.env['DOCKER_HOST'] ??= endpoint
}

/** The one line of a failure that says the cause; Docker writes its progress before it. */
export function firstLine(error: unknown): string {
  const { stderr, message } = error as Error & { stderr?: string }
  const lines = (stderr || message || String(error)).split('\n').map(line => line.trim())
  return lines.find(line => /error|denied|no such|cannot|failed|not found/i.test(line)) ?? lines[0] ?? 'unknown'
}

/** Everything that carries this label, containers, volumes and networks, whatever state it is in. */
export async function sweep(label: string): Promise<void> {
  await run('/bin/sh', ['-c', sweepCommand(label)], { timeout: sweepMs })
}

/** Sweeps the label when this process is lost, thrice, since an interrupted `docker compose up` may still be at work. */
export function guardLabel(label: string): Guard {
  const guard = createGuard()
  const once = sweepCommand(label)
  guard.onLoss(`${once}; sleep 2; ${once}; sleep 5; ${once}`)
  return guard
}

function sweepCommand(label: string): string {
  const filter = `--filter ${quote(`label=${label}`)}`
  return [
    `ids=$(docker ps -aq ${filter}); [ -z "$ids" ] || docker rm -fv $ids`,
    `ids=$(docker volume ls -q ${filter}); [ -z "$ids" ] || docker volume rm -f $ids`,
    `ids=$(docker network ls -q ${filter}); [ -z "$ids" ] || docker network rm $ids`,
  ].join('; ')
}

export interface ContainerOptions {
  name: string
  id: string
  answerMs: number
  isAnswering(): Promise<boolean>
}

export class ContainerOutage implements Outage {
  readonly #options: ContainerOptions
  #pid: number | undefined

  constructor(options: ContainerOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#pid
  }

  /** On a busy machine an engine may fail to freeze a container at the first try ("unable to freeze"). */
  async pause(): Promise<void> {
    for (let triesLeft = freezeTries; ; ) {
      const { Paused, Running } = await this.#state()
      if (!Running || Paused) return
      try {
        await (await this.#container()).pause()
      } catch (error) {
        triesLeft -= 1
        if (triesLeft === 0) throw error
      }
    }
  }

  async resume(): Promise<void> {
    if ((await this.#state()).Paused) await (await this.#container()).unpause()
    await this.untilItAnswers()
  }

  /** A frozen container takes no signal, so it is thawed first. */
  async kill(): Promise<void> {
    const { Paused, Running } = await this.#state()
    const container = await this.#container()
    if (Paused) await container.unpause()
    if (Running) await container.kill({ signal: 'SIGKILL' })
    if (Running) await container.wait()
    this.#pid = undefined
  }

  async start(): Promise<void> {
    if (!(await this.#state()).Running) await (await this.#container()).start()
    await this.untilItAnswers()
  }

  async untilItAnswers(): Promise<void> {
    const { name, answerMs, isAnswering } = this.#options
    await waitUntil(name, answerMs, isAnswering, () => this.#assertAlive())
    // Elsewhere the engine lives in a virtual machine, and the number means nothing here.
    if (process.platform === 'linux') this.#pid = (await this.#state()).Pid
  }

  async #assertAlive(): Promise<void> {
    const { Running, ExitCode } = await this.#state()
    if (!Running) throw new Error(`the container of ${this.#options.name} ended with code ${ExitCode}`)
  }

  async #state() {
    return (await (await this.#container()).inspect()).State
  }

  async #container() {
    const { getContainerRuntimeClient } = await import('testcontainers')
    return (await getContainerRuntimeClient()).container.getById(this.#options.id)
  }
}
