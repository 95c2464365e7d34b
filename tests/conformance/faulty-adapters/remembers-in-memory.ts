// Keeps what it did in its own memory, which dies with it.
import { randomInt } from 'node:crypto'
import { type JsonObject } from '#contracts/json.ts'
import { NotaryAdapter, type Register } from './notary.ts'

export const finds = 'crash'

export class Adapter extends NotaryAdapter {
  override readonly register: Register = { deeds: new Map(), done: new Map() }
  readonly #first = randomInt(1_000, 900_000)

  override enter(): JsonObject {
    return { deed: `2026-${String(this.#first).padStart(6, '0')}` }
  }
}
