// What the figures were measured on: they mean nothing without it.
import { execFileSync } from 'node:child_process'
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os'
import { ownRoot } from './platform.ts'

export function describeMachine() {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${arch()}`,
    node: process.version,
    commit: readCommit(),
  }
}

/** Undefined outside a git work tree. */
function readCommit(): string | undefined {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: ownRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}
