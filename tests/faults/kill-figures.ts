// What clients notice of one killed process: load for 75 s with the contracts' own deadlines, one process killed after 15 s and
// started again at once.
import { startCampaign } from './campaign.ts'
import { type Attempt } from './client-ledger.ts'
import { type Evidence } from './evidence.ts'
import { kills } from './faults.ts'
import { longestSilence } from './report.ts'

export interface KillFigures {
  victim: string
  perSecond: number
  /** Questions first asked from the kill on. */
  questions: number
  /** Of them, those whose first attempt brought neither an answer nor an acceptance, by how it ended. */
  unanswered: Record<string, number>
  /** The longest times without an answer, ms. */
  silentMs: { overall: number; gateways: Record<string, number>; partitions: Record<string, number> }
  accepted: number
  unsettled: number
  retries: { questions: number; answered: number; sameAnswer: number; told: Record<string, number> }
  /** Of the checks. */
  findings: number
}

const secondsBefore = 15
const secondsAfter = 60

export async function measureKill(victim: 'population-1' | 'gateway-1', perSecond: number): Promise<KillFigures> {
  const fault = kills.find(({ name }) => name === `${victim} killed`)
  if (fault === undefined) throw new Error(`nothing kills ${victim}`)
  const campaign = await startCampaign({ perSecond })
  try {
    await campaign.ask(perSecond * secondsBefore)
    const killedMs = performance.now()
    await campaign.runRound(fault, 0)
    await campaign.askUntil(killedMs + secondsAfter * 1000)
    const endMs = performance.now()
    const { evidence, findings } = await campaign.settle()
    for (const { history } of findings) console.error(history)
    return { victim, perSecond, ...readFigures(evidence, killedMs, endMs), findings: findings.length }
  } finally {
    await campaign.stop()
  }
}

function readFigures(
  evidence: Evidence,
  fromMs: number,
  toMs: number,
): Omit<KillFigures, 'victim' | 'perSecond' | 'findings'> {
  const { attempts, events } = evidence
  const byQuestion = [...Map.groupBy(attempts, ({ n }) => n).values()].filter(some => (some[0]?.sentMs ?? 0) >= fromMs)
  const firsts = byQuestion.flatMap(([first]) => first ?? [])
  const answers = attempts.filter(
    ({ ending, endedMs = 0 }) => ending === 'answered' && endedMs >= fromMs && endedMs <= toMs,
  )
  const partitionOf = new Map(
    events.filter(({ kind }) => kind === 'accepted').map(({ exchange, origin }) => [exchange, placeOf(origin)]),
  )
  const silences = (nameOf: (attempt: Attempt) => string | undefined): Record<string, number> =>
    Object.fromEntries(
      [...Map.groupBy(answers, nameOf)]
        .flatMap(([name, some]) => (name === undefined ? [] : [[name, longestSilence(some, fromMs, toMs)] as const]))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
  const outcomes = new Set(
    events.filter(({ kind }) => ['answered', 'failed', 'expired'].includes(kind)).map(({ exchange }) => exchange),
  )
  return {
    questions: byQuestion.length,
    unanswered: count(firsts.filter(({ ending }) => ending !== 'answered' && ending !== 'accepted').map(describe)),
    silentMs: {
      overall: longestSilence(answers, fromMs, toMs),
      gateways: silences(({ gateway }) => gateway),
      partitions: silences(({ exchangeId = '' }) => partitionOf.get(exchangeId)),
    },
    accepted: partitionOf.size,
    unsettled: [...partitionOf.keys()].filter(exchange => !outcomes.has(exchange)).length,
    retries: retriesOf(byQuestion.filter(some => some.length > 1)),
  }
}

function retriesOf(retried: readonly Attempt[][]): KillFigures['retries'] {
  const answered = retried.filter(some => some.some(isAnswered))
  const isSame = (some: readonly Attempt[]): boolean =>
    new Set(some.filter(({ ending }) => ending === 'answered').map(({ exchangeId }) => exchangeId)).size < 2
  return {
    questions: retried.length,
    answered: answered.length,
    sameAnswer: answered.filter(isSame).length,
    told: count(retried.filter(some => !some.some(isAnswered)).flatMap(some => describe(some.at(-1) as Attempt))),
  }
}

const isAnswered = ({ ending }: Attempt): boolean => ending === 'answered' || ending === 'accepted'

const describe = ({ ending, code = '' }: Attempt): string => `${ending} ${code}`.trim()

/** `<road>:<topic>/<partition>/<offset>` */
const placeOf = (origin: string): string => origin.slice(origin.indexOf(':') + 1, origin.lastIndexOf('/'))

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

export function renderKillFigures({ victim, perSecond, ...figures }: KillFigures): string {
  const { questions, unanswered, silentMs, accepted, unsettled, retries, findings } = figures
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
  const list = (of: Record<string, number>, show: (value: number) => string): string =>
    Object.entries(of)
      .map(([name, value]) => `${name} ${show(value)}`)
      .join(', ') || 'none'
  const unansweredCount = Object.values(unanswered).reduce((sum, value) => sum + value, 0)
  return [
    `${victim} killed and started again, ${perSecond} questions a second:`,
    `  not answered at once: ${unansweredCount} of ${questions} (${list(unanswered, String)})`,
    `  longest time without an answer: ${seconds(silentMs.overall)}; ${list(silentMs.gateways, seconds)}`,
    `  by partition: ${list(silentMs.partitions, seconds)}`,
    `  settled: ${accepted - unsettled} of ${accepted}`,
    `  asked again with the same key: ${retries.questions}; answered ${retries.answered}, the first answer ${retries.sameAnswer}; others told: ${list(retries.told, String)}`,
    `  findings: ${findings}`,
  ].join('\n')
}
