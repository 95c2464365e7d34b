// What may be asked: the services granted to the caller, and any service's contract. Contracts are public documents; a list
// says only what its reader was granted.
import { type FastifyInstance } from 'fastify'
import { type Agreement, type Service } from '#contracts/contract.ts'
import { ExchangeError } from '#contracts/errors.ts'
import { type Registry } from '#contracts/registry.ts'
import { type ClientLimits, limitClient } from '../limits/client-limits.ts'

export interface CatalogueParts {
  registry: Registry
  clientLimits: ClientLimits
}

export function catalogueRoutes(app: FastifyInstance, { registry, clientLimits }: CatalogueParts): void {
  const onRequest = [app.authenticate('catalogue'), limitClient(clientLimits.reading)]
  app.get('/v1/services', { onRequest }, async request => ({ services: listGranted(request.agreement, registry) }))
  app.get('/v1/services/:provider/:service', { onRequest }, async request => {
    const { provider, service } = request.params as { provider: string; service: string }
    const found = registry.find(`${provider}/${service}`)
    if (found === undefined)
      throw new ExchangeError('NDX_SERVICE_UNKNOWN', { detail: 'GET /v1/services lists what you may ask.' })
    return { ...found.contract, contractHash: found.hash }
  })
}

/** One row a grant: what of the service it covers, and its limits. */
function listGranted({ grants }: Agreement, registry: Registry): object[] {
  return grants.flatMap(grant => {
    const service: Service | undefined = registry.find(grant.service)
    if (service === undefined) return []
    const { id, version, mode, title, deadlineMs } = service.contract
    const { purposes, procedures, fields, ratePerSecond, burst, quotaPerDay, validFrom, validTo } = grant
    const limits = { ratePerSecond, burst, ...(quotaPerDay === undefined ? {} : { quotaPerDay }), deadlineMs }
    return [
      {
        id,
        version,
        mode,
        title,
        purposes,
        procedures,
        fields,
        limits,
        agreement: `${grant.id}@${grant.version}`,
        validFrom,
        validTo,
      },
    ]
  })
}
