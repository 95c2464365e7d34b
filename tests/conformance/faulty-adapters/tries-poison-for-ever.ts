// Reads a record that cannot be read again and again.
import { NotaryAdapter } from './notary.ts'

export const finds = 'poison'

export class Adapter extends NotaryAdapter {
  override async giveUp(): Promise<void> {
    throw new Error('it cannot be read')
  }
}
