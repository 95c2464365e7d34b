// One process of NDX under fault: started, killed, frozen by its process id, always found again on the same ports. Its clock can be
// set wrong for its next life.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LocalProcess } from '#tests/stack/local-process.ts'
import { findFreePort } from '#tests/stack/ports.ts'
import { type Outage } from '#tests/stack/server.ts'

const root = join(import.meta.dirname, '../..')
const preload = pathToFileURL(join(import.meta.dirname, 'clock-shift.ts')).href
const readyMs = 60_000
const answerMs = 2_000

export type MemberKind = 'gateway' | 'adapter' | 'ledger'

export interface Member extends Outage {
  readonly name: string
  readonly kind: MemberKind
  /** Where it answers: a gateway its clients, the ledger gateways. */
  readonly url: string
  /** Of its next life. */
  clockShiftMs: number
  /** Of all its lives. */
  log(): string
  /** A number of its metrics; 0 when there is none of that name. */
  metric(name: string): Promise<number>
  stop(): Promise<void>
}

export interface MemberOptions {
  name: string
  kind: MemberKind
  /** Relative to the project. */
  script: readonly string[]
  /** Its folder is made below. */
  directory: string
  environment: Readonly<Record<string, string>>
}

/** Not started yet. */
export async function createMember({ name, kind, script, directory, environment }: MemberOptions): Promise<Member> {
  const [port, operationsPort] = [await findFreePort(), await findFreePort()]
  const url = `http://127.0.0.1:${port}`
  const insideUrl = kind === 'ledger' ? url : `http://127.0.0.1:${operationsPort}`
  const dir = join(directory, name)
  mkdirSync(dir, { recursive: true })
  const [main = '', ...args] = script
  const ports = { NDX_OPERATIONS_PORT: operationsPort, [kind === 'ledger' ? 'NDX_LEDGER_PORT' : 'NDX_PORT']: port }
  const process_ = new LocalProcess({
    name,
    command: process.execPath,
    args: [join(root, main), ...args],
    dir,
    answerMs: readyMs,
    isAnswering: () => isReady(insideUrl),
    environment: () => ({
      ...inherited(),
      ...environment,
      ...Object.fromEntries(Object.entries(ports).map(([setting, value]) => [setting, String(value)])),
      NDX_INSTANCE: name,
      ...shifted(member.clockShiftMs),
    }),
  })
  const member: Member = {
    name,
    kind,
    url,
    clockShiftMs: 0,
    get pid() {
      return process_.pid
    },
    start: () => process_.start(),
    kill: () => process_.kill(),
    pause: () => process_.pause(),
    resume: () => process_.resume(),
    stop: () => process_.stop(),
    log: () => readFileSync(join(dir, `${name}.log`), 'utf8'),
    metric: wanted => readMetric(insideUrl, wanted),
  }
  return member
}

const shifted = (shiftMs: number): Record<string, string> =>
  shiftMs === 0 ? {} : { NODE_OPTIONS: `--import ${preload}`, FAULT_CLOCK_SHIFT_MS: String(shiftMs) }

/** Nothing of ours, and nothing that a test runner set for itself. */
const inherited = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      (pair): pair is [string, string] => pair[1] !== undefined && !/^(NDX_|NODE_|VITEST|TEST$)/.test(pair[0]),
    ),
  )

async function isReady(insideUrl: string): Promise<boolean> {
  const response = await fetch(`${insideUrl}/health/ready`, { signal: AbortSignal.timeout(answerMs) }).catch(
    () => undefined,
  )
  await response?.body?.cancel()
  return response?.ok === true
}

async function readMetric(insideUrl: string, wanted: string): Promise<number> {
  const response = await fetch(`${insideUrl}/metrics`, { signal: AbortSignal.timeout(answerMs) })
  const line = (await response.text()).split('\n').find(text => text.startsWith(`${wanted} `))
  return Number(line?.slice(wanted.length + 1) ?? 0)
}
