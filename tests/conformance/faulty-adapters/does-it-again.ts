// Executes whatever is delivered: each delivery has a number of its own.
import { type JsonObject } from '#contracts/json.ts'
import { NotaryAdapter } from './notary.ts'

export const finds = 'redelivery'

export class Adapter extends NotaryAdapter {
  override recall(): undefined {
    return undefined
  }

  override enter(): JsonObject {
    const { deeds } = this.register
    const deed = `2026-${String(124 + deeds.size).padStart(6, '0')}`
    deeds.set(deed, deed)
    return { deed }
  }
}
