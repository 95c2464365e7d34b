// Names the hash of another text of the contract than the one that was asked.
import { type OutgoingRecord } from '#bus/bus.ts'
import { type RequestMessage } from '#bus/message.ts'
import { NotaryAdapter, type Verdict } from './notary.ts'

export const finds = 'envelope'

export class Adapter extends NotaryAdapter {
  override reply(request: RequestMessage, verdict: Verdict): OutgoingRecord {
    return super.reply({ ...request, contractHash: 'AAAAAAAAAAAAAAAAAAAAAA' }, verdict)
  }
}
