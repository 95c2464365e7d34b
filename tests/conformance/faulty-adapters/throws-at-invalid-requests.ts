// Throws at a request that breaks its contract, and is given it again, for ever.
import { type RequestMessage } from '#bus/message.ts'
import { type Service } from '#contracts/contract.ts'
import { NotaryAdapter } from './notary.ts'

export const finds = 'invalid'

export class Adapter extends NotaryAdapter {
  override isValid(service: Service, request: RequestMessage): boolean {
    if (super.isValid(service, request)) return true
    throw new Error('no such request')
  }
}
