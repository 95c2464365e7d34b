// Gives a newborn its personal number: an effect, and a deferred one. A registration has one number, whoever asks and however
// often; one that has it already is told at once.
import { isSameName } from '#contracts/person-name.ts'
import { AdapterFailure, type AdapterTools, type CreateHandler, type Handler } from '../adapter.ts'
import { createIssuingDesk } from '../issuing-desk.ts'
import { localDateOf } from '../local-date.ts'
import { type BirthRegistration, choosePersonalId } from './personal-number.ts'

/** How long the desk takes for one number: in a register of people it would be days. */
const workMs = 1000

export const createHandler: CreateHandler = tools => createIssuance(tools, { workMs })

export function createIssuance(tools: AdapterTools, { workMs }: { workMs: number }): Handler {
  const { nation, now } = tools
  const handle = createIssuingDesk<BirthRegistration>(tools, {
    file: 'population.sqlite',
    workMs,
    keyOf: ({ birthRegistration }) => birthRegistration,
    isSame: isOfSamePerson,
    otherwise: 'already-registered-differently',
    decide: (registration, { today, isTaken }) => {
      const isSomebodys = (id: string): boolean => isTaken(id) || nation.findPerson(id) !== undefined
      const personalId = choosePersonalId(registration, isSomebodys)
      return { number: personalId, reply: { personalId, issuedOn: today } }
    },
  })
  return (request, question) => {
    if (String(request['dateOfBirth']) > localDateOf(now())) throw new AdapterFailure('birth-in-the-future')
    return handle(request, question)
  }
}

const isOfSamePerson = (issued: BirthRegistration, asked: BirthRegistration): boolean =>
  isSameName(issued.fullName, asked.fullName, { diacritics: 'keep' }) &&
  issued.dateOfBirth === asked.dateOfBirth &&
  issued.sex === asked.sex &&
  issued.provinceCode === asked.provinceCode
