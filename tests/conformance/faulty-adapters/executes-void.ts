// Executes what came onto the topic so late that its gateway may have begun it anew.
import { NotaryAdapter } from './notary.ts'

export const finds = 'deadline'

export class Adapter extends NotaryAdapter {
  override isVoid(): boolean {
    return false
  }
}
