// The generator of mixed load as the bench sees it: one process, one assignment at a time, tokens renewed while it runs.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { end } from './child.ts'
import { type FromGenerator, type MixAssignment, type MixTally, type ToGenerator } from './mix-load.ts'

export interface MixGenerator {
  pid: number
  /** Resolves when the last answer has come. `onProgress` is told about once a second how many came. */
  run(assignment: MixAssignment, onProgress?: (done: number) => void): Promise<MixTally>
  renew(tokens: Readonly<Record<string, string>>): void
  stop(): Promise<void>
}

export async function startMixGenerator(): Promise<MixGenerator> {
  const child = fork(join(import.meta.dirname, 'mix-generator.ts'))
  const gone = once(child, 'exit').then(([status]) => Promise.reject(new Error(`the generator ended with ${status}`)))
  gone.catch(() => {})
  const tell = (message: ToGenerator): void => void child.send(message)
  let hear: (message: FromGenerator) => void = () => {}
  child.on('message', message => hear(message as FromGenerator))
  await Promise.race([new Promise<void>(resolve => (hear = () => resolve())), gone])
  return {
    pid: child.pid as number,
    run(assignment, onProgress = () => {}) {
      const { promise, resolve } = Promise.withResolvers<MixTally>()
      hear = message => {
        if (message.is === 'progress') onProgress(message.done)
        if (message.is === 'end') resolve(message.tally)
      }
      tell({ is: 'run', assignment })
      return Promise.race([promise, gone])
    },
    renew: tokens => tell({ is: 'tokens', tokens }),
    stop: () => end(child),
  }
}
