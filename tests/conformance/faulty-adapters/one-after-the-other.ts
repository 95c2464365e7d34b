// Works on one record at a time, and takes a moment over each.
import { type IncomingRecord } from '#bus/bus.ts'
import { NotaryAdapter } from './notary.ts'

export const finds = 'slow'

const workMs = 60

export class Adapter extends NotaryAdapter {
  #last: Promise<void> = Promise.resolve()

  override take(record: IncomingRecord): Promise<void> {
    const before = this.#last
    this.#last = before.then(async () => {
      await new Promise(resolve => setTimeout(resolve, workMs))
      await super.take(record)
    })
    return this.#last
  }
}
