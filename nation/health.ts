// What the health register knows of a person: blood group, allergies, chronic conditions, last visits. Blood groups are inherited,
// a birth is a visit of mother and child on one day at one place, the disabled have a condition that says so. It knows exactly
// those whom social insurance knows. Conditions are ICD-10 codes; facilities have codes that no real one has.

import { ageOf, type BenefitKind } from '#nation/benefits.ts'
import { lastBirthYear, nationDate } from '#nation/cells.ts'
import { type Chance, interpolate, mix, within } from '#nation/chance.ts'
import { type Person } from '#nation/person.ts'

export type BloodGroup = `${'A' | 'B' | 'AB' | 'O'}${'+' | '-'}`
export type VisitKind = 'outpatient' | 'inpatient' | 'emergency' | 'vaccination' | 'delivery' | 'birth'

export interface Visit {
  /** `yyyy-mm-dd` */
  readonly on: string
  /** Five digits: today's province and a number from 900. */
  readonly facility: string
  readonly kind: VisitKind
}

export interface HealthRecord {
  readonly bloodGroup: BloodGroup
  /** At most `allergiesMax`. */
  readonly allergies: readonly string[]
  /** ICD-10; at most `conditionsMax`. */
  readonly chronicConditions: readonly string[]
  /** The newest first, at most `visitsMax`, of the last three years. */
  readonly lastVisits: readonly Visit[]
}

export interface HealthParts {
  chance: Chance
  findPerson(personalId: string): Person | undefined
  childrenOf(person: Person): Person[]
  /** What the labour register pays them for. */
  benefitKind: BenefitKind | undefined
}

export const allergiesMax = 3
export const conditionsMax = 5
export const visitsMax = 5

/** code, parts per thousand who have it. */
const allergens = [
  ['penicillin', 21],
  ['cephalosporin', 9],
  ['nsaid', 12],
  ['contrast-medium', 3],
  ['seafood', 28],
  ['peanut', 4],
  ['latex', 3],
  ['house-dust', 26],
] as const
/** code, age from which, parts per thousand at that age and at 80. */
const conditions = [
  ['I10', 25, 30, 480],
  ['E11', 30, 20, 160],
  ['J45', 3, 40, 40],
  ['J44', 40, 15, 90],
  ['I25', 40, 10, 130],
  ['N18', 30, 8, 70],
  ['B18.1', 18, 60, 50],
  ['M17', 45, 50, 260],
] as const
/** Limitation of activities due to disability. */
const disabilityCondition = 'Z73.6'
const firstVisitYear = lastBirthYear - 2
const visitKinds = ['outpatient', 'outpatient', 'outpatient', 'inpatient', 'emergency'] as const
/** Beside births: a mother had two at most in these years, so none is left out. */
const otherVisitsMax = 3
const vaccinationAgeMax = 5
const facilities = 60
const msPerDay = 86_400_000
const topics = { alleles: 260, allergies: 261, conditions: 262, visits: 263, facility: 264, rhesus: 265 } as const

export function healthOf(person: Person, parts: HealthParts): HealthRecord {
  const { chance } = parts
  const age = ageOf(person)
  const has = (topic: number, at: number, perThousand: number): boolean =>
    within(mix(chance.draw(person.index, topic), at), 1000) < perThousand
  const allergies = allergens.filter(([, rate], at) => has(topics.allergies, at, rate)).map(([code]) => code)
  const chronic: string[] = conditions
    .filter(([, from, first, last], at) => {
      const rate = interpolate([[from, first] as const, [80, last] as const], age)
      return age >= from && has(topics.conditions, at, rate)
    })
    .map(([code]) => code)
  if (parts.benefitKind === 'disability') chronic.unshift(disabilityCondition)
  return {
    bloodGroup: bloodGroupOf(person, parts),
    allergies: allergies.slice(0, allergiesMax),
    chronicConditions: chronic.slice(0, conditionsMax),
    lastVisits: visitsOf(person, parts),
  }
}

/** Two genes for the letter (A and B show, O does not), two for the sign (a plus shows). */
function bloodGroupOf(person: Person, parts: HealthParts): BloodGroup {
  const letters = genesOf(person, topics.alleles, letterGene, parts)
  const signs = genesOf(person, topics.rhesus, signGene, parts)
  const shown = `${letters.includes('A') ? 'A' : ''}${letters.includes('B') ? 'B' : ''}` as 'A' | 'B' | 'AB' | ''
  return `${shown || 'O'}${signs.includes('+') ? '+' : '-'}`
}

/** Frequencies among the Vietnamese: A 0.15, B 0.18, O the rest; the minus is rare. */
const letterGene = (draw: number): string => {
  const percent = within(draw, 100)
  return percent < 15 ? 'A' : percent < 33 ? 'B' : 'O'
}
const signGene = (draw: number): string => (within(draw, 1000) < 26 ? '-' : '+')

/** One of the father's and one of the mother's; of whoever has no parents in the registry, drawn. At most four generations. */
function genesOf(
  { index, fatherId, motherId }: Person,
  topic: number,
  drawGene: (draw: number) => string,
  parts: HealthParts,
): readonly [string, string] {
  const draw = parts.chance.draw(index, topic)
  const inherit = (parentId: string | undefined, at: number): string => {
    const parent = parentId === undefined ? undefined : parts.findPerson(parentId)
    if (parent === undefined) return drawGene(mix(draw, at))
    return genesOf(parent, topic, drawGene, parts)[within(mix(draw, at), 2)] as string
  }
  return [inherit(fatherId, 1), inherit(motherId, 2)]
}

function visitsOf(person: Person, { chance, childrenOf }: HealthParts): Visit[] {
  const { index, dateOfBirth, sex } = person
  const isRecent = (birth: string): boolean => birth >= `${firstVisitYear}-01-01`
  const visits: Visit[] = isRecent(dateOfBirth) ? [birthOf(person, 'birth', chance)] : []
  if (sex === 'female' && person.spouseId !== undefined)
    for (const child of childrenOf(person))
      if (isRecent(child.dateOfBirth)) visits.push(birthOf(child, 'delivery', chance))
  const draw = chance.draw(index, topics.visits)
  const count = within(draw, otherVisitsMax + 1)
  const first = isRecent(dateOfBirth) ? dateOfBirth : `${firstVisitYear}-01-01`
  const days = (Date.parse(nationDate) - Date.parse(first)) / msPerDay
  for (let at = 0; at < count; at++) {
    const dice = mix(draw, at + 1)
    const on = new Date(Date.parse(first) + within(dice, days) * msPerDay).toISOString().slice(0, 10)
    const kind =
      ageOf(person) <= vaccinationAgeMax && at % 2 === 0 ? 'vaccination' : visitKinds[dice % visitKinds.length]
    visits.push({ on, facility: facilityOf(person, dice), kind: kind ?? 'outpatient' })
  }
  return visits.sort((a, b) => Number(a.on < b.on) - Number(a.on > b.on)).slice(0, visitsMax)
}

/** Told of the child, so that mother and child have the same day and place. */
const birthOf = (child: Person, kind: 'birth' | 'delivery', chance: Chance): Visit => ({
  on: child.dateOfBirth,
  facility: facilityOf(child, chance.draw(child.index, topics.facility)),
  kind,
})

const facilityOf = ({ residence }: Person, draw: number): string =>
  `${residence.province.code}${900 + within(mix(draw, 9), facilities)}`
