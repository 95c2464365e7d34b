// Asks the handlers of a register directly, as the host does but without a bus: request and reply are checked against the
// contract; every field is granted unless said otherwise, those that every grant has in any case.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { type Nation } from '#nation/nation.ts'
import { type AdapterTools, type CreateHandler, type Question } from '#services/adapter.ts'
import { ownServicesDir } from '#services/handlers.ts'

export type Ask = (request: JsonObject, fields?: readonly string[]) => JsonObject

const registry = loadRegistry({ idScheme: 'simulated' })

/** Throws where a request or a reply breaks the contract. For handlers that answer at once. */
export async function askerOf(nation: Nation, id: string): Promise<Ask> {
  const service = registry.find(id)
  if (service === undefined) throw new Error(`there is no service ${id}`)
  const { contract, checkRequest, checkReply } = service
  const { href } = pathToFileURL(join(ownServicesDir, `${id}.ts`))
  const { createHandler } = (await import(href)) as { createHandler: CreateHandler }
  const handler = createHandler({ nation } as AdapterTools)
  const all = contract.fields.map(({ name }) => name)
  const always = contract.fields.filter(field => field.always).map(({ name }) => name)
  return (request, fields = all) => {
    const reply = handler(request, { fields: new Set([...always, ...fields]) } as unknown as Question) as JsonObject
    const faults = checkRequest(request) ?? checkReply(reply)
    if (faults !== undefined) throw new Error(`${id}: ${JSON.stringify(faults)}`)
    return reply
  }
}
