// Has checkpoints cosigned by the witnesses that are configured, and keeps their cosignatures with them. A witness that is away is
// waited for; one that saw more than this log has, or another past, means that the log was rolled back or forked: that ends it.
import { describeError, type Log } from '#runtime/log.ts'
import { LogCorrupt } from './checkpoints.ts'
import { type NodeReader } from './merkle/proofs.ts'
import { type VerifierKey } from './notes/keys.ts'
import { addSignature } from './notes/note.ts'
import { type StoredCheckpoint } from './store.ts'
import { CosignError, cosign } from './witness/client.ts'

export interface CosignersParts {
  urls: readonly string[]
  /** Looked at each time, so that a witness may be introduced while the ledger runs. */
  keys(): readonly VerifierKey[]
  nodes: NodeReader
  log: Log
}

export interface Cosigners {
  /** The checkpoint with the cosignatures that came. Throws LogCorrupt when a witness saw another log than this. */
  cosign(checkpoint: StoredCheckpoint): Promise<{ checkpoint: StoredCheckpoint; count: number }>
}

export function createCosigners({ urls, keys, nodes, log }: CosignersParts): Cosigners {
  const witnessedSizes = new Map<string, number>()
  const away = new Set<string>()

  async function ask(url: string, { note, size }: StoredCheckpoint): Promise<string | undefined> {
    try {
      const witnessedSize = witnessedSizes.get(url)
      const known = witnessedSize === undefined ? {} : { witnessedSize }
      const { line } = await cosign(url, { note, size, nodes, keys: keys(), ...known })
      witnessedSizes.set(url, size)
      if (away.delete(url)) log.info({ event: 'witness', url, state: 'answers' })
      return line
    } catch (error) {
      if (!(error instanceof CosignError)) throw error
      if (error.fault === 'ahead' || error.fault === 'inconsistent')
        throw new LogCorrupt(`a witness knows another log: ${error.message}`)
      if (!away.has(url)) log.warn({ event: 'witness', url, state: error.fault, error: describeError(error) })
      away.add(url)
      return undefined
    }
  }

  return {
    async cosign(checkpoint) {
      const lines = await Promise.all(urls.map(url => ask(url, checkpoint)))
      const cosignatures = lines.filter(line => line !== undefined)
      const note = cosignatures.reduce(addSignature, checkpoint.note)
      return { checkpoint: { ...checkpoint, note }, count: cosignatures.length }
    },
  }
}
