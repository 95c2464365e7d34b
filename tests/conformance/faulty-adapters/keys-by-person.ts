// Keys its replies by the person that they are about.
import { type OutgoingRecord } from '#bus/bus.ts'
import { type RequestMessage } from '#bus/message.ts'
import { NotaryAdapter, type Verdict } from './notary.ts'

export const finds = 'personal-data'

export class Adapter extends NotaryAdapter {
  override reply(request: RequestMessage, verdict: Verdict): OutgoingRecord {
    return { ...super.reply(request, verdict), key: String(request.data['holder']) }
  }
}
