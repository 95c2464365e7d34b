// A witness as one that holds a head of this log. One that shows none (other programs' witnesses serve no such thing) is offered the
// last checkpoint again, which is signed already: if it takes that, it has seen no more. What it says against it is no proof, but it
// is no answer either, so that it counts among those that are away.
import { type HeadSource } from './comparison.ts'
import { type LogHead } from './head-verdict.ts'
import { type VerifierKey } from './notes/keys.ts'
import { type StoredCheckpoint } from './store.ts'
import { CosignError, cosign } from './witness/client.ts'
import { fetchWitnessedHead } from './witness/witnessed-head.ts'

export interface WitnessSourceParts {
  logKey: VerifierKey
  keys(): readonly VerifierKey[]
  head: LogHead
  /** The last checkpoint that was stored. */
  last(): StoredCheckpoint | undefined
}

export function createWitnessSource(url: string, { logKey, keys, head, last }: WitnessSourceParts): HeadSource {
  async function offer({ note, size }: StoredCheckpoint): Promise<void> {
    try {
      await cosign(url, { note, size, nodes: head.nodes, keys: keys() })
    } catch (error) {
      // It does not know this log, or is not known here: nothing can be learnt from it.
      if (!(error instanceof CosignError) || error.fault !== 'refused') throw error
    }
  }

  return {
    name: url,
    isWitness: true,
    async head() {
      const shown = await fetchWitnessedHead(url, { logKey, witnessKeys: keys() })
      const checkpoint = last()
      if (shown === undefined && checkpoint !== undefined) await offer(checkpoint)
      return shown
    },
  }
}
