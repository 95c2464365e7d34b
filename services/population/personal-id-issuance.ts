// Gives a newborn its personal number: an effect, and a deferred one. The question is stored in the register's own store before
// the record is committed; the desk decides it a little later and settles it. A registration that has its number gets it at once.
import { type JsonObject } from '#contracts/json.ts'
import { AdapterFailure, type AdapterTools, type CreateHandler, defer, type Handler } from '../adapter.ts'
import { type BirthRegistration, localDateOf } from './issuances.ts'
import { startDesk } from './issuing-desk.ts'

/** How long the desk takes for one number: in a register of people it would be days. */
const workMs = 1000

export const createHandler: CreateHandler = tools => createIssuance(tools, { workMs })

export function createIssuance(tools: AdapterTools, options: { workMs: number }): Handler {
  const desk = startDesk(tools, options)
  tools.onStop(() => desk.stop())
  return (request: JsonObject, { exchangeId, ticket }) => {
    const registration = request as unknown as BirthRegistration
    if (registration.dateOfBirth > localDateOf(tools.now())) throw new AdapterFailure('birth-in-the-future')
    const known = desk.accept({ exchangeId, registration, ticket })
    if (known === undefined) return defer()
    if ('failure' in known) throw new AdapterFailure(known.failure)
    return known.reply
  }
}
