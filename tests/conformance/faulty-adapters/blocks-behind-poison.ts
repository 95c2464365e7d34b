// Stays with a record that it cannot read; those behind it on its partition wait for ever.
import { type IncomingRecord } from '#bus/bus.ts'
import { NotaryAdapter } from './notary.ts'

export const finds = 'poison'

export class Adapter extends NotaryAdapter {
  readonly #blocked = new Set<number>()

  override async take(record: IncomingRecord): Promise<void> {
    if (this.#blocked.has(record.partition)) return new Promise(() => {})
    return super.take(record)
  }

  override giveUp({ partition }: IncomingRecord): Promise<void> {
    this.#blocked.add(partition)
    return new Promise(() => {})
  }
}
