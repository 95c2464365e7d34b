// The simulation's own books: what was asked, by client, service and outcome, and every attempt by its exchange id. What depends
// on the machine (attempts made again, milliseconds) is kept apart from what the seed decides.
import { isDeepStrictEqual } from 'node:util'
import { isJsonObject } from '#contracts/json.ts'
import { type Attempt, type Result } from './asking.ts'
import { type Errand } from './plan.ts'

export interface Row {
  client: string
  /** `-`: there is no such service. */
  service: string
  outcome: string
  questions: number
}

/** Something that did not go as the plan says. */
export interface Surprise {
  client: string
  service: string
  kind: string
  wanted: string
  got: string
  exchangeId: string
}

export interface Books {
  attempt(attempt: Attempt): void
  result(result: Result, errand: Errand): void
  /** Sorted by client, service, outcome. */
  rows(): Row[]
  /** By exchange id, how its first attempt ended. */
  readonly attempts: ReadonlyMap<string, Attempt>
  /** Answers told again. */
  readonly repeated: readonly Attempt[]
  /** Final exchanges of each question, for the ledger to confirm. */
  readonly finals: readonly { row: string; exchangeId: string }[]
  readonly surprises: readonly Surprise[]
  readonly counts: { questions: number; again: number; surprises: number; matched: number; unmatched: number }
  /** Milliseconds of questions that were not asked again. */
  readonly tookMs: readonly number[]
}

const surprisesMax = 100

export function createBooks(): Books {
  const rows = new Map<string, number>()
  const attempts = new Map<string, Attempt>()
  const repeated: Attempt[] = []
  const finals: { row: string; exchangeId: string }[] = []
  const surprises: Surprise[] = []
  const tookMs: number[] = []
  const counts = { questions: 0, again: 0, surprises: 0, matched: 0, unmatched: 0 }

  function surprise({ asked, exchangeId }: Result, { kind }: Errand, got: string): void {
    counts.surprises++
    const { client, counted: service, wanted } = asked
    if (surprises.length < surprisesMax) surprises.push({ client, service, kind, wanted, got, exchangeId })
  }

  return {
    attempt(one) {
      const isFirst = !attempts.has(one.exchangeId)
      if (one.end === 'repeated') repeated.push(one)
      // Told again though nobody was told before: the first answer was lost on its way.
      if (isFirst) attempts.set(one.exchangeId, one.end === 'repeated' ? { ...one, end: 'accepted' } : one)
    },
    result(result, errand) {
      const { asked, outcome, reply, again, exchangeId } = result
      counts.questions++
      counts.again += again
      if (again === 0) tookMs.push(result.tookMs)
      const row = keyOf(asked.client, asked.counted, outcome)
      rows.set(row, (rows.get(row) ?? 0) + 1)
      finals.push({ row, exchangeId })
      if (isJsonObject(reply)) {
        if (reply['matched'] === true || reply['found'] === true) counts.matched++
        if (reply['matched'] === false || reply['found'] === false) counts.unmatched++
      }
      if (outcome !== asked.wanted) surprise(result, errand, outcome)
      else if (!says(reply, asked.expects)) surprise(result, errand, 'another answer than the nation’s')
    },
    rows: () => [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, questions]) => rowOf(key, questions)),
    attempts,
    repeated,
    finals,
    surprises,
    counts,
    tookMs,
  }
}

export const keyOf = (client: string, service: string, outcome: string): string => `${client}\t${service}\t${outcome}`

function rowOf(key: string, questions: number): Row {
  const [client = '', service = '', outcome = ''] = key.split('\t')
  return { client, service, outcome, questions }
}

/** Whether the reply says what is expected wherever it says anything of it; yes and no must be said. */
function says(reply: unknown, expects: Record<string, unknown>): boolean {
  const names = Object.keys(expects)
  if (names.length === 0) return true
  if (!isJsonObject(reply)) return false
  return names.every(name => {
    if (reply[name] === undefined) return name !== 'matched' && name !== 'found'
    return isDeepStrictEqual(reply[name], expects[name])
  })
}
