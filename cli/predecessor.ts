// The last head of a log that is to get a successor: everybody who may hold one is asked (witnesses, the bus, the old store, a file),
// and the largest that is signed counts. Two of one size with different roots are a fork, which no successor may hide.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'
import { openCheckpoint, type SignedCheckpoint } from '#ledger/notes/checkpoint.ts'
import { readVerifierKeys, type VerifierKey } from '#ledger/notes/keys.ts'
import { NoteError } from '#ledger/notes/note.ts'
import { readPublishedHead } from '#ledger/published-head.ts'
import { readStoredNote } from '#ledger/stored-head.ts'
import { storePath } from '#ledger/succession.ts'
import { witnessKeysDir } from '#ledger/witness/places.ts'
import { witnessedPath } from '#ledger/witness/witness-state.ts'
import { fetchWitnessedHead } from '#ledger/witness/witnessed-head.ts'
import { type Config } from '#runtime/config.ts'
import { CommandError } from './command.ts'

export interface PredecessorQuestion {
  config: Pick<Config, 'dataDir' | 'instance' | 'witnessUrls' | 'kafkaBrokers'>
  logKey: VerifierKey
  /** A checkpoint given by hand; then a witness or a bus that is away is gone without. */
  given?: string
}

export type PredecessorHead = SignedCheckpoint & { note: string; from: string }

/** Throws CommandError when somebody who must be asked is away, or none holds a head; Error when a ledger has the store open. */
export async function findPredecessor({ config, logKey, given }: PredecessorQuestion): Promise<PredecessorHead> {
  const witnessKeys = readVerifierKeys(witnessKeysDir(config.dataDir))
  const open = (from: string, note: string | undefined): PredecessorHead[] => {
    if (note === undefined) return []
    try {
      return [{ ...openCheckpoint(note, [logKey], witnessKeys), note, from }]
    } catch (error) {
      if (!(error instanceof NoteError)) throw error
      throw new CommandError(`the checkpoint from ${from} is not one of ${logKey.name}: ${error.message}`)
    }
  }
  const ask = async (from: string, question: () => Promise<{ note: string } | undefined>) => {
    try {
      return open(from, (await question())?.note)
    } catch (cause) {
      if (given !== undefined && !(cause instanceof CommandError)) return []
      throw new CommandError(
        `${from} does not answer (${(cause as Error).message}).\nIt may hold a later head of ${logKey.name}: start it, or give the last checkpoint known with --checkpoint.`,
        { cause },
      )
    }
  }
  const heads = [
    ...open('--checkpoint', given),
    ...open(storePath(config.dataDir), readStoredNote(storePath(config.dataDir))),
    ...open('the embedded witness', readOptional(witnessedPath(join(config.dataDir, 'witness', 'state'), logKey.name))),
  ]
  for (const url of config.witnessUrls)
    heads.push(...(await ask(url, () => fetchWitnessedHead(url, { logKey, witnessKeys }))))
  if (config.kafkaBrokers !== undefined) heads.push(...(await ask('Kafka', () => readFromKafka(config, logKey))))
  return largestOf(heads, logKey)
}

const readOptional = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)

async function readFromKafka({ kafkaBrokers = [], instance }: PredecessorQuestion['config'], logKey: VerifierKey) {
  const bus = createKafkaBus({ brokers: kafkaBrokers, clientId: instance })
  try {
    return await readPublishedHead(bus, logKey)
  } finally {
    await bus.close()
  }
}

function largestOf(heads: readonly PredecessorHead[], logKey: VerifierKey): PredecessorHead {
  const [largest] = heads.toSorted((a, b) => b.size - a.size || b.cosignatures.length - a.cosignatures.length)
  if (largest === undefined)
    throw new CommandError(
      `nobody holds a signed head of ${logKey.name}, so there is nothing to succeed.\nIf you have one, give it with --checkpoint.`,
    )
  const other = heads.find(({ size, root }) => size === largest.size && !root.equals(largest.root))
  if (other !== undefined)
    throw new CommandError(
      `${largest.from} and ${other.from} hold signed heads of ${largest.size} entries with different roots: this log was forked.\nKeep both as evidence; name the one that the successor goes on from with --checkpoint, with the other out of reach.`,
    )
  return largest
}
