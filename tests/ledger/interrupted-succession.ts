// A succession that stops after so many of its moves, as a machine that lost power would leave it.
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { type RecoveryWorld } from './recovery-world.ts'

/** Does it whole, then takes back the moves after the first `moves`, in their order. */
export async function interrupted(world: RecoveryWorld, moves: number): Promise<void> {
  const ledger = join(world.dataDir, 'ledger')
  const [aside, fresh] = [join(ledger, 'predecessors', 'ndx.example_log'), join(ledger, 'successor')]
  await world.ndx('ledger', 'succeed', '--reason', 'interrupted')
  mkdirSync(fresh)
  const files = ['ledger.sqlite', 'log-key.pub', 'log-key']
  const done = [...files.map(name => [ledger, aside, name]), ...files.map(name => [fresh, ledger, name])]
  for (const [from = '', to = '', name = ''] of done.slice(moves).toReversed())
    if (existsSync(join(to, name))) renameSync(join(to, name), join(from, name))
}
