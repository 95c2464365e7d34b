// Answers from another register than the one that its examples are about.
import { type JsonObject } from '#contracts/json.ts'
import { NotaryAdapter } from './notary.ts'

export const finds = 'examples'

export class Adapter extends NotaryAdapter {
  override find(deed: string): JsonObject {
    return deed === '2026-000123' ? { found: true, kind: 'gift', holder: 'Trần Thị Mai Phương' } : { found: false }
  }
}
