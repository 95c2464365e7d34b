// CPU of a platform's processes over a stretch of work, per exchange: by process, and by what they are. Pure but for reading.
import { readCpuMs } from './accounting.ts'
import { type PlatformProcess } from './platform.ts'
import { type Part, parts } from './target.ts'

/** CPU ms so far, by process. */
export type CpuSoFar = Readonly<Record<string, number>>

export const readCpu = (processes: readonly Pick<PlatformProcess, 'name' | 'pid'>[]): CpuSoFar =>
  Object.fromEntries(
    processes.flatMap(({ name, pid }) => {
      const ms = readCpuMs(pid)
      return ms === undefined ? [] : [[name, ms]]
    }),
  )

/** µs an exchange, by process; none without exchanges. */
export function cpuUsOf(before: CpuSoFar, after: CpuSoFar, exchanges: number): Record<string, number> {
  if (exchanges === 0) return {}
  return Object.fromEntries(
    Object.entries(after).map(([name, ms]) => [name, ((ms - (before[name] ?? 0)) * 1000) / exchanges]),
  )
}

/** All gateways together, all adapters together, and so on; a part of which nothing is known is not in it. */
export function sumByPart(
  cpuUs: Readonly<Record<string, number>>,
  processes: readonly Pick<PlatformProcess, 'name' | 'part'>[],
): Partial<Record<Part, number>> {
  const sums: Partial<Record<Part, number>> = {}
  for (const part of parts) {
    const known = processes.flatMap(one => (one.part === part ? (cpuUs[one.name] ?? []) : []))
    if (known.length > 0) sums[part] = known.reduce((sum, us) => sum + us, 0)
  }
  return sums
}

export const sumOf = (cpuUs: Readonly<Record<string, number>>): number =>
  Object.values(cpuUs).reduce((sum, us) => sum + us, 0)
