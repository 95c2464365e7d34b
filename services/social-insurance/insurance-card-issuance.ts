// Issues the health insurance card of a child under six: an effect, and a deferred one. It is valid from the day of its issuance
// to the end of childhood (nation/insurance.ts). A person who has a card, of this register's people or issued here, is told it at
// once.
import { join } from 'node:path'
import { type JsonObject } from '#contracts/json.ts'
import { isSameName } from '#contracts/person-name.ts'
import { endOfChildhood } from '#nation/insurance.ts'
import { type Nation } from '#nation/nation.ts'
import {
  AdapterFailure,
  type AdapterTools,
  answerOf,
  type CreateHandler,
  defer,
  type Handler,
  type Settlement,
} from '../adapter.ts'
import { startDesk } from '../desk.ts'
import { localDateOf } from '../local-date.ts'
import { recordOf } from '../recorded-person.ts'
import { type CardRequest, openInsuranceCards } from './insurance-cards.ts'

/** How long the desk takes for one card: in earnest hours. */
const workMs = 500
const childYears = 6

export const createHandler: CreateHandler = tools => createCardIssuance(tools, { workMs })

export function createCardIssuance(tools: AdapterTools, options: { workMs: number }): Handler {
  const today = (): string => localDateOf(tools.now())
  const cards = openInsuranceCards(join(tools.dataDir, 'social-insurance.sqlite'))
  const desk = startDesk(tools, {
    ...options,
    store: cards.work,
    recall: request => recallKnown(cardRequestOf(request), tools.nation) ?? cards.recall(cardRequestOf(request)),
    decide: ({ request }) => cards.issue(cardRequestOf(request), today(), endOfChildhood(cardRequestOf(request))),
  })
  tools.onStop(async () => {
    await desk.stop()
    cards.close()
  })
  return (request, { exchangeId, ticket }) => {
    const asked = cardRequestOf(request)
    if (!isUnderSix(asked, today())) throw new AdapterFailure('not-under-six')
    const settled = desk.accept({ exchangeId, request, ticket })
    return settled === undefined ? defer() : answerOf(settled)
  }
}

const cardRequestOf = (request: JsonObject): CardRequest => request as unknown as CardRequest

/** Dates are `yyyy-mm-dd`, so their order is that of their texts; who was born on 29 February turns six on 1 March. */
const isUnderSix = ({ dateOfBirth }: CardRequest, today: string): boolean =>
  dateOfBirth <= today && today < `${Number(dateOfBirth.slice(0, 4)) + childYears}${dateOfBirth.slice(4)}`

/** What somebody who has had a card since before any was issued here, or differs from who has it, comes to. */
function recallKnown(asked: CardRequest, nation: Nation): Settlement | undefined {
  const holder = recordOf(nation, 'social-insurance', nation.findPerson(asked.personalId))
  const card = holder && nation.insuranceOf(holder.person)?.card
  if (holder === undefined || card === undefined) return undefined
  const { person, recorded } = holder
  const isSame =
    isSameName(recorded.fullName, asked.fullName, { diacritics: 'keep' }) &&
    recorded.dateOfBirth === asked.dateOfBirth &&
    nation.birthEntryOf(person).registrationNumber === asked.birthRegistration
  if (!isSame) return { failure: 'already-issued-differently' }
  const { number: insuranceCard, validFrom, validTo = endOfChildhood(person) } = card
  return { reply: { insuranceCard, validFrom, validTo } }
}
