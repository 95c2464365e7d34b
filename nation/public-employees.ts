// Who works for the state: 2.21 million people of working age, of whom the register of public employees holds 95 of 100, which
// makes the 2.1 million that every body has sent it. Those who work for a province live in it. Nobody with a conviction on record
// is among them, and nobody whose pension has begun.
import { lastBirthYear } from '#nation/cells.ts'
import { type Chance, createLottery, within } from '#nation/chance.ts'
import { nowMonth, pensionMonthOf } from '#nation/contributions.ts'
import { convictionsOf } from '#nation/convictions.ts'
import { type Person } from '#nation/person.ts'
import { drawCentralBody, localBodyCodes, type PublicBody } from '#nation/public-bodies.ts'

/** Cán bộ, công chức, viên chức: elected or appointed, in the civil service, in a public service (teachers, doctors). */
export type PositionGroup = 'cadre' | 'civil-servant' | 'public-service-employee'

export interface PublicEmployment {
  readonly body: PublicBody
  readonly positionGroup: PositionGroup
  /** `yyyy-mm-dd`, a first day of a month. */
  readonly since: string
  /** Whether the body has sent it to the register. */
  readonly isRecorded: boolean
}

const topics = { employed: 330, central: 331, body: 332, group: 333, year: 334, month: 335, recorded: 336 } as const

/** Of a million people of working age, of whom there are some 51.9 million: 2.21 million. */
const employedPerMillion = 42_700
const workingAges = { from: 22, male: 60, female: 56 } as const
/** Most are taken on within so many years. */
const entryYears = 14
const centralPercent = 7
const recordedPercent = 95
const drawCentralGroup = createLottery<PositionGroup>([
  ['civil-servant', 48],
  ['public-service-employee', 51],
  ['cadre', 1],
])
const drawLocalGroup = createLottery<PositionGroup>([
  ['public-service-employee', 82],
  ['civil-servant', 12],
  ['cadre', 6],
])

/** Undefined: works elsewhere or not at all. */
export function publicEmploymentOf(person: Person, chance: Chance): PublicEmployment | undefined {
  const { index, sex, dateOfBirth } = person
  const birthYear = Number(dateOfBirth.slice(0, 4))
  const age = lastBirthYear - birthYear
  if (age < workingAges.from || age > workingAges[sex]) return undefined
  if (within(chance.draw(index, topics.employed), 1_000_000) >= employedPerMillion) return undefined
  if (convictionsOf(person, chance).length > 0 || pensionMonthOf(person) <= nowMonth) return undefined
  const isCentral = within(chance.draw(index, topics.central), 100) < centralPercent
  const groupDraw = chance.draw(index, topics.group)
  return Object.freeze({
    body: isCentral ? drawCentralBody(chance.draw(index, topics.body)) : localBodyOf(person),
    positionGroup: isCentral ? drawCentralGroup(groupDraw) : drawLocalGroup(groupDraw),
    since: sinceWhen(index, birthYear, chance),
    isRecorded: within(chance.draw(index, topics.recorded), 100) < recordedPercent,
  })
}

function localBodyOf({ residence: { province } }: Person): PublicBody {
  const code = localBodyCodes.get(province.code)
  if (code === undefined) throw new RangeError('no body governs this province')
  return Object.freeze({ code, name: `Ủy ban nhân dân ${province.name}` })
}

function sinceWhen(index: number, birthYear: number, chance: Chance): string {
  const first = birthYear + workingAges.from
  const span = Math.min(entryYears, lastBirthYear - first + 1)
  const year = first + within(chance.draw(index, topics.year), span)
  const month = 1 + within(chance.draw(index, topics.month), 12)
  return `${year}-${month < 10 ? '0' : ''}${month}-01`
}
