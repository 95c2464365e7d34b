// Prints what it was asked.
import { type RequestMessage } from '#bus/message.ts'
import { NotaryAdapter, type Verdict } from './notary.ts'

export const finds = 'personal-data'

export class Adapter extends NotaryAdapter {
  override recall(request: RequestMessage): Verdict | undefined {
    this.print(`asked: ${JSON.stringify(request.data)}`)
    return super.recall(request)
  }
}
