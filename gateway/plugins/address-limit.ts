// Before any signature is verified: an address that has had too much refused is refused, unless it shows a token that was verified.
import { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { type AddressLimit } from '../limits/address-limit.ts'
import { type VerifiedTokens } from '../tokens/verified-tokens.ts'

export interface AddressLimitOptions {
  addressLimit: AddressLimit
  verifiedTokens: VerifiedTokens
}

const scheme = 'Bearer '

export const addressLimiting = fp(
  async (app: FastifyInstance, { addressLimit, verifiedTokens }: AddressLimitOptions) => {
    app.addHook('onRequest', async ({ headers, routeOptions, socket }) => {
      if (routeOptions.config.isVital) return
      const { authorization } = headers
      if (authorization !== undefined && verifiedTokens.find(authorization.slice(scheme.length)) !== undefined) return
      addressLimit.check(socket.remoteAddress)
    })
  },
  { name: 'address-limit', dependencies: ['correlation', 'problems', 'pressure'] },
)
