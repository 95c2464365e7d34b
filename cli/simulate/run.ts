// Runs a plan: wave after wave, in each the lanes side by side, each lane at its grant's pace and its questions in their order.
// Nobody waits for what a register settles later: its wave ends without it, the run does not.
import { type Nation } from '#nation/nation.ts'
import { type Ask, type Result } from './asking.ts'
import { type Lane } from './lanes.ts'
import { isSettledLater } from './maker.ts'
import { createPace, createSlots, type Pace, type Slots, wait } from './pace.ts'
import { type Errand, hastyRefusals, type Plan, type Wave } from './plan.ts'
import { type Asked, questionsOf } from './questions.ts'

export interface RunParts {
  plan: Plan
  nation: Nation
  tag: string
  peopleSeed: number
  ask: Ask
  onResult(result: Result, errand: Errand): void
  onWave(wave: Wave): void
  clock(): number
}

/** Questions under way, of all clients together and of one lane. */
const underWayMax = 48
const laneUnderWayMax = 8
const laterUnderWayMax = 32

export async function run(parts: RunParts): Promise<void> {
  const { plan, clock } = parts
  const startedMs = clock()
  const all = createSlots(underWayMax)
  const roads = new Map(plan.lanes.map(lane => [lane, createRoad(lane, all, clock)]))
  const later: Promise<void>[] = []
  for (const wave of plan.waves) {
    const dueMs = startedMs + (wave.startsMs ?? 0)
    if (clock() < dueMs) await wait(dueMs - clock())
    const running = [...groupByLane(wave.errands)].map(([lane, errands]) => {
      const done = runLane(errands, roads.get(lane) as Road, parts)
      if (!isSettledLater(lane.service.contract)) return done
      later.push(done)
      // Heard when all are awaited.
      done.catch(() => {})
      return undefined
    })
    await Promise.all(running)
    parts.onWave(wave)
  }
  await Promise.all(later)
}

/** A lane's way to the platform. */
interface Road {
  pace: Pace
  all: Slots
  own: Slots
}

const createRoad = (lane: Lane, all: Slots, clock: () => number): Road => ({
  pace: createPace(lane.grant, clock),
  all,
  own: createSlots(underWayOf(lane)),
})

function underWayOf({ isByExample, service }: Lane): number {
  if (isSettledLater(service.contract)) return laterUnderWayMax
  return isByExample ? 1 : laneUnderWayMax
}

function groupByLane(errands: readonly Errand[]): Map<Lane, Errand[]> {
  const groups = new Map<Lane, Errand[]>()
  for (const errand of errands) {
    const group = groups.get(errand.lane) ?? []
    groups.set(errand.lane, group)
    group.push(errand)
  }
  return groups
}

async function runLane(errands: readonly Errand[], road: Road, parts: RunParts): Promise<void> {
  await Promise.all(
    errands.map(errand =>
      road.own.run(() => (errand.kind === 'hasty' ? burst(errand, road, parts) : inOrder(errand, road, parts))),
    ),
  )
}

async function inOrder(errand: Errand, { pace, all }: Road, parts: RunParts): Promise<void> {
  for (const asked of questionsOf(errand, parts)) {
    await pace.turn()
    const { settled } = await all.run(() => parts.ask(asked, { isHasty: false }))
    parts.onResult(await settled, errand)
  }
}

/**
 * All at once, rate or no rate. Those of one burst differ in nothing that decides, so whichever were refused, the first few are
 * given up and the others asked again: how many end how is the plan's, not the machine's.
 */
async function burst(errand: Errand, { pace, all }: Road, parts: RunParts): Promise<void> {
  const questions = questionsOf(errand, parts)
  const results = await Promise.all(questions.map(async asked => (await parts.ask(asked, { isHasty: true })).settled))
  const refused = results.filter(({ outcome }) => outcome === 'NDX_RATE_EXCEEDED')
  const others = results.filter(({ outcome }) => outcome !== 'NDX_RATE_EXCEEDED')
  // Were too few refused, some of the others are not as planned, and told so.
  const givenUp = [...refused, ...others].slice(0, hastyRefusals)
  for (const result of givenUp) parts.onResult({ ...result, asked: asGivenUp(result.asked) }, errand)
  for (const result of others) if (!givenUp.includes(result)) parts.onResult(result, errand)
  for (const { asked } of refused.slice(hastyRefusals)) {
    await pace.turn()
    const { settled } = await all.run(() => parts.ask(asked, { isHasty: false }))
    const result = await settled
    parts.onResult({ ...result, again: result.again + 1 }, errand)
  }
}

const asGivenUp = (asked: Asked): Asked => ({ ...asked, wanted: 'NDX_RATE_EXCEEDED', expects: {} })
