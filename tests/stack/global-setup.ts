// vitest's globalSetup of the integration tests: each of the runner's workers has a Kafka and a Redis of its own, so that files which
// run side by side use no common topic, group or counter. Tests find them with `stackOfWorker()`; a worker's are started when it
// first asks. A test that breaks a server starts one of its own with startKafka or startRedis.
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { type TestProject } from 'vitest/node'
import { type Stack, startStack } from './stack.ts'
import { type StackCoordinates } from './stack-of-worker.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** GET `/<worker>`: its StackCoordinates. */
    stacksUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stacks = new Map<string, Promise<Stack>>()
  const stackOf = (worker: string): Promise<Stack> => {
    // One after the other, before two of them could call apt-get at the same time.
    const before = [...stacks.values()].at(-1)
    const stack = stacks.get(worker) ?? Promise.resolve(before).then(startAndSay)
    stacks.set(worker, stack)
    return stack
  }
  const { url, stop } = await serve(async worker => coordinatesOf(await stackOf(worker)))
  project.provide('stacksUrl', url)
  return async () => {
    stop()
    const started = await Promise.allSettled(stacks.values())
    const running = started.flatMap(one => (one.status === 'fulfilled' ? one.value : []))
    if (running.length > 0) console.log(`${countRun(project)} tests ran on ${running.length} real Kafka and Redis`)
    await Promise.all(running.map(stack => stack.stop()))
  }
}

/** What was found out the first time about the kind holds for the others. */
async function startAndSay(before?: Stack): Promise<Stack> {
  const stack = await startStack(before === undefined ? {} : { kind: before.kind })
  console.log(`integration stack: ${stack.describe()}`)
  return stack
}

const coordinatesOf = ({ kind, kafkaBrokers, redisUrl }: Stack): StackCoordinates => ({ kind, kafkaBrokers, redisUrl })

/** A server that answers `/<worker>` with what there is for the worker. */
async function serve(answer: (worker: string) => Promise<object>): Promise<{ url: string; stop(): void }> {
  const server: Server = createServer((request, response) => {
    answer((request.url ?? '').slice(1)).then(
      value => response.end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const stop = (): void => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, stop }
}

function countRun(project: TestProject): number {
  const modules = project.vitest.state.getTestModules().filter(module => module.project === project)
  const tests = modules.flatMap(module => [...module.children.allTests()])
  return tests.filter(test => ['passed', 'failed'].includes(test.result().state)).length
}
