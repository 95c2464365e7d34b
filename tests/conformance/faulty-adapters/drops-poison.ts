// Commits a record that it cannot read, and tells nobody.
import { NotaryAdapter } from './notary.ts'

export const finds = 'poison'

export class Adapter extends NotaryAdapter {
  override async giveUp(): Promise<void> {}
}
