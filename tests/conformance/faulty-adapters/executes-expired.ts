// Never looks at the deadline.
import { NotaryAdapter } from './notary.ts'

export const finds = 'deadline'

export class Adapter extends NotaryAdapter {
  override isOver(): boolean {
    return false
  }
}
