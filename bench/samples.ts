// Looks at the processes of a long run every few seconds: their memory, and how far the ledger is behind. What comes of the
// memory is a line through its samples; a process that leaks has a slope.
import { readMemoryMb } from './accounting.ts'
import { type PlatformProcess } from './platform.ts'
import { afterWarmUp, slopeOf } from './slope.ts'

export interface Sample {
  /** Since sampling began. */
  atMs: number
  /** By process. */
  memoryMb: Readonly<Record<string, number>>
  /** Records written and not yet in the ledger; undefined: it did not say. */
  lag: number | undefined
}

export interface Sampling {
  last(): Sample | undefined
  /** Of all that were taken. */
  stop(): Promise<Sample[]>
}

const answerMaxMs = 5_000
/** A day gives some hundred samples; a week would be thinned out by its caller. */
const samplesMax = 50_000

export function startSampling(
  processes: readonly PlatformProcess[],
  ledgerUrl: string | undefined,
  everyMs: number,
): Sampling {
  const samples: Sample[] = []
  const startMs = performance.now()
  let underWay: Promise<void> = Promise.resolve()
  const take = async (): Promise<void> => {
    const atMs = performance.now() - startMs
    const memoryMb = Object.fromEntries(
      processes.flatMap(({ name, pid }) => {
        const mb = readMemoryMb(pid)
        return mb === undefined ? [] : [[name, mb]]
      }),
    )
    const lag = ledgerUrl === undefined ? undefined : await readLag(ledgerUrl)
    if (samples.length < samplesMax) samples.push({ atMs, memoryMb, lag })
  }
  const timer = setInterval(() => {
    underWay = underWay.then(take)
  }, everyMs)
  return {
    last: () => samples.at(-1),
    stop: async () => {
      clearInterval(timer)
      await underWay
      return samples
    },
  }
}

async function readLag(ledgerUrl: string): Promise<number | undefined> {
  try {
    const response = await fetch(`${ledgerUrl}/metrics`, { signal: AbortSignal.timeout(answerMaxMs) })
    return parseLag(await response.text())
  } catch {
    return undefined
  }
}

/** From the text of the ledger's metrics. */
export function parseLag(metrics: string): number | undefined {
  const value = /^ndx_ledger_lag_records (\d+(?:\.\d+)?)$/m.exec(metrics)?.[1]
  return value === undefined ? undefined : Number(value)
}

export interface MemoryLine {
  name: string
  /** When the warm-up ended, at the end, and at most, MB. */
  warmMb: number
  lastMb: number
  maxMb: number
  /** MB a minute after the warm-up; undefined: too few samples. */
  slope: number | undefined
}

/** @param warmUpShare of the time that does not count */
export function describeMemory(samples: readonly Sample[], warmUpShare: number): MemoryLine[] {
  const names = [...new Set(samples.flatMap(({ memoryMb }) => Object.keys(memoryMb)))]
  return names.map(name => {
    const points = samples.flatMap(({ atMs, memoryMb }) => {
      const y = memoryMb[name]
      return y === undefined ? [] : [{ x: atMs / 60_000, y }]
    })
    const warm = afterWarmUp(points, warmUpShare)
    return {
      name,
      warmMb: warm[0]?.y ?? 0,
      lastMb: points.at(-1)?.y ?? 0,
      maxMb: Math.max(0, ...points.map(({ y }) => y)),
      slope: slopeOf(warm),
    }
  })
}
