// Measures every target in turns. What costs too much while it has nothing to do is stopped outside its own turn, so that it
// is in nobody else's figures; the others stay, as a service would.
import { setTimeout as pass } from 'node:timers/promises'
import { readCpuMs } from './accounting.ts'
import { type Load } from './load.ts'
import { type Bench, measureOne, say, type WarmUp, warmUp } from './measuring.ts'
import { type Part, type Target } from './target.ts'
import { type Row } from './window.ts'

/** Of one core, for one process. */
export const idleShareMax = 0.02
const calmDownMs = 3_000
/** Its compiler goes on for a while. */
const jvmCalmDownMs = 10_000
const idleMs = 5_000
/** Broker and Redis are everybody's. */
const ownParts: readonly Part[] = ['gateway', 'adapter', 'ledger']

export interface Idle {
  target: string
  /** Share of a core that each process takes without any load, 0 … 1. */
  shares: Partial<Record<Part, number>>
  /** It is stopped outside its turn. */
  isStopped: boolean
}

/** Warms a target up, sees what it costs idle, and stops it when that is too much and it can be started again. */
export async function bringUp(bench: Bench, target: Target, options: WarmUp): Promise<Idle> {
  await warmUp(bench, target, options)
  const shares = await measureIdle(target)
  const isStopped = target.restart !== undefined && isCostly(shares)
  const described = Object.entries(shares).map(([part, share]) => `${part} ${(share * 100).toFixed(1)} %`)
  say(`${target.name}: idle ${described.join(', ')} of a core${isStopped ? '; it runs in its own turns only' : ''}`)
  if (isStopped) await target.stop()
  return { target: target.name, shares, isStopped }
}

export const isCostly = (shares: Idle['shares']): boolean => Object.values(shares).some(share => share > idleShareMax)

async function measureIdle({ pids, isJvm = false }: Target): Promise<Idle['shares']> {
  await pass(isJvm ? jvmCalmDownMs : calmDownMs)
  const read = (): number[] => ownParts.map(part => readCpuMs(pids[part]) ?? Number.NaN)
  const before = read()
  await pass(idleMs)
  const shares = read().map((usedMs, i) => (usedMs - (before[i] ?? 0)) / idleMs)
  return Object.fromEntries(ownParts.map((part, i) => [part, shares[i]]).filter(([, share]) => !Number.isNaN(share)))
}

export interface Turn {
  target: Target
  loads: readonly Load[]
}

/**
 * One round: A B A B by load, as near to each other as can be; where some must be started for their turn, all loads of a target
 * together.
 */
export function planRound(targets: readonly Target[], loads: readonly Load[], stopped: ReadonlySet<string>): Turn[] {
  if (stopped.size > 0) return targets.map(target => ({ target, loads }))
  return loads.flatMap(load => targets.map(target => ({ target, loads: [load] })))
}

export interface TurnsOptions extends WarmUp {
  loads: readonly Load[]
  rounds: number
  seconds: number
  patienceSeconds: number
  onRow(row: Row): void
}

export async function measureAll(bench: Bench, idle: readonly Idle[], options: TurnsOptions): Promise<void> {
  const { loads, rounds, seconds, patienceSeconds, onRow } = options
  const stopped = new Set(idle.filter(({ isStopped }) => isStopped).map(({ target }) => target))
  for (let round = 1; round <= rounds; round++) {
    for (const { target, loads: turn } of planRound(bench.targets, loads, stopped)) {
      await inTurn(bench, target, stopped, options, async () => {
        for (const load of turn) {
          onRow(await measureOne(bench, { target, load, seconds, patienceSeconds, round }))
        }
      })
    }
  }
}

/** Starts a stopped target for as long as `act` takes. */
export async function inTurn(
  bench: Bench,
  target: Target,
  stopped: ReadonlySet<string>,
  options: WarmUp,
  act: () => Promise<void>,
): Promise<void> {
  if (!stopped.has(target.name)) return act()
  say(`${target.name}: starting for its turn …`)
  await target.restart?.()
  await warmUp(bench, target, options)
  await act()
  await target.stop()
}
