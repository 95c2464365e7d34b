// The head of the log on its way out: compared with what others hold, signed and stored, then onto the bus for anyone, then to the
// witnesses, whose cosignatures are stored with it. In that order: what was not compared is not signed, what is not stored is not
// shown.
import { type Bus } from '#bus/bus.ts'
import { checkpointTopic } from '#bus/topics.ts'
import { describeError, type Log } from '#runtime/log.ts'
import { type Checkpoints } from './checkpoints.ts'
import { type Comparison, type Standing } from './comparison.ts'
import { type Cosigners } from './cosigners.ts'
import { type LedgerStore, type StoredCheckpoint } from './store.ts'

export interface PublicationParts {
  origin: string
  store: Pick<LedgerStore, 'addCheckpoint' | 'lastCheckpoint'>
  bus: Pick<Bus, 'publish' | 'now'>
  log: Log
  comparison: Comparison
  checkpoints: Checkpoints
  cosigners: Cosigners
  /** How many witnesses there are, and how many of them a head needs. */
  witnesses: number
  witnessesMin: number
  /** Any clock that only goes forward, ms. */
  clock(): number
  onCosigned(count: number): void
}

/** `cosigned`: cosignatures on the newest head. `isMet`: it has as many as it needs, or has lacked them for a moment only. */
export interface Witnessing {
  witnesses: number
  needed: number
  cosigned: number
  isMet: boolean
}

export interface Publication {
  /** One round. Throws LogCorrupt. */
  publish(): Promise<void>
  /** Compares, without signing. Throws LogCorrupt. */
  compare(): Promise<void>
  /** What is left at the end is signed for the next start, if it may be. */
  signLast(): void
  readonly standing: Standing
  readonly witnessing: Witnessing
}

/** A head is cosigned a moment after it is signed; without cosignatures for longer than this the ledger is not ready. */
const uncosignedMaxMs = 30_000

export function createPublication(parts: PublicationParts): Publication {
  const { origin, store, bus, log, comparison, checkpoints, cosigners, witnesses, witnessesMin, clock } = parts
  let cosigned = countOf(store.lastCheckpoint())
  /** Since when heads lack cosignatures; long ago, when that is how they were found at the start. */
  let lackingSinceMs = cosigned < witnessesMin ? Number.NEGATIVE_INFINITY : undefined

  function countOf(checkpoint: StoredCheckpoint | undefined): number {
    return checkpoint === undefined ? witnesses : cosigners.count(checkpoint)
  }

  function announce({ note }: StoredCheckpoint): void {
    bus
      .publish(checkpointTopic, { key: origin, headers: {}, value: note })
      .catch((error: unknown) => log.warn({ event: 'checkpoint-unpublished', error: describeError(error) }))
  }

  async function haveCosigned(checkpoint: StoredCheckpoint): Promise<void> {
    const complete = await cosigners.cosign(checkpoint)
    if (complete.note !== checkpoint.note) store.addCheckpoint(complete)
    cosigned = countOf(complete)
    lackingSinceMs = cosigned < witnessesMin ? (lackingSinceMs ?? clock()) : undefined
    parts.onCosigned(cosigned)
  }

  return {
    async publish() {
      if (!(await comparison.compare())) return
      const signed = checkpoints.sign(bus.now())
      if (signed !== undefined) announce(signed)
      const head = signed ?? (cosigned < witnesses ? checkpoints.last() : undefined)
      if (head !== undefined) await haveCosigned(head)
    },
    async compare() {
      await comparison.compare()
    },
    signLast() {
      if (comparison.standing.state === 'compared') checkpoints.sign(bus.now())
    },
    get standing() {
      return comparison.standing
    },
    get witnessing() {
      const isMet = lackingSinceMs === undefined || clock() - lackingSinceMs < uncosignedMaxMs
      return { witnesses, needed: witnessesMin, cosigned, isMet }
    },
  }
}
