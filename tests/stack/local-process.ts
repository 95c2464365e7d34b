// One server as a child process, in a process group of its own, with a folder of its own; both go when we go.
// SIGSTOP and SIGKILL are its outages. It is not restarted when it dies by itself: the next question finds out.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createGuard, type Guard, quote } from './guard.ts'
import { waitUntil } from './probes.ts'
import { announce } from './progress.ts'
import { type Outage } from './server.ts'

export interface LocalProcessOptions {
  name: string
  command: string
  args: string[]
  /** Its folder, removed at stop; `<name>.log` in it takes what the process writes. */
  dir: string
  answerMs: number
  isAnswering(): Promise<boolean>
  /** Its whole environment, asked for at each start; default ours. */
  environment?(): NodeJS.ProcessEnv
}

export class LocalProcess implements Outage {
  readonly #options: LocalProcessOptions
  readonly #guard: Guard = createGuard()
  #child: ChildProcess | undefined

  constructor(options: LocalProcessOptions) {
    this.#options = options
    this.#guardFolder()
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    if (!this.#child) await this.#spawn()
    await this.#untilItAnswers()
  }

  async pause(): Promise<void> {
    this.#signal('SIGSTOP')
  }

  async resume(): Promise<void> {
    this.#signal('SIGCONT')
    await this.#untilItAnswers()
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child) return
    child.ref() // A server alone does not keep us running, but this wait does.
    const gone = once(child, 'exit')
    this.#signal('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.#options.dir, { recursive: true, force: true, maxRetries: 3 })
    this.#guard.dismiss()
  }

  async #spawn(): Promise<void> {
    const { command, args, dir, environment } = this.#options
    const log = await open(this.#logFile(), 'a')
    const env = environment?.() ?? process.env
    const child = spawn(command, args, { cwd: dir, env, detached: true, stdio: ['ignore', log.fd, log.fd] })
    if (child.pid) this.#guard.onLoss(`kill -s KILL -- -${child.pid}; sleep 1; ${this.#removal()}`)
    this.#child = child
    child.unref()
    child.once('exit', () => {
      this.#child = undefined
      this.#guardFolder() // Its number may soon be somebody else's.
    })
    await once(child, 'spawn').finally(() => log.close())
  }

  async #untilItAnswers(): Promise<void> {
    const { name, answerMs, isAnswering } = this.#options
    const answered = waitUntil(name, answerMs, isAnswering, () => this.#assertAlive())
    await announce(`${name}: starting a local server`, answered)
  }

  async #assertAlive(): Promise<void> {
    if (this.#child) return
    const log = await readFile(this.#logFile(), 'utf8').catch(() => '')
    const end = log.trim().split('\n').slice(-15).join('\n')
    throw new Error(`${this.#options.name} ended instead of answering; the end of its log:\n${end}`)
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid) process.kill(-this.#child.pid, signal)
  }

  #guardFolder(): void {
    this.#guard.onLoss(this.#removal())
  }

  #removal(): string {
    return `rm -rf ${quote(this.#options.dir)}`
  }

  #logFile(): string {
    return join(this.#options.dir, `${this.#options.name}.log`)
  }
}
