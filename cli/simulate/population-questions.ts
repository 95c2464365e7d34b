// Questions to the population register: who somebody is, who is related to whom, where somebody lives; and numbers for newborns.
import { type JsonObject } from '#contracts/json.ts'
import { type Person } from '#nation/person.ts'
import { type Maker, type MakerTools, type Question } from './maker.ts'
import { aboutPeople, asJson, drawPerson, identityOf, missUnused } from './people.ts'

export const populationQuestions: Readonly<Record<string, Maker>> = {
  'population/identity-verification': aboutPeople({
    about: person => ({ request: identityOf(person), expects: { matched: true } }),
    writes: { name: 'fullName', birthDate: 'dateOfBirth' },
  }),
  'population/citizen-record': aboutPeople({
    about: person => ({ request: { personalId: person.personalId }, expects: { found: true, ...asJson(person) } }),
    miss: missUnused,
  }),
  'population/relative-verification': aboutPeople({ about: relativeOf, miss: strangerOf }),
  'population/residence-confirmation': aboutPeople({
    about: person => ({ request: homeOf(person, person), expects: { matched: true } }),
    miss: elsewhere,
  }),
  'population/personal-id-issuance': { make: birthOf },
}

/** One of the relatives whom the register knows: parents, spouse, children. */
function relativeOf(person: Person, { nation, draws }: MakerTools): Question | undefined {
  const { personalId, fatherId, motherId, spouseId } = person
  const relatives: (readonly [relation: string, id: string | undefined])[] = [
    ['parent', fatherId],
    ['parent', motherId],
    ['spouse', spouseId],
    ...nation.childrenOf(person).map(child => ['child', child.personalId] as const),
  ]
  const known = relatives.flatMap(([relation, relativeId]) =>
    relativeId === undefined ? [] : [{ relation, relativeId }],
  )
  if (known.length === 0) return undefined
  return { request: { personalId, ...draws.pick(known) }, expects: { matched: true } }
}

/** Somebody who is not married to the other, claimed to be. */
function strangerOf(tools: MakerTools): Question {
  const { personalId, spouseId } = drawPerson(tools)
  for (;;) {
    const { personalId: relativeId } = drawPerson(tools)
    if (relativeId !== spouseId && relativeId !== personalId)
      return { request: { personalId, relativeId, relation: 'spouse' }, expects: { matched: false } }
  }
}

/** Whether the person lives where the other one does. */
const homeOf = ({ personalId }: Person, { residence: { province, ward } }: Person): JsonObject => ({
  personalId,
  provinceCode: province.code,
  wardCode: ward.code,
})

function elsewhere(tools: MakerTools): Question {
  const person = drawPerson(tools)
  for (;;) {
    const other = drawPerson(tools)
    if (other.residence.ward.code !== person.residence.ward.code)
      return { request: homeOf(person, other), expects: { matched: false } }
  }
}

function birthOf(tools: MakerTools): Question {
  const { fullName, sex, birthProvince } = drawPerson(tools)
  return {
    request: {
      birthRegistration: `TP.${birthProvince.code}/2025-${tools.label}`,
      fullName,
      dateOfBirth: drawRecentBirthday(tools),
      sex,
      provinceCode: birthProvince.code,
    },
    expects: {},
  }
}

/** Of last December, so that the child is born whenever this is run. */
export const drawRecentBirthday = ({ draws }: MakerTools): string =>
  `2025-12-${String(1 + draws.below(31)).padStart(2, '0')}`
