// Four projects: `unit` needs no server (npm run check), `integration` runs on real Kafkas and Redises beside it; then, with nothing
// beside them, `timed`, where answers must come in time or many processes run, and `faults`, which breaks everything under load
// (npm test runs all).
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Files side by side. One more than two cores: tests of restarts wait more than they work. */
const maxWorkers = Math.min(6, Math.max(3, availableParallelism() - 1))
const timed = ['kafka-outage', 'redis-outage', 'redis-counters', 'exchange', 'compose'].map(
  name => `tests/integration/${name}.test.ts`,
)
/** The many processes of the tests compile the same code: each but the first takes it from here. */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/ndx-compiled') }
const onServers = { globalSetup: ['tests/stack/global-setup.ts'], testTimeout: 60_000, hookTimeout: 120_000, env }
const alone = (groupOrder: number) => ({ fileParallelism: false, sequence: { groupOrder } })

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/integration/**', 'tests/faults/real/**'],
          testTimeout: 15_000,
          hookTimeout: 15_000,
          // A worker keeps what it has imported and compiled for its next file.
          isolate: false,
          maxWorkers,
          env,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          exclude: timed,
          maxWorkers,
          ...onServers,
        },
      },
      { test: { name: 'timed', include: timed, ...onServers, ...alone(1) } },
      { test: { name: 'faults', include: ['tests/faults/real/**/*.test.ts'], hookTimeout: 120_000, env, ...alone(2) } },
    ],
  },
})
