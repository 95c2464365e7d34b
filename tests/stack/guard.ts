// Cleans up after us however we end, by SIGKILL too: a shell of its own session holds the other end of a pipe, and when
// the pipe closes it runs the last command it was given. No exit or signal handler is needed, and none could do as much.
import { spawn } from 'node:child_process'
import { type Socket } from 'node:net'

export interface Guard {
  /** From now on this shell command (one line) is run when this process is lost; it replaces the one before. */
  onLoss(command: string): void
  /** All is cleaned up: the guard ends and runs nothing. */
  dismiss(): void
}

const script = `trap '' INT TERM HUP; command=; while IFS= read -r line; do command=$line; done; eval "$command"`

export function createGuard(): Guard {
  const shell = spawn('/bin/sh', ['-c', script], { detached: true, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] })
  const pipe = shell.stdin as Socket
  shell.on('error', () => {})
  pipe.on('error', () => {}) // Somebody killed the guard: what is left is the ordinary stop.
  shell.unref()
  pipe.unref()
  return {
    onLoss: command => pipe.write(`${command}\n`),
    dismiss: () => pipe.end('\n'),
  }
}

/** One word of a shell command, whatever is in it. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
