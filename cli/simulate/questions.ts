// What exactly an errand asks, computed from its number: envelopes, header fields, and what must become of each. The same number
// asks the same; `tag` and `peopleSeed` keep the runs of one day on one platform from asking about the same people again.
import { type ErrorCode } from '#contracts/errors.ts'
import { type JsonObject } from '#contracts/json.ts'
import { type Chance, createChance } from '#nation/chance.ts'
import { type Nation } from '#nation/nation.ts'
import { createDraws, type Draws } from './draws.ts'
import { keyOf, officerCode, officerOf, spoil, writeAsBody } from './habits.ts'
import { type Outcome, ungrantedFieldOf } from './kinds.ts'
import { type Lane } from './lanes.ts'
import { isSettledLater, type MakerTools, type Question } from './maker.ts'
import { drawOtherName } from './people.ts'
import { type Errand, guessesRefused, type Plan } from './plan.ts'

export interface Asked {
  client: string
  /** As it is put into the address. */
  service: string
  /** As the books name it: `-` where there is no such service. */
  counted: string
  envelope: JsonObject
  headers: Readonly<Record<string, string>>
  wanted: Outcome
  /** Of an answer. */
  expects: JsonObject
}

export interface QuestionTools {
  plan: Plan
  nation: Nation
  /** Capitals and digits; '' on an exchange that was started for this run. */
  tag: string
  /** Of this run: which people are asked about. */
  peopleSeed: number
}

/** Officers who misuse their right have numbers of their own. */
const pryingOfficer = 901
const guessingOfficer = 902
const topics = { question: 100, envelope: 300, key: 500, service: 550, name: 600 } as const
/** Between the draws of two questions of one errand. */
const topicStride = 1000
const unknownService = 'population/horoscope'
const nobodysPurpose = 'curiosity'

/** In order; of a burst, all at once. */
export function questionsOf(errand: Errand, tools: QuestionTools): Asked[] {
  const { kind, length, lane } = errand
  const desk: Desk = { ...tools, errand, people: createChance(tools.peopleSeed) }
  switch (kind) {
    case 'guessing':
      return Array.from({ length }, (_, at) => guess(desk, at))
    case 'hasty':
      // Those of one burst are asked in one moment: their keys would be one.
      return Array.from({ length }, (_, at) => ({ ...ask(desk, at), headers: {} }))
    case 'retry': {
      const first = withKey(ask(desk), desk)
      return [first, { ...first, wanted: 'repeated' }]
    }
    case 'reuse': {
      const first = withKey(ask(desk), desk)
      return [first, { ...refused(ask(desk, 1), 'NDX_IDEMPOTENCY_KEY_REUSED'), headers: first.headers }]
    }
    case 'miss':
      return [compose(lane, lane.maker.miss?.(makerTools(desk)) ?? misname(desk), 'answered', desk)]
    case 'over':
      return [refused(ask(desk), lane.isOver as ErrorCode)]
    case 'service':
      return [askUngranted(desk)]
    case 'unknown':
      return [{ ...refused(ask(desk), 'NDX_SERVICE_UNKNOWN'), service: unknownService, counted: '-' }]
    case 'purpose':
      return [refused(ask(desk), 'NDX_PURPOSE_NOT_GRANTED', { purpose: nobodysPurpose })]
    case 'field':
      return [refused(ask(desk), 'NDX_FIELD_NOT_GRANTED', { fields: [ungrantedFieldOf(lane) ?? ''] })]
    case 'invalid': {
      const asked = ask(desk)
      const request = spoil(asked.envelope['request'] as JsonObject, lane.service)
      return [refused(asked, 'NDX_REQUEST_INVALID', { request })]
    }
    default:
      return [ask(desk)]
  }
}

/** One errand, and all that its questions are made with. */
interface Desk extends QuestionTools {
  errand: Errand
  /** Which of its questions, where another officer may ask each. */
  at?: number
  people: Chance
}

const ask = (desk: Desk, at = 0): Asked =>
  compose(desk.errand.lane, desk.errand.lane.maker.make(makerTools(desk, at)), 'answered', { ...desk, at })

const refused = (asked: Asked, wanted: Outcome, envelope: JsonObject = {}): Asked => ({
  ...asked,
  envelope: { ...asked.envelope, ...envelope },
  wanted,
  expects: {},
})

/** Always about the same person, each time under another name. */
function guess(desk: Desk, at: number): Asked {
  const { lane, length } = desk.errand
  const wanted: Outcome = at < length - guessesRefused ? 'answered' : 'NDX_GUESSES_EXCEEDED'
  const asked = compose(lane, misname(desk, at), wanted, desk)
  const officer = officerCode(lane.agreement.agency, guessingOfficer)
  return { ...asked, headers: {}, envelope: { ...asked.envelope, officer } }
}

/** A question that another client may ask. */
function askUngranted(desk: Desk): Asked {
  const other = drawsOf(desk, topics.service).pick(desk.plan.ungranted.get(desk.errand.lane.agreement.client) ?? [])
  return compose(other, other.maker.make(makerTools(desk)), 'NDX_SERVICE_NOT_GRANTED', desk)
}

/** `of`: the lane whose service is asked and whose purposes are declared; who asks is the errand's client. */
function compose(of: Lane, { request, expects }: Question, wanted: Outcome, desk: Desk): Asked {
  const { agreement, body } = desk.errand.lane
  const draws = drawsOf(desk, topics.envelope + (desk.at ?? 0) * topicStride)
  const officer = officerFor(desk, draws)
  const isLater = isSettledLater(of.service.contract)
  const isKeyed = draws.percent(body.keyed) || isLater
  const asked: Asked = {
    client: agreement.client,
    service: of.service.contract.id,
    counted: of.service.contract.id,
    envelope: {
      purpose: draws.pick(of.grant.purposes),
      ...(of.grant.procedures.length === 0 ? {} : { procedure: draws.pick(of.grant.procedures) }),
      ...(officer === undefined ? {} : { officer }),
      request: writeAsBody(request, of.maker.writes, body, draws),
    },
    headers: isLater ? { prefer: 'respond-async' } : {},
    wanted,
    expects: wanted === 'answered' ? expects : {},
  }
  return isKeyed ? withKey(asked, desk) : asked
}

function officerFor({ errand: { kind, lane } }: Desk, draws: Draws): string | undefined {
  const { agency } = lane.agreement
  return kind === 'prying' ? officerCode(agency, pryingOfficer) : officerOf(agency, lane.body, draws)
}

function withKey(asked: Asked, desk: Desk): Asked {
  const { quarter, number, lane } = desk.errand
  // 7919 is prime to 900,000: no two questions of a lane and quarter hour have one moment.
  const moment = { quarter, ms: (number * 7919) % 900_000, tag: desk.tag === '' ? '' : `${desk.tag}-` }
  const key = keyOf(lane.body, moment, drawsOf(desk, topics.key))
  return { ...asked, headers: { ...asked.headers, 'idempotency-key': key } }
}

function misname(desk: Desk, at = 0): Question {
  const { nation, people, errand } = desk
  const question = errand.lane.maker.make(makerTools(desk))
  const member = errand.lane.maker.writes?.name ?? ''
  const draws = createDraws(people, errand.number, topics.name + at * topicStride)
  const name = drawOtherName(String(question.request[member]), nation, draws)
  return { request: { ...question.request, [member]: name }, expects: { matched: false } }
}

const drawsOf = ({ plan, errand }: Desk, topic: number): Draws => createDraws(plan.chance, errand.number, topic)

const makerTools = ({ nation, people, errand, tag }: Desk, at = 0): MakerTools => ({
  nation,
  draws: createDraws(people, errand.number, topics.question + at * topicStride),
  label: `${tag}${errand.number.toString(36)}N${at}`.toUpperCase(),
})
