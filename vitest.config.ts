// Which tests run when. `npm test`: `unit` needs no server (`npm run check` stops there), `integration` runs on real Kafkas and
// Redises beside it, then `alone` with nothing beside it. `npm run test:long`: `long`, then `long-alone`. tests/projects.test.ts
// holds that the two commands run every file once.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { configDefaults, defineConfig } from 'vitest/config'

const every = ['tests/**/*.test.ts']
const onServers = ['tests/integration/**/*.test.ts']

/** Outages, whose clients would take a busy machine's pauses for one more, and the whole platform under load. */
const alone = ['kafka-outage', 'redis-outage', 'redis-counters', 'exchange'].map(integrationTest)

/** Ten seconds and more each, for what breaks seldom: the last link of a chain whose links `npm test` tests one by one. */
const long = [
  // The documents word by word, and programs that are not ours.
  'tests/readme-commands.test.ts',
  'tests/newcomer.test.ts',
  'tests/adapter-kit.test.ts',
  integrationTest('adapter-check'),
  'tests/foreign/tlog.test.ts',
  // Every adapter against every check, every register against every other.
  'tests/cli/adapter.test.ts',
  'tests/conformance/faulty-adapters.test.ts',
  'tests/nation/cross-registers.test.ts',
  // Days and tours of the platform, whole.
  'tests/cli/demo.test.ts',
  'tests/cli/simulate/simulate.test.ts',
  // Each process killed in turn; and the servers that the other tests stand on.
  integrationTest('birth-chain'),
  integrationTest('stop'),
  integrationTest('stack'),
]
const longAlone = [integrationTest('compose'), 'tests/faults/real/faults.test.ts']

/** Files side by side. One more than two cores: tests of restarts wait more than they work. */
const maxWorkers = Math.min(6, Math.max(3, availableParallelism() - 1))
/** How long a test may hang, not how fast it must be: a busy machine takes several times as long as a quiet one. */
const patient = { testTimeout: 60_000, hookTimeout: 60_000 }
const morePatient = { testTimeout: 120_000, hookTimeout: 240_000 }
/** The many processes of the tests compile the same code: each but the first takes it from here. */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/ndx-compiled') }
/** Servers start when a file first asks for them. */
const globalSetup = ['tests/stack/global-setup.ts']
const beside = (order: number) => ({ maxWorkers, env, sequence: { groupOrder: order } })
const oneByOne = (order: number) => ({ fileParallelism: false, env, sequence: { groupOrder: order } })
const without = (...files: string[][]) => [...configDefaults.exclude, ...files.flat()]

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: every,
          exclude: without(onServers, long, longAlone),
          // A worker keeps what it has imported and compiled for its next file.
          isolate: false,
          ...patient,
          ...beside(0),
        },
      },
      {
        test: {
          name: 'integration',
          include: onServers,
          exclude: without(alone, long, longAlone),
          globalSetup,
          ...morePatient,
          ...beside(0),
        },
      },
      { test: { name: 'alone', include: alone, globalSetup, ...morePatient, ...oneByOne(1) } },
      { test: { name: 'long', include: long, globalSetup, ...morePatient, ...beside(2) } },
      { test: { name: 'long-alone', include: longAlone, globalSetup, ...morePatient, ...oneByOne(3) } },
    ],
  },
})

function integrationTest(name: string): string {
  return `tests/integration/${name}.test.ts`
}
