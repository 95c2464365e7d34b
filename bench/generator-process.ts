// The generator as the bench sees it: one process, one assignment at a time.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { end } from './child.ts'
import { type Assignment, type Tally } from './load.ts'

export interface Generator {
  pid: number
  /** Resolves when the last answer of the load has come. */
  run(assignment: Assignment): Promise<Tally>
  stop(): Promise<void>
}

export async function startGenerator(): Promise<Generator> {
  const child = fork(join(import.meta.dirname, 'generator.ts'))
  const gone = once(child, 'exit').then(([status]) => Promise.reject(new Error(`the generator ended with ${status}`)))
  gone.catch(() => {})
  const hear = async (): Promise<unknown> => (await Promise.race([once(child, 'message'), gone]))[0]
  await hear()
  return {
    pid: child.pid as number,
    run: async assignment => {
      child.send(assignment)
      return (await hear()) as Tally
    },
    stop: () => end(child),
  }
}
