// Gives a newborn its personal number: an effect, and a deferred one. The question is stored in the register's own store before
// the record is committed; the desk decides it a little later and settles it. A registration that has its number gets it at once.
import { join } from 'node:path'
import { type JsonObject } from '#contracts/json.ts'
import { AdapterFailure, type AdapterTools, answerOf, type CreateHandler, defer, type Handler } from '../adapter.ts'
import { startDesk } from '../desk.ts'
import { localDateOf } from '../local-date.ts'
import { type BirthRegistration, openIssuances } from './issuances.ts'
import { choosePersonalId } from './personal-number.ts'

/** How long the desk takes for one number: in a register of people it would be days. */
const workMs = 1000

export const createHandler: CreateHandler = tools => createIssuance(tools, { workMs })

export function createIssuance(tools: AdapterTools, options: { workMs: number }): Handler {
  const { nation, now } = tools
  const store = openIssuances(join(tools.dataDir, 'population.sqlite'))
  const desk = startDesk(tools, {
    ...options,
    store: store.work,
    recall: request => store.recall(registrationOf(request)),
    decide: ({ request }) => {
      const registration = registrationOf(request)
      return store.decide(registration, localDateOf(now()), isTaken =>
        choosePersonalId(registration, id => isTaken(id) || nation.findPerson(id) !== undefined),
      )
    },
  })
  tools.onStop(async () => {
    await desk.stop()
    store.close()
  })
  return (request, { exchangeId, ticket }) => {
    if (registrationOf(request).dateOfBirth > localDateOf(now())) throw new AdapterFailure('birth-in-the-future')
    const settled = desk.accept({ exchangeId, request, ticket })
    return settled === undefined ? defer() : answerOf(settled)
  }
}

const registrationOf = (request: JsonObject): BirthRegistration => request as unknown as BirthRegistration
