// Lanes: what one client asks of one service. How many of the day's questions each gets: its body's share, verification before
// disclosure before effects, never none, and never more than its grant lets through in a working day. Pure.
import { type Agreement, type Grant, type Mode, type Service } from '#contracts/contract.ts'
import { type ErrorCode } from '#contracts/errors.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Body, bodyOf, sharesOf } from './bodies.ts'
import { createExampleMaker, isSettledLater, type Maker } from './maker.ts'
import { makers } from './makers.ts'

export interface Lane {
  agreement: Agreement
  service: Service
  grant: Grant
  body: Body
  maker: Maker
  /** It asks its contract's examples: about few people, so one question at a time. */
  isByExample: boolean
  /** The grant does not hold today. */
  isOver?: ErrorCode
}

const modeWeights: Readonly<Record<Mode, number>> = { match: 8, disclose: 4, effect: 0.6 }
const laterWeight = 0.6
const populationWeight = 2
/** Of its rate in full: a hundred minutes. */
const fullRateSecondsADay = 6000
const quotaShare = 0.9

/** @param today `yyyy-mm-dd` */
export function createLanes(registry: Registry, { nationSeed, today }: { nationSeed: number; today: string }): Lane[] {
  const makerOf = new Map(
    registry.services.map(({ contract }) => [
      contract.id,
      makers[contract.id] ?? createExampleMaker(contract, nationSeed),
    ]),
  )
  return [...registry.agreements.values()].flatMap(agreement =>
    [...new Set(agreement.grants.map(({ service }) => service))].flatMap(id => {
      const service = registry.find(id)
      const grants = agreement.grants.filter(grant => grant.service === id && grant.hours === undefined)
      const grant = grants.find(one => codeOfDay(one, today) === undefined) ?? grants[0]
      if (service === undefined || grant === undefined) return []
      const isOver = codeOfDay(grant, today)
      return [
        {
          agreement,
          service,
          grant,
          body: bodyOf(agreement),
          maker: makerOf.get(id) as Maker,
          isByExample: makers[id] === undefined,
          ...(isOver === undefined ? {} : { isOver }),
        },
      ]
    }),
  )
}

/** Grants with hours of the day: whether they are refused would depend on when this is run, so they are left out, and named. */
export const leftOut = (registry: Registry): string[] =>
  [...registry.agreements.values()].flatMap(({ client, grants }) =>
    grants.filter(({ hours }) => hours !== undefined).map(({ id }) => `${client}: ${id}`),
  )

function codeOfDay({ validFrom, validTo }: Grant, today: string): ErrorCode | undefined {
  if (today < validFrom) return 'NDX_GRANT_NOT_YET_VALID'
  return today > validTo ? 'NDX_GRANT_EXPIRED' : undefined
}

/**
 * How many questions each lane asks, in the same order. At least one each; the sum is `total` unless limits or that one each
 * make it another. `scale`: the part of a day that is simulated, for the limits.
 */
export function apportion(lanes: readonly Lane[], total: number, scale: number): number[] {
  const weights = weightsOf(lanes)
  const most = lanes.map(({ grant, isOver }) =>
    isOver === undefined ? Math.max(1, Math.floor(mostADay(grant) * Math.min(1, scale))) : 1,
  )
  const counts = lanes.map(() => 0)
  // What a full lane cannot take, the others do: a few rounds are enough.
  for (let round = 0; round < 8; round++) {
    const left = total - sumOf(counts)
    const open = weights.map((weight, at) => ((counts[at] ?? 0) < (most[at] ?? 0) ? weight : 0))
    const openSum = sumOf(open)
    if (left < 1 || openSum === 0) break
    spread(open, left / openSum).forEach((more, at) => {
      counts[at] = Math.min(most[at] ?? 0, (counts[at] ?? 0) + more)
    })
  }
  return counts.map(count => Math.max(1, count))
}

const mostADay = ({ ratePerSecond, quotaPerDay = Number.POSITIVE_INFINITY }: Grant): number =>
  Math.min(ratePerSecond * fullRateSecondsADay, quotaPerDay * quotaShare)

function weightsOf(lanes: readonly Lane[]): number[] {
  const clients = [...new Set(lanes.map(({ agreement }) => agreement.client))]
  const shares = new Map(sharesOf(clients).map((share, at) => [clients[at], share]))
  const sums = new Map<string, number>()
  for (const lane of lanes)
    sums.set(lane.agreement.client, (sums.get(lane.agreement.client) ?? 0) + weightInClient(lane))
  return lanes.map(lane => {
    const { client } = lane.agreement
    return ((shares.get(client) ?? 0) * weightInClient(lane)) / (sums.get(client) ?? 1)
  })
}

function weightInClient({ service }: Lane): number {
  const weight = isSettledLater(service.contract) ? laterWeight : modeWeights[service.contract.mode]
  return weight * (service.providerId === 'population' ? populationWeight : 1)
}

/** Whole numbers in these proportions whose sum is that of the parts: what is cut off one is carried to the next. */
function spread(weights: readonly number[], factor: number): number[] {
  let carried = 0
  return weights.map(weight => {
    const exact = weight * factor + carried
    const whole = Math.floor(exact + 1e-9)
    carried = exact - whole
    return whole
  })
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
