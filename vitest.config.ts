// Four projects: `unit` needs no server (npm run check), `integration` runs on real Kafkas and Redises beside it; then, with nothing
// beside them, `outages`, whose answers must come in time, and `faults`, which breaks everything under load (npm test runs all).
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Files side by side. One more than two cores: tests of outages and restarts wait more than they work. */
const maxWorkers = Math.min(6, Math.max(3, availableParallelism() - 1))
const timed = ['kafka-outage', 'redis-outage', 'redis-counters'].map(name => `tests/integration/${name}.test.ts`)
const onServers = { globalSetup: ['tests/stack/global-setup.ts'], testTimeout: 60_000, hookTimeout: 120_000 }
const alone = { fileParallelism: false, sequence: { groupOrder: 1 } }

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
          maxWorkers,
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
      { test: { name: 'outages', include: timed, ...onServers, ...alone } },
      { test: { name: 'faults', include: ['tests/faults/real/**/*.test.ts'], hookTimeout: 120_000, ...alone } },
    ],
  },
})
