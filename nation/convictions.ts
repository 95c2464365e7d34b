// The convictions that are on record on the nation's date: those whose time to be struck off has not come (Penal Code 2015, article
// 70), and older ones, whose time each new one began anew (article 73). The rates are judgement, the offences the usual ones. No
// two terms overlap, and nobody was convicted as a minor, since a minor's are soon struck off.
import { lastBirthYear, nationDate } from '#nation/cells.ts'
import { type Chance, createLottery, createLotteryOf, within } from '#nation/chance.ts'
import { type Person } from '#nation/person.ts'

export type Sentence = 'fine' | 'non-custodial' | 'suspended' | 'imprisonment'

export interface Conviction {
  /** `yyyy-mm-dd` */
  readonly convictedOn: string
  /** Of the Penal Code 2015, e.g. `173` (theft). */
  readonly article: string
  readonly sentence: Sentence
  /** The term; a fine has none. */
  readonly months?: number
}

/** Each of the convictions of a person has some of its own, from `conviction` on. */
const topics = { convicted: 340, count: 341, conviction: 350 } as const
const topicsEach = 5

const firstAge = 19
const lastAge = 75
const perTenThousand = { male: 90, female: 8 } as const
const drawCount = createLottery([
  [1, 85],
  [2, 12],
  [3, 3],
])
/** Theft, gambling, assault, drugs, traffic, disorder, fraud, dealing. */
const drawArticle = createLotteryOf('173 24, 321 16, 134 15, 249 14, 260 12, 318 7, 174 6, 251 6')
const drawSentence = createLottery<Sentence>([
  ['imprisonment', 62],
  ['suspended', 20],
  ['non-custodial', 8],
  ['fine', 10],
])
const drawPrisonMonths = createLotteryOf('9 20, 12 18, 18 18, 24 16, 36 14, 60 6, 84 5, 120 2, 180 1')
const drawOtherMonths = createLotteryOf('6 10, 9 20, 12 30, 18 20, 24 15, 36 5')

const isDrugs = (article: string): boolean => article === '249' || article === '251'
/** For dealing. */
const dealingMonthsMin = 24
/** Who is convicted again mostly is within so long. */
const relapseMonths = 24

/** Newest first; none of most. At most three. */
export function convictionsOf({ index, sex, dateOfBirth }: Person, chance: Chance): readonly Conviction[] {
  const age = lastBirthYear - Number(dateOfBirth.slice(0, 4))
  if (age < firstAge || age > lastAge) return []
  if (within(chance.draw(index, topics.convicted), 10_000) >= perTenThousand[sex]) return []
  const adultMonths = (age - firstAge + 1) * 12
  const convictions: Conviction[] = []
  let monthsAgo = 0
  for (let at = 0; at < drawCount(chance.draw(index, topics.count)); at++) {
    const draw: Draw = topic => chance.draw(index, topics.conviction + topicsEach * at + topic)
    const act = drawSentenceFor(drawArticle(draw(0)), draw)
    monthsAgo = at === 0 ? newestMonthsAgo(act, adultMonths, draw) : olderMonthsAgo(act, monthsAgo, draw)
    if (monthsAgo > adultMonths) break
    convictions.push(Object.freeze({ convictedOn: dayBefore(monthsAgo, draw(4)), ...act }))
  }
  return convictions
}

type Draw = (topic: number) => number
type Judgment = Omit<Conviction, 'convictedOn'>

function drawSentenceFor(article: string, draw: Draw): Judgment {
  const sentence = isDrugs(article) ? 'imprisonment' : drawSentence(draw(1))
  if (sentence === 'fine') return { article, sentence }
  const months = Number((sentence === 'imprisonment' ? drawPrisonMonths : drawOtherMonths)(draw(2)))
  return { article, sentence, months: article === '251' ? Math.max(months, dealingMonthsMin) : months }
}

/** So lately that it is on record still. */
function newestMonthsAgo({ sentence, months = 0 }: Judgment, adultMonths: number, draw: Draw): number {
  return 1 + within(draw(3), Math.min(months + probationMonths(sentence, months), adultMonths))
}

/** So long that its term was over at the next. */
function olderMonthsAgo({ months = 0 }: Judgment, nextMonthsAgo: number, draw: Draw): number {
  return nextMonthsAgo + months + 1 + within(draw(3), relapseMonths)
}

/** After the term is served. Article 70, clause 2: a year, two, three or five. */
function probationMonths(sentence: Sentence, months: number): number {
  if (sentence !== 'imprisonment') return 12
  if (months <= 60) return 24
  return months <= 180 ? 36 : 60
}

/** A day of the month so many months before that of the nation's date. */
function dayBefore(months: number, draw: number): string {
  const [year = 0, month = 0] = nationDate.split('-').map(Number)
  const at = year * 12 + month - 1 - months
  const day = 1 + within(draw, 28)
  return [Math.floor(at / 12), (at % 12) + 1, day].map(part => String(part).padStart(2, '0')).join('-')
}
