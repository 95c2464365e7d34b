// What one hung provider does to the others: population is asked at a steady rate while business registration is asked beside
// it, and answers, or is frozen in mid-run and never does. Its process is stopped, as a register that hangs would be.
import { setTimeout as pass } from 'node:timers/promises'
import { type Generator, startGenerator } from './generator-process.ts'
import { type Load, type Tally } from './load.ts'
import { type Figure, figureOf, renderTable, withRange } from './markdown.ts'
import { type Bench, newToken, say, tell } from './measuring.ts'
import { type Platform } from './platform.ts'
import { enterprise } from './questions.ts'
import { isValid } from './report.ts'
import { measureWindow, type Row, waitForQuiet } from './window.ts'

const besidePerSecond = 100
/** Past the five seconds of the contract's deadline and the breaker's first opening. */
const secondsMin = 12
const leadMs = 1_000
const recoveryMaxMs = 120_000

export type Condition = 'answers' | 'hangs'

export interface HungRow extends Row {
  condition: Condition
  /** What the other provider's clients got, by status. */
  beside: Tally['statuses']
}

export interface HungOptions {
  ratePerSecond: number
  seconds: number
  rounds: number
  patienceSeconds: number
}

export async function measureHung(bench: Bench, platform: Platform, options: HungOptions): Promise<HungRow[]> {
  const { provider, client } = enterprise
  const other = await tell(`starting the adapter of ${provider}`, () => platform.startAdapter(provider))
  const second = await startGenerator()
  const rows: HungRow[] = []
  try {
    for (let round = 1; round <= options.rounds; round++)
      for (const condition of ['answers', 'hangs'] as const) {
        await waitForQuiet(options.patienceSeconds)
        const besideToken = await newToken(bench, client)
        await untilItAnswers(second, platform.url, besideToken)
        const parts = { bench, platform, second, besideToken, hungPid: other.pid }
        const row = await measureCondition(parts, condition, round, options)
        rows.push(row)
        say(
          `round ${round}  ${provider} ${condition}: p99 ${row.p99Ms?.toFixed(1)} ms of ${row.answered} answers ${row.faults.join('; ')}`,
        )
      }
  } finally {
    await second.stop()
    await other.stop()
  }
  return rows
}

interface Parts {
  bench: Bench
  platform: Platform
  second: Generator
  besideToken: string
  hungPid: number
}

async function measureCondition(
  parts: Parts,
  condition: Condition,
  round: number,
  options: HungOptions,
): Promise<HungRow> {
  const { bench, platform, second, besideToken, hungPid } = parts
  const seconds = Math.max(secondsMin, options.seconds)
  const load: Load = { kind: 'open', perSecond: options.ratePerSecond }
  const token = await newToken(bench)
  const beside = second.run({
    url: platform.url,
    token: besideToken,
    load: { kind: 'open', perSecond: besidePerSecond },
    seconds: seconds + leadMs / 1000,
    about: 'enterprise',
  })
  beside.catch(() => {}) // Awaited below, unless the measurement fails first.
  await bench.generator.run({ url: platform.url, token, load, seconds: leadMs / 1000 })
  if (condition === 'hangs') process.kill(hungPid, 'SIGSTOP')
  try {
    const row = await measureWindow({ target: platform, generator: bench.generator, load, seconds, token, round })
    return { ...row, condition, beside: (await beside).statuses }
  } finally {
    if (condition === 'hangs') process.kill(hungPid, 'SIGCONT')
  }
}

/** After a freeze its group must be joined again, and the breaker must have closed. */
async function untilItAnswers(generator: Generator, url: string, token: string): Promise<void> {
  const load: Load = { kind: 'open', perSecond: 20 }
  for (const untilMs = performance.now() + recoveryMaxMs; performance.now() < untilMs; await pass(500)) {
    const { statuses, wrong } = await generator.run({ url, token, load, seconds: 2, about: 'enterprise' })
    if (Object.keys(statuses).every(status => status === '200') && wrong === 0) return
  }
  throw new Error(`${enterprise.provider} does not answer again after ${recoveryMaxMs / 1000} s`)
}

export interface HungSummary {
  answers: Figure
  hangs: Figure
  /** p99 while it hangs over p99 while it answers, round by round. */
  ratio: Figure
}

/** Void rows do not count. */
export function summarizeHung(rows: readonly HungRow[]): HungSummary {
  const used = rows.filter(isValid)
  const p99Of = (condition: Condition): Figure =>
    figureOf(used.filter(row => row.condition === condition).map(row => row.p99Ms))
  const ratios = used
    .filter(row => row.condition === 'hangs')
    .map(row => {
      const healthy = used.find(other => other.round === row.round && other.condition === 'answers')
      return row.p99Ms === undefined || healthy?.p99Ms === undefined ? undefined : row.p99Ms / healthy.p99Ms
    })
  return { answers: p99Of('answers'), hangs: p99Of('hangs'), ratio: figureOf(ratios) }
}

export function renderHung(rows: readonly HungRow[]): string {
  const { ratio } = summarizeHung(rows)
  const lineOf = (condition: Condition): string[] => {
    const all = rows.filter(row => row.condition === condition)
    const used = all.filter(isValid)
    const figure = (pick: (row: Row) => number | undefined): string => withRange(figureOf(used.map(pick)))
    return [
      condition,
      figure(row => row.perSecond),
      figure(row => row.p50Ms),
      figure(row => row.p95Ms),
      figure(row => row.p99Ms),
      condition === 'hangs' ? withRange(ratio) : '1',
      describeStatuses(all),
      `${used.length} of ${all.length}`,
    ]
  }
  const headings = [
    'the other provider',
    'answered/s',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'p99 ×',
    'its own clients got',
    'valid',
  ]
  return `### One provider hung\n\n${renderTable([headings, lineOf('answers'), lineOf('hangs')])}`
}

function describeStatuses(rows: readonly HungRow[]): string {
  const sums = new Map<string, number>()
  for (const { beside } of rows)
    for (const [status, count] of Object.entries(beside)) sums.set(status, (sums.get(status) ?? 0) + count)
  return [...sums].map(([status, count]) => `${count} × ${status === '0' ? 'none' : status}`).join(', ')
}
