// What processes used, from the kernel's own accounting (proc(5)): CPU of a process with all its threads, its memory, and
// that of the whole machine, so that other programs' share can be told. Linux only; elsewhere a figure is undefined.
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** USER_HZ is 100 on every Linux that Node runs on. */
const tickMs = 10

/** User and system time so far, ms, of a process; its own children are not in it. */
export function readCpuMs(pid: number | undefined): number | undefined {
  const text = pid === undefined ? undefined : readProc(`${pid}/stat`)
  return text === undefined ? undefined : parseCpuMs(text)
}

/** From the text of `/proc/<pid>/stat`: its second field is a program's name and may hold anything, parentheses too. */
export function parseCpuMs(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}

/** Resident memory now, MB (MiB). */
export function readMemoryMb(pid: number | undefined): number | undefined {
  const text = pid === undefined ? undefined : readProc(`${pid}/status`)
  const kilobytes = text === undefined ? undefined : /^VmRSS:\s+(\d+)/m.exec(text)?.[1]
  return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024)
}

/** CPU ms of the machine since it started: in use by any program, and all there was. */
export function readMachine(): { usedMs: number; allMs: number } | undefined {
  const line = readProc('stat')?.split('\n', 1)[0]
  return line === undefined ? undefined : parseMachine(line)
}

/** From the first line of `/proc/stat`: user nice system idle iowait irq softirq steal. What the host stole is nobody's use. */
export function parseMachine(line: string): { usedMs: number; allMs: number } {
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = ticks
  return {
    usedMs: (user + nice + system + interrupts + softInterrupts) * tickMs,
    allMs: ticks.reduce((sum, one) => sum + one, 0) * tickMs,
  }
}

/** How fast one core is just now: thousand SHA-256 hashes of 1 KiB a second, over 100 ms. A shared host's speed moves. */
export function measureSpeed(): number {
  const block = Buffer.alloc(1024)
  const untilMs = performance.now() + 100
  let hashes = 0
  for (; performance.now() < untilMs; hashes += 50) for (let i = 0; i < 50; i++) hash('sha256', block)
  return Math.round(hashes / 100)
}

function readProc(name: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}`, 'latin1')
  } catch {
    return undefined
  }
}
