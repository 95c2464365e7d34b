// Knows a kind of deed that its contract does not.
import { type JsonObject } from '#contracts/json.ts'
import { NotaryAdapter } from './notary.ts'

export const finds = 'examples'

export class Adapter extends NotaryAdapter {
  override find(deed: string): JsonObject {
    return deed === '2026-000123' ? { found: true, kind: 'lease', holder: 'Trần Thị Mai Phương' } : { found: false }
  }
}
