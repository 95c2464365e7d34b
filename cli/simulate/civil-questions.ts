// Questions to the registers of civil status, of public employees and of judicial records. Who is asked about is who would be:
// children for a birth, adults for a marriage. What they answer of those whom they have recorded wrongly is known too.
import { type JsonObject } from '#contracts/json.ts'
import { lastBirthYear } from '#nation/cells.ts'
import { type Person } from '#nation/person.ts'
import { type Maker, type MakerTools, type Question } from './maker.ts'
import {
  aboutPeople,
  asJson,
  drawOtherName,
  drawPerson,
  identifyBy,
  identityOf,
  isFoundIn,
  missUnused,
  tellRecorded,
} from './people.ts'
import { drawRecentBirthday } from './population-questions.ts'

const writes = { name: 'fullName', birthDate: 'dateOfBirth' }
const schoolAgeMax = 15
const marriageAge = 20
/** Penal code 2015, article 12: nobody younger has a judicial record. */
const responsibleAge = 14
const motherAges = { from: 18, to: 45 } as const
const spousePercent = 50
/** Of bodies, whose codes are written in the older of the two official ways. */
const olderSpellingPercent = 30

export const civilQuestions: Readonly<Record<string, Maker>> = {
  'civil-status/birth-record': aboutPeople({
    about: birthEntryOf,
    isAsked: person => ageOf(person) <= schoolAgeMax,
    miss: missUnused,
    writes,
  }),
  'civil-status/marriage-status': aboutPeople({
    about: marriageOf,
    isAsked: person => ageOf(person) >= marriageAge,
    writes,
  }),
  'civil-status/birth-registration': aboutPeople({ about: birthOf }),
  'public-employees/employment-verification': aboutPeople({ about: employmentOf, writes }),
  'judicial-records/record-certificate': aboutPeople({ about: certificateOf, miss: certificateOfOther, writes }),
}

function birthEntryOf(person: Person, { nation, draws }: MakerTools): Question {
  const request = { ...identifyBy(person, draws) }
  if (!isFoundIn('civil-status', person, request, nation)) return { request, expects: { found: false } }
  const entry = { ...nation.birthEntryOf(person), ...tellRecorded('civil-status', person, nation) }
  return { request, expects: { found: true, ...asJson(entry), sex: person.sex } }
}

function marriageOf(person: Person, { nation, draws }: MakerTools): Question {
  const { spouseId, maritalStatus } = person
  const isTold = spouseId !== undefined && draws.percent(spousePercent)
  const status = maritalStatus === 'married' ? 'married' : 'unmarried'
  const request = { ...identityOf(person), status, ...(isTold ? { spouseId } : {}) }
  return { request, expects: { matched: isFoundIn('civil-status', person, request, nation) } }
}

/** A child of a married woman. Who it is, the registers decide. */
function birthOf(mother: Person, tools: MakerTools): Question | undefined {
  const father = tools.nation.findPerson(mother.spouseId ?? '')
  const age = ageOf(mother)
  if (father === undefined || mother.sex !== 'female' || age < motherAges.from || age > motherAges.to) return undefined
  const { code: provinceCode } = mother.birthProvince
  const namesake = drawPerson(tools)
  const request: JsonObject = {
    birthCertificate: `BV.${provinceCode}/2025-${tools.label}`,
    fullName: [father.fullName.split(' ')[0], ...namesake.fullName.split(' ').slice(1)].join(' '),
    dateOfBirth: drawRecentBirthday(tools),
    sex: namesake.sex,
    provinceCode,
    motherId: mother.personalId,
    fatherId: father.personalId,
  }
  return { request, expects: {} }
}

function employmentOf(person: Person, { nation, draws }: MakerTools): Question | undefined {
  const employment = nation.publicEmploymentOf(person)
  if (employment === undefined) return undefined
  const { code } = employment.body
  const body = draws.percent(olderSpellingPercent) ? `000.00.00.${code}` : code
  const request = { ...identityOf(person), body }
  const isKnown = employment.isRecorded && isFoundIn('public-employees', person, request, nation)
  return { request, expects: { matched: isKnown } }
}

function certificateOf(person: Person, { nation, label }: MakerTools): Question | undefined {
  if (ageOf(person) < responsibleAge) return undefined
  const request = { ...identityOf(person), application: `HS.2026-${label}` }
  if (!isFoundIn('judicial-records', person, request, nation)) return { request, expects: { found: false } }
  const entries = nation.convictionsOf(person).map(asJson)
  return { request, expects: { found: true, entryCount: entries.length, entries } }
}

function certificateOfOther(tools: MakerTools): Question {
  const person = drawPerson(tools)
  const fullName = drawOtherName(person.fullName, tools.nation, tools.draws)
  const request = { ...identityOf(person), fullName, application: `HS.2026-${tools.label}` }
  return { request, expects: { found: false } }
}

/** On the last day before the nation's date. */
const ageOf = ({ dateOfBirth }: Person): number => lastBirthYear - Number(dateOfBirth.slice(0, 4))
