// One measurement: a load on a target for a time, with the CPU of every process, and whether what was answered is what was
// written. Nothing is in flight before it or after it.
import { setTimeout as pass } from 'node:timers/promises'
import { measureSpeed, readCpuMs, readMachine, readMemoryMb } from './accounting.ts'
import { type Generator } from './generator-process.ts'
import { type Load, nameOf, type Tally } from './load.ts'
import { type Part, parts, type Target } from './target.ts'

export interface Row extends Tally {
  target: string
  /** Of the run; rows of one round lie near each other in time. */
  round: number
  load: string
  /** CPU µs an answer, by process. */
  cpuUs: Partial<Record<Part | 'generator', number>>
  gatewayMemoryMb: number | undefined
  /** Records that each topic grew by. */
  records: Record<string, number>
  /** Empty: valid. */
  faults: string[]
  /** Share of the machine's CPU that programs outside the run took, 0 … 1. */
  othersShare: number | undefined
  /** Thousand hashes a second on one core before it began. */
  speed: number
  /** When it ran, ms of the monotonic clock that profiles use too. */
  fromMs: number
  toMs: number
}

export interface WindowOptions {
  target: Target
  generator: Generator
  load: Load
  seconds: number
  token: string
  round?: number
  /** What voids the row; default findFaults. */
  judge?: typeof findFaults
  /** So long may what is still open take to settle, ms; default: it must be settled. */
  settleMaxMs?: number
}

/** The broker writes the last batches' offsets, and processes their books, a moment after the answers. */
const settleMs = 250

const quietShare = 0.15

/** Resolves when the machine is quiet for a second, or after `patienceSeconds`: other programs' work costs ours caches and clock. */
export async function waitForQuiet(patienceSeconds: number): Promise<void> {
  for (let second = 0; second < patienceSeconds; second++) {
    const before = readMachine()
    await pass(1000)
    const after = readMachine()
    if (before === undefined || after === undefined) return
    if (after.usedMs - before.usedMs < quietShare * (after.allMs - before.allMs)) return
  }
}

export async function measureWindow(options: WindowOptions): Promise<Row> {
  const { target, generator, load, seconds, token, round = 1, judge = findFaults, settleMaxMs = 0 } = options
  const speed = measureSpeed()
  const recordsBefore = await target.countRecords()
  const before = readUse(target, generator)
  const fromMs = monotonicMs()
  const tally = await generator.run({ url: target.url, token, load, seconds })
  const toMs = monotonicMs()
  await pass(settleMs)
  const after = readUse(target, generator)
  const othersShare = shareOfOthers(before, after)
  const { records, faults } = await settleBooks(target, recordsBefore, counts => judge(tally, counts), settleMaxMs)
  // A ledger that was behind has done the rest of its work for this window only now.
  const ledgerMs = readCpuMs(target.pids.ledger)
  if (ledgerMs !== undefined) after.cpuMs.ledger = ledgerMs
  return {
    target: target.name,
    round,
    load: nameOf(load),
    ...tally,
    cpuUs: perAnswer(before, after, tally.answered),
    gatewayMemoryMb: readMemoryMb(target.pids.gateway),
    records,
    faults,
    othersShare,
    speed,
    fromMs,
    toMs,
  }
}

/** What was written since `before`, when there is nothing to complain of or no more time. */
async function settleBooks(
  target: Target,
  before: Readonly<Record<string, number>>,
  judge: (records: Record<string, number>) => string[],
  maxMs: number,
): Promise<{ records: Record<string, number>; faults: string[] }> {
  for (const untilMs = performance.now() + maxMs; ; await pass(settleMs)) {
    const counted = await target.countRecords()
    const grown = Object.entries(counted).map(([name, count]) => [name, count - (before[name] ?? 0)])
    const records: Record<string, number> = Object.fromEntries(grown)
    const faults = judge(records)
    if (faults.length === 0 || performance.now() >= untilMs) return { records, faults }
  }
}

const monotonicMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** A row counts only when every answer is right and stands for one record on each topic. */
export function findFaults({ codes, answered, wrong }: Tally, records: Readonly<Record<string, number>>): string[] {
  return [
    ...(answered === 0 ? ['no answers'] : []),
    ...(wrong > 0 ? [`${wrong} wrong answers`] : []),
    ...Object.entries(codes).map(([code, count]) => `${count} × ${code === 'none' ? 'no answer' : code}`),
    ...Object.entries(records)
      .filter(([, count]) => count !== answered)
      .map(([name, count]) => `${answered} answers but ${count} ${name}`),
  ]
}

/** Refuses before acceptance, and after it where a wrong guess cannot be counted. */
const eitherCode = 'NDX_COUNTERS_UNAVAILABLE'

/**
 * Under overload refusals are no fault, but the books must still agree: nothing is written for what was refused, everything
 * answered is written, and only what nobody heard the end of may be either.
 */
export function findOverloadFaults(
  { statuses, codes, answered, wrong }: Tally,
  { requests = 0, replies = 0, settled = requests }: Readonly<Record<string, number>>,
): string[] {
  const unknown = (statuses[504] ?? 0) + (codes['none'] ?? 0) + (codes[eitherCode] ?? 0)
  return [
    ...(answered === 0 ? ['no answers'] : []),
    ...(wrong > 0 ? [`${wrong} wrong answers`] : []),
    ...(requests < answered || requests > answered + unknown
      ? [`${answered} answers and ${unknown} unknown but ${requests} requests`]
      : []),
    ...(replies < answered ? [`${answered} answers but ${replies} replies`] : []),
    ...(settled !== requests ? [`${requests} requests but ${settled} settled`] : []),
  ]
}

interface Use {
  cpuMs: Partial<Record<Part | 'generator', number>>
  /** This process's own, which is nobody else's. */
  benchMs: number
  machine: ReturnType<typeof readMachine>
}

function readUse({ pids }: Target, { pid }: Generator): Use {
  const cpuMs: Use['cpuMs'] = {}
  for (const part of [...parts, 'generator'] as const) {
    const used = readCpuMs(part === 'generator' ? pid : pids[part])
    if (used !== undefined) cpuMs[part] = used
  }
  return { cpuMs, benchMs: readCpuMs(process.pid) ?? 0, machine: readMachine() }
}

function perAnswer(before: Use, after: Use, answers: number): Row['cpuUs'] {
  const entries = Object.entries(after.cpuMs).map(([part, usedMs]) => [
    part,
    ((usedMs - (before.cpuMs[part as Part] ?? 0)) * 1000) / answers,
  ])
  return Object.fromEntries(entries)
}

function shareOfOthers(before: Use, after: Use): number | undefined {
  if (before.machine === undefined || after.machine === undefined) return undefined
  const sumOf = ({ cpuMs, benchMs }: Use): number => Object.values(cpuMs).reduce((sum, ms) => sum + ms, benchMs)
  const othersMs = after.machine.usedMs - before.machine.usedMs - (sumOf(after) - sumOf(before))
  return Math.max(0, othersMs) / (after.machine.allMs - before.machine.allMs)
}
