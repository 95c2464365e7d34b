// The plan of a day: which errands are run in which quarter hour. An errand is one question, or a few that belong together in
// order. Only its lane, kind and number are kept; what exactly is asked is computed from them when it is asked (questions.ts).
import { type Service } from '#contracts/contract.ts'
import { type Registry } from '#contracts/registry.ts'
import { type Chance, createChance } from '#nation/chance.ts'
import { drawQuarter, peakQuarter, quartersADay } from './day-profile.ts'
import { createDraws } from './draws.ts'
import { canBeMisnamed, drawKind, type Kind } from './kinds.ts'
import { apportion, createLanes, type Lane } from './lanes.ts'
import { isSettledLater } from './maker.ts'

export interface Errand {
  lane: Lane
  kind: Kind
  /** What everything about it is drawn from. */
  number: number
  quarter: number
  /** How many questions: of a guess, and of a burst. */
  length: number
}

export interface Wave {
  quarter: number
  /** Not before so long after the beginning of the run. */
  startsMs?: number
  errands: readonly Errand[]
}

export interface Plan {
  lanes: readonly Lane[]
  waves: readonly Wave[]
  /** By client, others' lanes to services of which it has no grant: what it asks there must be refused. */
  ungranted: ReadonlyMap<string, readonly Lane[]>
  chance: Chance
}

export interface PlanOptions {
  registry: Registry
  seed: number
  nationSeed: number
  /** Questions, about. */
  total: number
  /** The part of a working day that they are. */
  scale: number
  /** `yyyy-mm-dd`: which grants hold. */
  today: string
  client?: string
  /** Evenly over so many seconds of the busiest quarter hour, instead of over a day. */
  seconds?: number
}

/** Apart from those of the nation, which has a seed of its own. */
const topics = { kind: 0, quarter: 10, second: 20 } as const
/** A small burst is exceeded at once; a large one would need more questions than a small day has. */
const hastyBurstMax = 10
const hastyRateMax = 5
/** Of all questions, but for the first burst. */
const hastyShare = 0.02
/** Of a burst of questions, so many are refused and given up. */
export const hastyRefusals = 2
/** What a prying officer asks, of all questions, and at least. */
const pryingShare = 0.004
const pryingMin = 30
const guessedShare = 0.0002
/** Guesses past the day's budget. */
export const guessesRefused = 3
/** Late in the evening, when nobody has a case. */
const pryingQuarter = 90
const guessingQuarter = 53

export function createPlan(options: PlanOptions): Plan {
  const { registry, seed, total, scale, client, seconds } = options
  const chance = createChance(seed)
  const allLanes = createLanes(registry, options)
  const isWanted = ({ agreement }: Lane): boolean => client === undefined || agreement.client === client
  const counts = apportion(allLanes, total, scale)
  const ungranted = findUngranted(allLanes)
  let number = 0
  const errands: Errand[] = []
  const add = (lane: Lane, kind: Kind, quarter: number, length = 1): void => {
    if (isWanted(lane)) errands.push({ lane, kind, quarter, length, number })
    number++
  }
  for (const [at, lane] of allLanes.entries()) {
    const isUngranted = ungranted.has(lane.agreement.client)
    for (let i = 0; i < (counts[at] ?? 0); i++) {
      const kind = drawKind(lane, createDraws(chance, number, topics.kind), isUngranted)
      add(lane, kind, drawQuarter(lane.body.profile, chance.draw(number, topics.quarter)))
    }
  }
  addAbuse(allLanes, total, add)
  return {
    lanes: allLanes.filter(isWanted),
    waves: seconds === undefined ? wavesOfDay(errands) : wavesOfSeconds(errands, seconds, chance),
    ungranted,
    chance,
  }
}

type Add = (lane: Lane, kind: Kind, quarter: number, length?: number) => void

/** Two officers who misuse their right to ask, and clients that do not keep to their rate. */
function addAbuse(lanes: readonly Lane[], total: number, add: Add): void {
  const holding = lanes.filter(({ isOver, isByExample }) => isOver === undefined && !isByExample)
  const ofOfficers = holding.filter(({ body, service }) => body.hasAbuse === true && isAboutPeople(service))
  const prying = ofOfficers.findLast(({ service }) => service.contract.mode === 'disclose')
  if (prying !== undefined)
    for (let i = 0; i < Math.max(pryingMin, total * pryingShare); i++) add(prying, 'prying', pryingQuarter + (i % 4))
  const guessing = ofOfficers.find(lane => canBeMisnamed(lane) && budgetOf(lane) !== undefined)
  const budget = guessing === undefined ? undefined : budgetOf(guessing)
  if (guessing !== undefined && budget !== undefined)
    for (let i = 0; i < Math.max(1, total * guessedShare); i++)
      add(guessing, 'guessing', guessingQuarter + (i % 4), budget + guessesRefused)
  addHaste(holding.filter(canBeHasty), total * hastyShare, add)
}

/** One burst at least. */
function addHaste(lanes: readonly Lane[], questionsMax: number, add: Add): void {
  let questions = 0
  for (const lane of lanes) {
    if (questions > 0 && questions >= questionsMax) return
    const length = lane.grant.burst * 2 + 4 + hastyRefusals
    add(lane, 'hasty', peakQuarter, length)
    questions += length
  }
}

const canBeHasty = ({ grant, service }: Lane): boolean =>
  grant.burst <= hastyBurstMax && grant.ratePerSecond <= hastyRateMax && !isSettledLater(service.contract)

/** Of the register that knows everyone, and that everyone may ask. */
const isAboutPeople = ({ providerId, contract }: Service): boolean =>
  providerId === 'population' && contract.subject === 'personalId' && !isSettledLater(contract)
const budgetOf = ({ service }: Lane): number | undefined => service.contract.limits.mismatchesPerSubjectPerDay

function findUngranted(lanes: readonly Lane[]): Map<string, Lane[]> {
  const oneOfEach = [...new Map(lanes.map(lane => [lane.service.contract.id, lane])).values()]
  const found = new Map<string, Lane[]>()
  for (const { agreement } of lanes) {
    const asked = new Set(agreement.grants.map(({ service }) => service))
    const others = oneOfEach.filter(({ service }) => !asked.has(service.contract.id))
    if (others.length > 0) found.set(agreement.client, others)
  }
  return found
}

function wavesOfDay(errands: readonly Errand[]): Wave[] {
  const waves = Array.from({ length: quartersADay }, (_, quarter) => ({ quarter, errands: [] as Errand[] }))
  for (const errand of errands) waves[errand.quarter]?.errands.push(errand)
  return waves
}

function wavesOfSeconds(errands: readonly Errand[], seconds: number, chance: Chance): Wave[] {
  const waves = Array.from({ length: seconds }, (_, second) => ({
    quarter: peakQuarter,
    startsMs: second * 1000,
    errands: [] as Errand[],
  }))
  for (const errand of errands) {
    const second = Math.floor((chance.draw(errand.number, topics.second) / 0x1_0000_0000) * seconds)
    waves[second]?.errands.push(errand)
  }
  return waves
}

/** Questions of each of the 24 hours. */
export function countByHour({ waves }: Plan): number[] {
  const counts = Array.from({ length: 24 }, () => 0)
  for (const { quarter, errands } of waves) {
    const hour = Math.floor(quarter / 4)
    counts[hour] = (counts[hour] ?? 0) + errands.reduce((sum, errand) => sum + countQuestions(errand), 0)
  }
  return counts
}

const countQuestions = ({ kind, length }: Errand): number => (kind === 'retry' || kind === 'reuse' ? 2 : length)
