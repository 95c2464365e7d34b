// Executes requests that break their contract.
import { NotaryAdapter } from './notary.ts'

export const finds = 'invalid'

export class Adapter extends NotaryAdapter {
  override isValid(): boolean {
    return true
  }
}
