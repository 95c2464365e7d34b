// Registers a birth, then gets the child's personal number from the population register and its card from social insurance, each
// through the exchange: an effect, and a deferred one. The birth is entered before the question is; every errand is stored before it
// is asked, and its outcome before the next; so whoever dies, there is one entry, one number, one card.
import { type JsonObject } from '#contracts/json.ts'
import { AdapterFailure, type AdapterTools, answerOf, type CreateHandler, defer, type Handler } from '../adapter.ts'
import { startDesk } from '../desk.ts'
import { localDateOf } from '../local-date.ts'
import { type Births, type Child, OtherChildError, openBirths } from './births.ts'
import { obtainAll } from './obtaining.ts'

/** How long the registrar takes: in earnest hours. */
const workMs = 100

export const createHandler: CreateHandler = tools => createRegistration(tools, { workMs })

export function createRegistration(tools: AdapterTools, options: { workMs: number }): Handler {
  const { now } = tools
  const births = openBirths(tools.dataDir)
  const desk = startDesk(tools, {
    ...options,
    store: births.work,
    recall: request => births.recall(childOf(request)),
    decide: work => obtainAll(work, births.register(childOf(work.request), localDateOf(now())), { births, tools }),
  })
  tools.onStop(async () => {
    await desk.stop()
    births.close()
  })
  return (request, { exchangeId, ticket }) => {
    const child = childOf(request)
    requireTrue(child, tools)
    enter(child, localDateOf(now()), births)
    const settled = desk.accept({ exchangeId, request, ticket })
    return settled === undefined ? defer() : answerOf(settled)
  }
}

const childOf = (request: JsonObject): Child => request as unknown as Child

/** @throws {AdapterFailure} a code of the contract */
function requireTrue({ dateOfBirth, motherId, fatherId }: Child, { nation, now }: AdapterTools): void {
  if (dateOfBirth > localDateOf(now())) throw new AdapterFailure('birth-in-the-future')
  if (nation.findPerson(motherId)?.sex !== 'female') throw new AdapterFailure('mother-unknown')
  if (fatherId !== undefined && nation.findPerson(fatherId)?.sex !== 'male') throw new AdapterFailure('father-unknown')
}

function enter(child: Child, registeredOn: string, births: Births): void {
  try {
    births.register(child, registeredOn)
  } catch (error) {
    if (error instanceof OtherChildError) throw new AdapterFailure('already-registered-differently', { cause: error })
    throw error
  }
}
