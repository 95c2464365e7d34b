// Looks at the deadline before its work, not after it, and the work takes long.
import { type RequestMessage } from '#bus/message.ts'
import { type Service } from '#contracts/contract.ts'
import { NotaryAdapter, type Verdict } from './notary.ts'

export const finds = 'deadline'

const workMs = 450

export class Adapter extends NotaryAdapter {
  override async execute(service: Service, request: RequestMessage): Promise<Verdict> {
    await new Promise(resolve => setTimeout(resolve, workMs))
    return super.execute(service, request)
  }

  override conclude(_: RequestMessage, verdict: Verdict): Verdict {
    return verdict
  }
}
