// What the ledger does again and again: each part's faults are told under its own name, and stop nothing.
import { expect, test } from 'vitest'
import { startRounds } from '#ledger/rounds.ts'
import { until } from '#tests/bus/until.ts'

test('a round that fails is told under its own name, comes again, and stops no other', async () => {
  const failed: string[] = []
  let good = 0
  const rounds = startRounds(
    {
      callbacks: { everyMs: 1, run: () => Promise.reject(new Error('away')) },
      'key-forgetting': {
        everyMs: 1,
        run: () => {
          throw new Error('full')
        },
      },
      reaper: { everyMs: 1, run: () => good++ },
    },
    part => failed.push(part),
  )
  await until('each came twice', () => failed.length > 4 && good > 1)
  await rounds.stop()
  expect([...new Set(failed)].sort()).toEqual(['callbacks', 'key-forgetting'])
})
