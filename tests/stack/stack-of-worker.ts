// The Kafka and the Redis of the worker that runs this test file: files one after the other share them, files side by side do not.
import { inject } from 'vitest'
import { type StackKind } from './server.ts'

/** Plain data, since it crosses from the runner's process to the tests'. */
export interface StackCoordinates {
  kind: StackKind
  kafkaBrokers: string[]
  redisUrl: string
}

/** Resolves when they answer; the first time in a worker that takes some seconds. */
export async function stackOfWorker(): Promise<StackCoordinates> {
  const worker = process.env['VITEST_POOL_ID'] ?? '1'
  const response = await fetch(`${inject('stacksUrl')}/${worker}`)
  if (!response.ok) throw new Error(`no servers for worker ${worker}: ${await response.text()}`)
  const stack = (await response.json()) as StackCoordinates
  // Servers that a test starts for itself are of the same kind.
  process.env['NDX_TEST_STACK'] = stack.kind
  return stack
}
