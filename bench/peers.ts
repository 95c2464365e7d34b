// Builds and starts the peers, and says which are left out, and why.
import { buildNestjs, buildSpring, type Say } from './peer-build.ts'
import { writePeerInputs } from './peer-inputs.ts'
import { nestjsPeers, type PeerOptions, springPeer, startPeer } from './peer-target.ts'
import { type Target } from './target.ts'

export interface StartedPeers {
  targets: Target[]
  skipped: string[]
}

export async function startPeers(options: Omit<PeerOptions, 'inputs'> & { say: Say }): Promise<StartedPeers> {
  const { say, world } = options
  await buildNestjs(say)
  const missing = await buildSpring(say)
  const skipped = missing === undefined ? [] : [`${springPeer.name} is left out: ${missing}`]
  for (const line of skipped) say(line)
  const inputs = writePeerInputs(world)
  const targets: Target[] = []
  for (const peer of [...nestjsPeers, ...(missing === undefined ? [springPeer] : [])]) {
    say(`starting ${peer.name} …`)
    targets.push(await startPeer(peer, { ...options, inputs }))
  }
  return { targets, skipped }
}
