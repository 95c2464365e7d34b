// Starts the bare route (bare.ts) as a target.
import { join } from 'node:path'
import { findFreePort } from '#tests/stack/ports.ts'
import { startChild } from './child.ts'
import { type Ending } from './ending.ts'
import { ownRoot } from './platform.ts'
import { type Target } from './target.ts'
import { type World } from './world.ts'

export const bareName = 'bare Fastify'

export async function startBare(world: World, ending: Ending): Promise<Target> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const child = startChild({
    name: bareName,
    script: ['bench/bare.ts', String(port), world.dataDir, world.contractsDir],
    root: ownRoot,
    outputFile: join(world.folder('bare'), 'output'),
  })
  ending.add(child.stop)
  await child.ready(`${url}/health/live`)
  return { name: bareName, url, pids: { gateway: child.pid }, countRecords: async () => ({}), stop: child.stop }
}
