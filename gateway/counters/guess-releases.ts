// Guesses to be given back, gathered for some milliseconds and written together: every matched question gives one back, and
// nobody waits for it. What is not written lapses by itself when the hold ends.
import { type ClientId } from '#contracts/contract.ts'

const gatherMs = 10
const batchMax = 200

/** Writes one client's batch; a batch never spans clients, whose keys may lie on different nodes. */
export type WriteReleases = (heldKeys: readonly string[]) => Promise<unknown>

interface Batch {
  heldKeys: string[]
  written: Promise<void>
  write(): void
}

export class GuessReleases {
  readonly #write: WriteReleases
  readonly #batches = new Map<ClientId, Batch>()
  #timer: NodeJS.Timeout | undefined

  constructor(write: WriteReleases) {
    this.#write = write
  }

  /** Resolves when it is written, with its batch. */
  add(client: ClientId, heldKey: string): Promise<void> {
    let batch = this.#batches.get(client)
    if (batch === undefined || batch.heldKeys.length >= batchMax) {
      batch?.write()
      batch = this.#open()
      this.#batches.set(client, batch)
    }
    batch.heldKeys.push(heldKey)
    this.#timer ??= setTimeout(() => this.flush(), gatherMs)
    return batch.written
  }

  /** Writes what is gathered; resolves when that has ended, well or not. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batches = [...this.#batches.values()]
    this.#batches.clear()
    for (const batch of batches) batch.write()
    await Promise.allSettled(batches.map(batch => batch.written))
  }

  #open(): Batch {
    const heldKeys: string[] = []
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    promise.catch(() => {}) // whoever added may not care
    return { heldKeys, written: promise, write: () => void this.#write(heldKeys).then(() => resolve(), reject) }
  }
}
