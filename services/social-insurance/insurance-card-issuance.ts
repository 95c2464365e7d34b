// Issues the health insurance card of a child under six: an effect, and a deferred one. It is valid from the day of its issuance
// to the day before the sixth birthday. A person who has a card is told it at once.
import { join } from 'node:path'
import { type JsonObject } from '#contracts/json.ts'
import { AdapterFailure, type AdapterTools, answerOf, type CreateHandler, defer, type Handler } from '../adapter.ts'
import { startDesk } from '../desk.ts'
import { localDateOf } from '../local-date.ts'
import { type CardRequest, openInsuranceCards } from './insurance-cards.ts'

/** How long the desk takes for one card: in earnest hours. */
const workMs = 500
const childYears = 6
const dayMs = 86_400_000

export const createHandler: CreateHandler = tools => createCardIssuance(tools, { workMs })

export function createCardIssuance(tools: AdapterTools, options: { workMs: number }): Handler {
  const today = (): string => localDateOf(tools.now())
  const cards = openInsuranceCards(join(tools.dataDir, 'social-insurance.sqlite'))
  const desk = startDesk(tools, {
    ...options,
    store: cards.work,
    recall: request => cards.recall(cardRequestOf(request)),
    decide: ({ request }) => cards.issue(cardRequestOf(request), today(), lastDayOf(cardRequestOf(request))),
  })
  tools.onStop(async () => {
    await desk.stop()
    cards.close()
  })
  return (request, { exchangeId, ticket }) => {
    const asked = cardRequestOf(request)
    if (asked.dateOfBirth > today() || lastDayOf(asked) < today()) throw new AdapterFailure('not-under-six')
    const settled = desk.accept({ exchangeId, request, ticket })
    return settled === undefined ? defer() : answerOf(settled)
  }
}

const cardRequestOf = (request: JsonObject): CardRequest => request as unknown as CardRequest

/** The day before the sixth birthday; who was born on 29 February has it on 1 March. */
function lastDayOf({ dateOfBirth }: CardRequest): string {
  const [year = 0, month = 0, day = 0] = dateOfBirth.split('-').map(Number)
  return new Date(Date.UTC(year + childYears, month - 1, day) - dayMs).toISOString().slice(0, 10)
}
