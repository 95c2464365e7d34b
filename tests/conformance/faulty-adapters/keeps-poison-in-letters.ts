// Puts the record that it could not read into its dead letter, whole.
import { type IncomingRecord } from '#bus/bus.ts'
import { deadLetterTopic } from '#bus/topics.ts'
import { NotaryAdapter } from './notary.ts'

export const finds = 'personal-data'

export class Adapter extends NotaryAdapter {
  override async giveUp(record: IncomingRecord): Promise<void> {
    const letter = JSON.parse(this.letterOf(record).value) as object
    const value = JSON.stringify({ ...letter, original: record.value.toString() })
    await this.bus.publish(deadLetterTopic, { ...this.letterOf(record), value })
  }
}
