// Leaves out the header that makes one story of many processes.
import { type OutgoingRecord } from '#bus/bus.ts'
import { type RequestMessage } from '#bus/message.ts'
import { NotaryAdapter, type Verdict } from './notary.ts'

export const finds = 'envelope'

export class Adapter extends NotaryAdapter {
  override reply(request: RequestMessage, verdict: Verdict): OutgoingRecord {
    return super.reply({ ...request, traceparent: '' }, verdict)
  }
}
