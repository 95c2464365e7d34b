// Insurance, benefits and health of a person, each computed from the others where they must agree: whoever works for the state is
// insured through its body and is not paid for being unable to work; contributions make a pension,
// who has none may get a social pension, both say which health-insurance card it is, and the card who is known to health.

import { type Benefit, benefitOf } from '#nation/benefits.ts'
import { population } from '#nation/cells.ts'
import { createChance, mix } from '#nation/chance.ts'
import { type ContributionPeriod, contributionsOf, type PublicWork } from '#nation/contributions.ts'
import { type Enterprise } from '#nation/enterprise.ts'
import { type HealthRecord, healthOf } from '#nation/health.ts'
import { hasPension, type Insurance, indexOfCard, insuranceOf } from '#nation/insurance.ts'
import { createPermutation } from '#nation/permutation.ts'
import { type Person } from '#nation/person.ts'

export interface Welfare {
  /** What social insurance knows of the person; undefined for the nine of a hundred it does not know. */
  insuranceOf(person: Person): Insurance | undefined
  /** What was paid into social insurance for the person, the oldest first, at most seven periods. */
  contributionsOf(person: Person): readonly ContributionPeriod[]
  /** Who has the health-insurance card with this number, valid or not. */
  findInsured(cardNumber: string): Person | undefined
  /** The monthly benefit that the labour register pays the person. */
  benefitOf(person: Person): Benefit | undefined
  /** What the health register knows of the person; undefined for whom social insurance does not know. */
  healthOf(person: Person): HealthRecord | undefined
}

/** What of the nation they are computed from. */
export interface WelfareParts {
  person(index: number): Person
  findPerson(personalId: string): Person | undefined
  childrenOf(person: Person): Person[]
  enterprise(index: number): Enterprise
  /** Which public body employs them, if any. */
  publicWorkOf(person: Person): PublicWork | undefined
}

export function createWelfare(seed: number, parts: WelfareParts): Welfare {
  const chance = createChance(seed)
  const codes = createPermutation(mix(seed, 230), population)
  const accountNumbers = createPermutation(mix(seed, 250), population)
  const contributions = (person: Person): readonly ContributionPeriod[] => contributionsOf(person, { ...parts, chance })
  const benefit = (person: Person): Benefit | undefined =>
    benefitOf(person, {
      chance,
      accountNumbers,
      hasPension: one => hasPension(one, contributions(one)),
      worksForState: one => parts.publicWorkOf(one) !== undefined,
    })
  const insurance = (person: Person): Insurance | undefined =>
    insuranceOf(person, { contributions: contributions(person), benefit: benefit(person) }, { chance, codes })

  return {
    insuranceOf: insurance,
    contributionsOf: contributions,
    benefitOf: benefit,
    findInsured: cardNumber => {
      const index = indexOfCard(cardNumber, codes)
      const person = index === undefined ? undefined : parts.person(index)
      return person !== undefined && insurance(person)?.card?.number === cardNumber ? person : undefined
    },
    healthOf: person =>
      insurance(person) === undefined
        ? undefined
        : healthOf(person, { ...parts, chance, benefitKind: benefit(person)?.kind }),
  }
}
