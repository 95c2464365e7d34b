// What the tax register knows beside the population's: the ten-digit codes that people had before July 2025, when the personal
// number took their place, and what is owed. An enterprise's tax code is its enterprise code. Land tax is owed by those alone who
// own a home's or a site's parcel; fields are exempt (resolution 55/2010/QH12, prolonged to 2030).
import { type EnterpriseCode, formatEnterpriseCode, isEnterpriseCode } from '#contracts/enterprise-code.ts'
import { birthYearOfCell, cellOfSeat, lastBirthYear, population, type Seat } from '#nation/cells.ts'
import { createChance, mix, within } from '#nation/chance.ts'
import { type Enterprise } from '#nation/enterprise.ts'
import { type Land } from '#nation/land.ts'
import { createPermutation } from '#nation/permutation.ts'
import { adultAge, type Lineage } from '#nation/person.ts'

export type TaxType =
  | 'personal-income'
  | 'household-business'
  | 'value-added'
  | 'corporate-income'
  | 'business-licence-fee'
  | 'non-agricultural-land-use'

/** One sum that was due before the nation's date and is not paid. */
export interface TaxObligation {
  readonly taxType: TaxType
  /** A year or a quarter, `2025` or `2025-Q3`. */
  readonly period: string
  /** `yyyy-mm-dd` */
  readonly dueOn: string
  /** Dong, in round thousands. */
  readonly amountVnd: number
}

export interface Taxes {
  /** The code from before July 2025, of those who had one: most adults, and children who were dependants. */
  formerCodeOf(seat: Seat): EnterpriseCode | undefined
  findSeat(formerCode: string): Seat | undefined
  /** By due day, the earliest first; of most nothing. */
  obligationsOf(taxpayer: Seat | Enterprise): TaxObligation[]
}

interface Levy extends Omit<TaxObligation, 'amountVnd'> {
  /** Of 1,000 who are liable, how many have not paid. */
  readonly owing: number
  /** Least and most, in thousands of dong. */
  readonly thousands: readonly [least: number, most: number]
}

/** Codes of enterprises open with their department's two digits, 01 to 68; people's with 8. */
const personBodies = 800_000_000
const codedAdultPercent = 82
const codedMinorPercent = 24
const codedTopic = 300
const owesTopic = 302
const amountTopic = 316

const personLevies: readonly Levy[] = Object.freeze([
  { taxType: 'personal-income', period: '2024', dueOn: '2025-05-05', owing: 14, thousands: [50, 30_000] },
  { taxType: 'household-business', period: '2025-Q2', dueOn: '2025-07-31', owing: 5, thousands: [300, 9000] },
  { taxType: 'household-business', period: '2025-Q3', dueOn: '2025-10-31', owing: 8, thousands: [300, 9000] },
  { taxType: 'non-agricultural-land-use', period: '2025', dueOn: '2025-10-31', owing: 45, thousands: [20, 900] },
])
const enterpriseLevies: readonly Levy[] = Object.freeze([
  { taxType: 'business-licence-fee', period: '2025', dueOn: '2025-01-30', owing: 30, thousands: [1000, 3000] },
  { taxType: 'corporate-income', period: '2024', dueOn: '2025-03-31', owing: 45, thousands: [2000, 900_000] },
  { taxType: 'value-added', period: '2025-Q2', dueOn: '2025-07-31', owing: 40, thousands: [1000, 600_000] },
  { taxType: 'value-added', period: '2025-Q3', dueOn: '2025-10-31', owing: 80, thousands: [1000, 600_000] },
  { taxType: 'non-agricultural-land-use', period: '2025', dueOn: '2025-10-31', owing: 60, thousands: [500, 80_000] },
])

export function createTaxes(seed: number, { cells, chance, personalIdOf }: Lineage, land: Land): Taxes {
  const serials = createPermutation(mix(seed, 300), population)
  const enterpriseChance = createChance(mix(seed, 301))

  function formerCodeOf(seat: Seat): EnterpriseCode | undefined {
    const position = cells.positionOf(seat)
    const percent = isAdult(seat) ? codedAdultPercent : codedMinorPercent
    if (within(chance.draw(position, codedTopic), 100) >= percent) return undefined
    return formatEnterpriseCode(personBodies + serials.forward(position), 'simulated')
  }

  function owedByPerson(seat: Seat): TaxObligation[] {
    if (!isAdult(seat)) return []
    const draw = (topic: number): number => chance.draw(cells.positionOf(seat), topic)
    // Fields are exempt; of two owners the first declares.
    const paysForLand = (): boolean =>
      land.parcelsOf(seat).some(({ use, ownerIds }) => use.code.startsWith('O') && ownerIds[0] === personalIdOf(seat))
    return drawObligations(personLevies, draw, paysForLand)
  }

  /** Who was dissolved has paid; who was registered in the year of a levy is free of it. */
  function owedByEnterprise(enterprise: Enterprise): TaxObligation[] {
    if (enterprise.status === 'dissolved') return []
    const draw = (topic: number): number => enterpriseChance.draw(enterprise.index, topic)
    const obligations = drawObligations(enterpriseLevies, draw, () => land.siteOf(enterprise) !== undefined)
    return obligations.filter(({ period }) => enterprise.registeredOn < period.slice(0, 4))
  }

  return {
    formerCodeOf,
    findSeat: formerCode => {
      const body = Number(formerCode.slice(0, 9)) - personBodies
      if (!isEnterpriseCode(formerCode, 'simulated') || body < 0 || body >= population) return undefined
      const seat = cells.seatAt(serials.backward(body))
      return formerCodeOf(seat) === formerCode ? seat : undefined
    },
    obligationsOf: taxpayer => (typeof taxpayer === 'number' ? owedByPerson(taxpayer) : owedByEnterprise(taxpayer)),
  }
}

const isAdult = (seat: Seat): boolean => lastBirthYear - birthYearOfCell(cellOfSeat(seat)) >= adultAge

function drawObligations(
  levies: readonly Levy[],
  draw: (topic: number) => number,
  paysForLand: () => boolean,
): TaxObligation[] {
  return levies.flatMap(({ taxType, period, dueOn, owing, thousands: [least, most] }, at) => {
    if (within(draw(owesTopic + at), 1000) >= owing) return []
    if (taxType === 'non-agricultural-land-use' && !paysForLand()) return []
    const amountVnd = (least + within(draw(amountTopic + at), most - least + 1)) * 1000
    return [{ taxType, period, dueOn, amountVnd }]
  })
}
