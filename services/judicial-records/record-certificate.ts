// Issues a judicial record certificate for an application, later: it lists the convictions that are on record, and names nobody.
// An application has one certificate, whoever asks. An unknown person, a wrong name and a wrong date get the same answer.
import { isSameName } from '#contracts/person-name.ts'
import { type AdapterTools, type CreateHandler, type Handler } from '../adapter.ts'
import { createIssuingDesk } from '../issuing-desk.ts'
import { type Application, certify } from './certificate.ts'

/** How long the desk takes for one: by law up to ten days. */
const workMs = 1000

export const createHandler: CreateHandler = tools => createCertificates(tools, { workMs })

export function createCertificates(tools: AdapterTools, { workMs }: { workMs: number }): Handler {
  return createIssuingDesk<Application>(tools, {
    file: 'judicial-records.sqlite',
    workMs,
    keyOf: ({ application }) => application,
    isSame: isForSamePerson,
    otherwise: 'application-used-otherwise',
    decide: (application, circumstances) => certify(application, tools.nation, circumstances),
  })
}

const isForSamePerson = (before: Application, asked: Application): boolean =>
  before.personalId === asked.personalId &&
  before.dateOfBirth === asked.dateOfBirth &&
  isSameName(before.fullName, asked.fullName, { diacritics: 'fold' })
