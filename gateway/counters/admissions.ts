// Admissions of one turn of the event loop, gathered by client and decided by one script: each would cost Redis and us a command of
// its own otherwise. A batch never spans clients, whose keys may lie on different nodes. They are decided in the order given.
import { type ClientId } from '#contracts/contract.ts'

const batchMax = 100

/** violated, tokens left, seconds until one is there, quota left (admit.lua). */
export type Decision = readonly [violated: number, remaining: number, resetSeconds: number, quotaLeft: number]

export interface AdmissionArguments {
  keys: readonly string[]
  limits: readonly number[]
}

/** Decides one client's batch: four numbers for each admission. */
export type Decide = (keys: readonly string[], limits: readonly number[]) => Promise<readonly number[]>

interface Batch {
  readonly keys: string[]
  readonly limits: number[]
  readonly waiting: { resolve(decision: Decision): void; reject(error: unknown): void }[]
}

export class Admissions {
  readonly #decide: Decide
  readonly #batches = new Map<ClientId, Batch>()

  constructor(decide: Decide) {
    this.#decide = decide
  }

  /** Decided at the next flush, or when its batch is full. Rejects with what the decision of its batch rejects with. */
  add(client: ClientId, { keys, limits }: AdmissionArguments): Promise<Decision> {
    let batch = this.#batches.get(client)
    if (batch === undefined) {
      batch = { keys: [], limits: [], waiting: [] }
      this.#batches.set(client, batch)
    }
    batch.keys.push(...keys)
    batch.limits.push(...limits)
    const { promise, resolve, reject } = Promise.withResolvers<Decision>()
    batch.waiting.push({ resolve, reject })
    if (batch.waiting.length >= batchMax) {
      this.#batches.delete(client)
      void this.#send(batch)
    }
    return promise
  }

  /** To be called at the end of the turn. */
  flush(): void {
    const batches = [...this.#batches.values()]
    this.#batches.clear()
    for (const batch of batches) void this.#send(batch)
  }

  async #send({ keys, limits, waiting }: Batch): Promise<void> {
    try {
      const answers = await this.#decide(keys, limits)
      for (const [i, { resolve }] of waiting.entries()) resolve(answers.slice(4 * i, 4 * i + 4) as unknown as Decision)
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}
