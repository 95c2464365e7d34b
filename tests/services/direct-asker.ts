// Asks a handler without bus or host, but by its contract: the request and the reply are checked against it.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type JsonObject } from '#contracts/json.ts'
import { loadRegistry } from '#contracts/registry.ts'
import { type Nation } from '#nation/nation.ts'
import { type AdapterTools, type CreateHandler, type Question } from '#services/adapter.ts'
import { root } from '#tests/documents.ts'

export type Ask = (request: JsonObject, fields?: readonly string[]) => JsonObject

const registry = loadRegistry({ idScheme: 'simulated' })

/** Asks for every field of the contract, or those that are named. @throws when either side breaks the contract */
export async function directAsker(id: string, nation: Nation): Promise<Ask> {
  const service = registry.find(id)
  if (service === undefined) throw new Error(`no contract has the id ${id}`)
  const { createHandler } = (await import(pathToFileURL(join(root, `services/${id}.ts`)).href)) as {
    createHandler: CreateHandler
  }
  const handler = createHandler({ nation } as AdapterTools)
  const all = service.contract.fields.map(({ name }) => name)
  return (request, fields = all) => {
    const wrong = service.checkRequest(request)
    if (wrong !== undefined) throw new Error(`${id} is asked wrongly: ${JSON.stringify(wrong)}`)
    const reply = handler(request, { fields: new Set(fields) } as unknown as Question) as JsonObject
    const faults = service.checkReply(reply)
    if (faults !== undefined) throw new Error(`${id} answers wrongly: ${JSON.stringify(faults)}`)
    return reply
  }
}
