// vitest's globalSetup of the integration tests: one stack for the run. Tests find it with `inject('stack')`;
// a test that breaks a server starts one of its own with startKafka or startRedis.
import { type TestProject } from 'vitest/node'
import { type StackKind } from './server.ts'
import { startStack } from './stack.ts'

/** Where the shared servers are; plain data, since it crosses from the runner's process to the tests'. */
export interface StackCoordinates {
  kind: StackKind
  kafkaBrokers: string[]
  redisUrl: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackCoordinates
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startStack()
  const { kind, kafkaBrokers, redisUrl } = stack
  // What was found out once holds for the servers that tests start for themselves.
  process.env['NDX_TEST_STACK'] = kind
  project.provide('stack', { kind, kafkaBrokers, redisUrl })
  console.log(`integration stack: ${stack.describe()}`)
  return async () => {
    console.log(`${countRun(project)} tests ran on this real Kafka and Redis: ${stack.describe()}`)
    await stack.stop()
  }
}

function countRun(project: TestProject): number {
  const modules = project.vitest.state.getTestModules().filter(module => module.project === project)
  const tests = modules.flatMap(module => [...module.children.allTests()])
  return tests.filter(test => ['passed', 'failed'].includes(test.result().state)).length
}
