// Questions to the registers of business, land and tax: about enterprises and those who speak for them, parcels and their owners,
// taxpayers by today's code and by the one of before.
import { type Enterprise } from '#nation/enterprise.ts'
import { type Parcel } from '#nation/land.ts'
import { type Person } from '#nation/person.ts'
import { type Maker, type MakerTools, type Question } from './maker.ts'
import { aboutPeople, asJson, drawEnterprise, drawUnusedId, identityOf, isFoundIn, tellRecorded } from './people.ts'

const writes = { name: 'fullName', birthDate: 'dateOfBirth' }
const sitePercent = 20
const datePercent = 50
const enterprisePercent = 40
const formerCodePercent = 30
const numbersPerSheet = 5000

export const propertyQuestions: Readonly<Record<string, Maker>> = {
  'business-registration/enterprise-record': aboutEnterprises({
    aboutEnterprise: enterprise => ({
      request: { enterpriseCode: enterprise.enterpriseCode },
      expects: { found: true, ...asJson(enterprise) },
    }),
  }),
  'business-registration/representative-verification': aboutEnterprises({ aboutEnterprise: representativeOf, writes }),
  'land/parcel-record': mixed(sitePercent, {
    about: (person, { nation, draws }) => parcelOf(nation.parcelsOf(person), draws),
    aboutEnterprise: (enterprise, { nation, draws }) => parcelOf(nation.parcelsOf(enterprise), draws),
    miss: parcelOfNobody,
  }),
  'land/ownership-verification': aboutPeople({ about: ownershipOf, writes }),
  'tax/tax-code': mixed(enterprisePercent, {
    about: (person, tools) => {
      const formerTaxCode = tools.nation.formerTaxCodeOf(person)
      const { fullName: name, dateOfBirth } = tellRecorded('tax', person, tools.nation)
      const code = formerTaxCode === undefined ? {} : { formerTaxCode }
      return taxpayer(person, tools, { kind: 'person', taxCode: person.personalId, name, dateOfBirth, ...code })
    },
    aboutEnterprise: ({ enterpriseCode: taxCode, name }) => ({
      request: { taxCode },
      expects: { found: true, kind: 'enterprise', taxCode, name },
    }),
    miss: taxpayerOfNobody,
  }),
  'tax/tax-obligation': mixed(enterprisePercent, {
    about: (person, tools) => taxpayer(person, tools, { owes: tools.nation.obligationsOf(person).length > 0 }),
    aboutEnterprise: (enterprise, { nation }) => ({
      request: { taxCode: enterprise.enterpriseCode },
      expects: { found: true, owes: nation.obligationsOf(enterprise).length > 0 },
    }),
    miss: taxpayerOfNobody,
  }),
}

type EnterpriseMaker = Required<Pick<Maker, 'aboutEnterprise'>> & Omit<Maker, 'make'>

function aboutEnterprises(maker: EnterpriseMaker): Maker {
  return {
    ...maker,
    make: tools => {
      for (;;) {
        const question = maker.aboutEnterprise(drawEnterprise(tools), tools)
        if (question !== undefined) return question
      }
    },
  }
}

/** With so many chances in a hundred about an enterprise, else about a person. */
function mixed(percent: number, maker: EnterpriseMaker & Required<Pick<Maker, 'about'>>): Maker {
  const [ofPeople, ofEnterprises] = [aboutPeople(maker), aboutEnterprises(maker)]
  return { ...maker, make: tools => (tools.draws.percent(percent) ? ofEnterprises : ofPeople).make(tools) }
}

function representativeOf(
  { enterpriseCode, legalRepresentativeId }: Enterprise,
  tools: MakerTools,
): Question | undefined {
  const person = tools.nation.findPerson(legalRepresentativeId)
  if (person === undefined) return undefined
  const request = { enterpriseCode, ...identifyByName(person, tools) }
  return { request, expects: { matched: isFoundIn('business-registration', person, request, tools.nation) } }
}

function ownershipOf(person: Person, tools: MakerTools): Question | undefined {
  const parcels = tools.nation.parcelsOf(person)
  if (parcels.length === 0) return undefined
  const request = { ...identifyByName(person, tools), parcelCode: tools.draws.pick(parcels).parcelCode }
  return { request, expects: { matched: isFoundIn('land', person, request, tools.nation) } }
}

/** Clients that need no date of birth send it in half of their questions. */
function identifyByName(person: Person, { draws }: MakerTools) {
  const { personalId, fullName, dateOfBirth } = identityOf(person)
  return { personalId, fullName, ...(draws.percent(datePercent) ? { dateOfBirth } : {}) }
}

function parcelOf(parcels: readonly Parcel[], draws: MakerTools['draws']): Question | undefined {
  if (parcels.length === 0) return undefined
  const { parcelCode, mapSheet, parcelNumber, areaM2, certificateNumber, ownerKind } = draws.pick(parcels)
  return {
    request: { parcelCode },
    expects: { found: true, parcelCode, mapSheet, parcelNumber, areaM2, certificateNumber, ownerKind },
  }
}

/** Of homes there are far fewer than numbers: most draws are nobody’s. */
function parcelOfNobody({ nation, draws }: MakerTools): Question {
  for (;;) {
    const { ward } = nation.person(draws.below(nation.population)).residence
    const parcelCode = `${ward.code}.${1 + draws.below(100)}.${1 + draws.below(numbersPerSheet)}`
    if (nation.findParcel(parcelCode) === undefined) return { request: { parcelCode }, expects: { found: false } }
  }
}

/** By the personal number, or by the code that the person had before July 2025. */
function taxpayer(person: Person, { nation, draws }: MakerTools, known: Question['expects']): Question {
  const former = nation.formerTaxCodeOf(person)
  const taxCode = former !== undefined && draws.percent(formerCodePercent) ? former : person.personalId
  const isFound = isFoundIn('tax', person, {}, nation)
  return { request: { taxCode }, expects: isFound ? { found: true, ...known } : { found: false } }
}

function taxpayerOfNobody(tools: MakerTools): Question {
  return { request: { taxCode: drawUnusedId(tools) }, expects: { found: false } }
}
