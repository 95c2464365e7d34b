// Commits a record when it has read it, before its reply is written.
import { type IncomingRecord } from '#bus/bus.ts'
import { type RequestMessage } from '#bus/message.ts'
import { type Service } from '#contracts/contract.ts'
import { NotaryAdapter, type Verdict } from './notary.ts'

export const finds = 'crash'

const workMs = 200

export class Adapter extends NotaryAdapter {
  override async take(record: IncomingRecord): Promise<void> {
    super.take(record).catch(() => {})
  }

  override async execute(service: Service, request: RequestMessage): Promise<Verdict> {
    await new Promise(resolve => setTimeout(resolve, workMs))
    return super.execute(service, request)
  }
}
